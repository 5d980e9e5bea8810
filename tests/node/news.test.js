import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { unseen } from "../../lenet/ui/train/news.js";

let shown = { state: "", progress: "" };

/** @param {string} state @param {string} progress @param {unknown[]} [values] */
const told = (state, progress, values) =>
  unseen(shown, { state, progress, wait: 0, shown: values });

beforeEach(() => {
  shown = { state: "", progress: "" };
});

test("a new page shows everything once", () => {
  assert.deepEqual(told("a", "1", ["values"]), ["stated", "progressed"]);
  assert.deepEqual(told("a", "1"), []);
});

test("only what has changed is shown", () => {
  told("a", "1", ["values"]);
  assert.deepEqual(told("a", "2", ["others"]), ["progressed"]);
  assert.deepEqual(told("b", "2"), ["stated"]);
});

test("a progress that did not come is still asked for", () => {
  told("a", "1", ["values"]);
  assert.deepEqual(told("b", "2"), ["stated"]); // as while its tab is not seen
  assert.deepEqual(shown, { state: "b", progress: "1" });
});
