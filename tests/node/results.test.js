import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bestOf,
  cellShares,
  describe,
  describeOthers,
  errorShares,
} from "../../lenet/ui/results/report.js";

const network = { name: "a", accuracy: 0, right: 0, wrong: 0, confusion: [] };

test("the answer is the most probable digit", () => {
  assert.equal(bestOf([0.1, 0.2, 0.6, 0.1]), 2);
});

test("a digit that the test set lacks has no errors", () => {
  assert.deepEqual(errorShares({ ...network, errors: [1, 0], counts: [4, 0] }), [0.25, 0]);
});

test("right answers are coloured by their share, wrong ones beside the most frequent", () => {
  const shares = cellShares([
    [8, 2, 0],
    [8, 0, 0],
    [0, 0, 0],
  ]);
  assert.deepEqual(shares, [
    [0.8, 0.5, 0],
    [1, 0, 0],
    [0, 0, 0],
  ]);
});

const HEADINGS = [
  [{ show: "mistakes" }, 2, false, "2 mistakes", "surest"],
  [{ show: "mistakes" }, 1, true, "1 mistake of the first network", "surest"],
  [{ show: "digit", truth: 4 }, 0, false, "0 mistakes with the truth 4", "surest"],
  [{ show: "both" }, 9876, true, "9,876 test images that both read", "least sure"],
  [{ show: "first" }, 1, true, "1 test image that only the first reads", "surest"],
  [{ show: "neither" }, 3, true, "3 test images that neither reads", "surest"],
  [
    { show: "cell", truth: 4, answer: 9 },
    5,
    false,
    "5 test images with the truth 4 and the answer 9",
    "surest",
  ],
  [
    { show: "cell", truth: 4, answer: 4 },
    5,
    true,
    "5 test images with the truth 4 and the answer 4 of the first network",
    "least sure",
  ],
];

for (const [selection, total, comparing, heading, order] of /** @type {any[][]} */ (HEADINGS)) {
  test(`the gallery's heading: ${heading}`, () => {
    const [found, first] = describe(selection, total, comparing);
    assert.equal(found, heading);
    assert.match(first, new RegExp(order));
  });
}

test("how many others each network takes for digits, in words", () => {
  assert.match(describeOthers(1000, [3]), /^Of 1,000 letters, .* it takes 3 for digits\. /);
  assert.match(describeOthers(1000, [3, 1000]), /first network takes 3 .*, the second 1,000\. /);
});
