import assert from "node:assert/strict";
import { test } from "node:test";
import { AXES, endOf, framed, meanOf, place, told } from "../../lenet/ui/train/plot.js";

/** @import { Axis, Point } from "../../lenet/ui/train/plot.js" */

/** @param {number} low @param {number} high @param {boolean} [logarithmic] @returns {Axis} */
const axis = (low, high, logarithmic) => ({ low, high, labels: [], logarithmic });

test("a value lies on the axis, from top to bottom, and never beyond its ends", () => {
  /** @type {[Axis, number, number][]} */
  const places = [
    [axis(0, 1), 1, 0],
    [axis(0, 1), 0.25, 75],
    [axis(0.9, 1), 0.5, 100],
    [axis(0, 0.05), 7, 0],
    [axis(0.01, 1, true), 0.1, 50],
    [axis(0.01, 1, true), 0, 100],
  ];
  for (const [on, value, at] of places) assert.ok(Math.abs(place(on, value) - at) < 1e-9);
});

test("an axis is labelled from its low to its high end", () => {
  /** @type {[Axis, string[]][]} */
  const labelled = [
    [AXES.decades([]), ["0.1", "1"]],
    [AXES.decades([0.02, 2.3]), ["0.01", "0.1", "1", "10"]],
    [AXES.decades([1, 1]), ["1", "10"]],
    [AXES.decades([0.1, 1]), ["0.1", "1"]],
    [AXES.shares([]), ["90 %", "95 %", "100 %"]],
    [AXES.shares([0.985, 0.991]), ["98 %", "99 %", "100 %"]],
    [AXES.shares([0.1]), ["0 %", "50 %", "100 %"]],
    [AXES.linear([]), ["0", "0.5", "1"]],
    [AXES.linear([0.01, 0.05]), ["0", "0.03", "0.06"]],
    [AXES.linear([0.8]), ["0", "0.4", "0.8"]],
  ];
  for (const [on, texts] of labelled) {
    assert.deepEqual(
      on.labels.map(([, text]) => text),
      texts,
    );
    assert.equal(on.labels[0][0], on.low);
    assert.equal(on.labels.at(-1)?.[0], on.high);
  }
});

test("several runs are their mean, from the lowest to the highest, as far as all have come", () => {
  const { points, band } = meanOf([
    [
      [1, 10, 0.9],
      [2, 20, 0.95],
    ],
    [[1, 30, 0.8]],
  ]);
  assert.deepEqual(points, [[1, 20, 0.8500000000000001]]);
  assert.deepEqual(band, [[[1, 20, 0.8]], [[1, 20, 0.9]]]);
});

test("the horizontal axis is as long as the longest run", () => {
  /** @type {import("../../lenet/ui/train/plot.js").Line[]} */
  const lines = [{ points: [[5, 12.5, 1]] }, { points: [[2, 31, 1]] }, { points: [] }];
  assert.equal(endOf(lines, 5, false), 5);
  assert.equal(endOf(lines, 5, true), 31);
});

test("the axis is made for all lines but a sample, which comes in from its foot", () => {
  /** @type {Point[]} */
  const sample = [
    [0, 0, 0.1],
    [0.5, 1, 0.9],
  ];
  /** @type {Point[]} */
  const whole = [[1, 2, 0.98]];
  const both = [
    { line: "test", points: whole },
    { line: "sample", points: sample },
  ];
  assert.deepEqual(framed(both), whole);
  assert.deepEqual(framed([{ line: "test", points: [] }, both[1]]), [[0.5, 1, 0.9]]);
  assert.deepEqual(framed([{ line: "test", points: whole, band: [sample, whole] }]), [
    ...whole,
    ...sample,
    ...whole,
  ]);
});

test("the seconds of training after which shares were passed, in words", () => {
  assert.equal(told([]), "");
  /** @type {[number, Point][]} */
  const passed = [
    [0.98, [1, 1.94, 0.981]],
    [0.99, [2.5, 4.5, 0.99]],
  ];
  assert.equal(told(passed), "98 % after 1.9 s, 99 % after 4.5 s");
});
