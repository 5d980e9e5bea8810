import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { unseen } from "../../lenet/ui/train/news.js";

let shown = { state: "", progress: "" };

/** @param {string} state @param {string} progress @param {boolean} seen */
const told = (state, progress, seen) => unseen(shown, { state, progress }, seen);

beforeEach(() => {
  shown = { state: "", progress: "" };
});

test("a new page shows everything once", () => {
  assert.deepEqual(told("a", "1", true), ["stated", "progressed"]);
  assert.deepEqual(told("a", "1", true), []);
});

test("only what has changed is fetched", () => {
  told("a", "1", true);
  assert.deepEqual(told("a", "2", true), ["progressed"]);
  assert.deepEqual(told("b", "2", true), ["stated"]);
});

test("the progress waits until its tab is seen, the state does not", () => {
  assert.deepEqual(told("a", "1", false), ["stated"]);
  assert.deepEqual(told("b", "2", false), ["stated"]);
  assert.deepEqual(told("b", "2", true), ["progressed"]);
  assert.deepEqual(told("b", "3", false), []);
  assert.deepEqual(told("b", "2", true), []); // as it was when the tab was last seen
});
