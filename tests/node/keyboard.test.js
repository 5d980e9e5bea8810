import assert from "node:assert/strict";
import { test } from "node:test";
import { moved } from "../../lenet/ui/draw/keyboard.js";
import { nextTo } from "../../lenet/ui/draw/roving.js";

test("arrow keys move the pen, two of them diagonally, and never off the pad", () => {
  assert.deepEqual(moved([700, 500], ["ArrowUp"], 40), [700, 460]);
  assert.deepEqual(moved([700, 500], ["ArrowLeft", "ArrowDown"], 10), [690, 510]);
  assert.deepEqual(moved([1390, 5], ["ArrowRight", "ArrowUp"], 40), [1400, 0]);
});

test("the next picture lies ahead, straight ahead rather than near", () => {
  /** @param {number} left @param {number} top */
  const square = (left, top) => ({ left, top, width: 10, height: 10 });
  const row = [square(0, 0), square(20, 0), square(40, 0)];
  const below = [square(5, 30), square(40, 20)];
  const all = [...row, ...below];
  assert.equal(nextTo(row[0], all, [1, 0]), row[1]);
  assert.equal(nextTo(row[0], all, [0, 1]), below[0]);
  assert.equal(nextTo(below[1], all, [0, -1]), row[2]);
  assert.equal(nextTo(row[0], all, [-1, 0]), undefined);
});
