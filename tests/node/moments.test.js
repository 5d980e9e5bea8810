import assert from "node:assert/strict";
import { test } from "node:test";
import {
  history,
  joined,
  kernelLabel,
  sentence,
  strongest,
  when,
} from "../../lenet/ui/train/moments.js";

/** @param {number} batches @param {number} digit */
const moment = (batches, digit) => ({
  batches,
  digit,
  probabilities: Array.from({ length: 10 }, (_, d) => (d === digit ? 0.914 : 0)),
  kernels: [[0.25, -1.5, 1]],
});

test("a moment is named by its batches", () => {
  assert.equal(when(moment(0, 1)), "before training");
  assert.equal(when(moment(1875, 1)), "after 1,875 batches");
  assert.equal(sentence("Your 7", moment(0, 2)), "Your 7 before training: 2 (91 %)");
});

test("the history mentions only changes of the answer", () => {
  const moments = [moment(0, 3), moment(5, 3), moment(9, 7), moment(20, 7), moment(40, 3)];
  assert.equal(
    history("Your 7", moments),
    "Your 7 was read as 3 before training, 7 after 9 batches, 3 after 40 batches",
  );
});

test("kernels are described by their weights", () => {
  assert.equal(strongest([moment(0, 1)]), 1.5);
  assert.equal(kernelLabel(2, [0.25, -1.5, 1]), "kernel 2: weights from -1.50 to 1.00");
});

test("moments that no longer count make room for new ones", () => {
  const known = [moment(0, 1), moment(5, 1), moment(9, 1)];
  const news = { kept: 1, moments: [moment(6, 2)] };
  assert.deepEqual(
    joined(known, news).map(({ batches }) => batches),
    [0, 6],
  );
});
