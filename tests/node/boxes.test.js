import assert from "node:assert/strict";
import { test } from "node:test";
import { boxLabel, place } from "../../lenet/ui/draw/boxes.js";

test("a box lies around its digit, with room for the pen", () => {
  const { left, top, width, height, side } = place([364, 236, 664, 764]);
  assert.deepEqual([left, top], [328 / 1400, 200 / 1000]);
  assert.deepEqual([width, height], [372 / 1400, 600 / 1000]);
  assert.equal(side, "above");
});

test("no box leaves the pad, and its figure is where there is room", () => {
  const whole = place([0, 0, 1400, 1000]);
  assert.deepEqual(whole, { left: 0, top: 0, width: 1, height: 1, side: "within" });
  assert.equal(place([100, 50, 300, 500]).side, "below");
  assert.equal(place([100, 50, 300, 980]).side, "within");
});

test("a box says which digit it is, or that it is none", () => {
  const seven = { digit: 7, is_digit: true, probabilities: [], sure: true, pixels: "" };
  /** @type {[number, number, number, number]} */
  const box = [0, 0, 1, 1];
  assert.equal(boxLabel({ ...seven, box }, 1, 4), "2 of 4: 7");
  assert.equal(boxLabel({ ...seven, is_digit: false, box }, 0, 2), "1 of 2: no digit");
});
