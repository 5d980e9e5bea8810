import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, stepOf } from "../../lenet/ui/lesson/progress.js";

test("a link names its step, and a link to no step the first one", () => {
  assert.equal(stepOf("#lesson-4", 9), 4);
  for (const hash of ["#lesson-0", "#lesson-10", "#lesson-99", "#lesson-x", "#lesson-", "#lesson"])
    assert.equal(stepOf(hash, 9), 1, hash);
  for (const hash of ["", "#", "#other", "#lessons-4", "#xlesson-4"])
    assert.equal(stepOf(hash, 9), null, hash);
});

test("what is kept comes back, and anything else is a beginning", () => {
  const progress = { step: 4, guesses: { 1: 7, 3: 0 } };
  assert.deepEqual(parse(JSON.stringify(progress)), progress);
  const beginning = { step: 1, guesses: {} };
  for (const text of [null, "", "{", "null", "7", '{"step": 3}', '{"step": "x", "guesses": {}}'])
    assert.deepEqual(parse(text), beginning, `${text}`);
  assert.deepEqual(parse('{"step": 2, "guesses": {"1": "x", "2": 1}}').guesses, { 2: 1 });
});
