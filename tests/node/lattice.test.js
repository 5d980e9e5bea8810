import assert from "node:assert/strict";
import { test } from "node:test";
import { inPoints, layOut, scoreOfPath } from "../../lenet/ui/draw/lattice.js";

/** @typedef {import("../../lenet/ui/shared/events.js").Considered} Considered */

/** @param {number} x0 @param {number} x1 @param {number} score @returns {Considered} */
function group(x0, x1, score, chosen = false) {
  return { box: [x0, 0, x1, 1], digit: 1, is_digit: true, score, chosen };
}

test("the path has a row of its own, the best of the others come next", () => {
  const lines = [
    group(0, 1000, -9),
    group(0, 400, -0.1, true),
    group(0, 200, -2),
    group(600, 1000, -0.2, true),
    group(500, 800, -1),
  ];
  const bars = layOut(lines, 0, 1000);
  assert.deepEqual(
    bars.map(({ group, row }) => [group.score, row]),
    [
      [-0.1, 0],
      [-0.2, 0],
      [-1, 1],
      [-2, 1],
      [-9, 2],
    ],
  );
  assert.deepEqual(
    bars.map(({ left, width }) => [left, width]),
    [
      [0, 0.4],
      [0.6, 0.4],
      [0.5, 0.3],
      [0, 0.2],
      [0, 1],
    ],
  );
});

test("what is written below a narrow bar has room", () => {
  const rows = layOut([group(0, 10, -1), group(50, 60, -2)], 0, 1000).map(({ row }) => row);
  assert.deepEqual(rows, [1, 2]);
});

test("the score of a number is the sum along the paths of its lines", () => {
  const lines = [[group(0, 1, -1, true), group(0, 1, -5)], [group(0, 1, -2, true)]];
  assert.equal(scoreOfPath(lines), -3);
  assert.deepEqual([inPoints(-3), inPoints(-0.001)], ["−3.00", "0.00"]);
});
