import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Asking } from "../../lenet/ui/draw/asking.js";

/** @typedef {{ about: string, answer: (given?: string | null) => void }} Call */

let subject = "";
/** @type {Call[]} */
let calls = [];
/** @type {string[]} */
let taken = [];
let complaints = 0;

/** Asks about `subject`; each call waits until the test answers it. */
function asking() {
  return new Asking({
    ask: () => {
      const about = subject;
      /** @type {Promise<string | null>} */
      const promise = new Promise((resolve) => {
        calls.push({ about, answer: (given = `read ${about}`) => resolve(given) });
      });
      return promise;
    },
    isEmpty: () => subject === "",
    take: (answer) => taken.push(answer),
    complain: () => {
      complaints += 1;
    },
  });
}

/** Let all that can go on without a clock go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  subject = "";
  calls = [];
  taken = [];
  complaints = 0;
  mock.timers.reset();
});

test("one call at a time, and the last state is asked about", async () => {
  const pad = asking();
  for (subject of ["1", "17", "174"]) pad.changed();
  assert.deepEqual(
    calls.map(({ about }) => about),
    ["1"],
  );
  calls[0].answer();
  await settle();
  assert.deepEqual(
    calls.map(({ about }) => about),
    ["1", "174"],
  );
  calls[1].answer();
  await settle();
  assert.deepEqual(taken, ["read 1", "read 174"]);
  assert.equal(calls.length, 2);
});

test("an answer about what is gone is not taken", async () => {
  const pad = asking();
  subject = "1";
  pad.changed();
  subject = "4";
  pad.changed(true);
  calls[0].answer();
  await settle();
  assert.deepEqual(taken, []);
  calls[1].answer();
  await settle();
  assert.deepEqual(taken, ["read 4"]);
});

test("nothing is asked about nothing", async () => {
  const pad = asking();
  pad.changed(true);
  await settle();
  assert.equal(calls.length, 0);
  subject = "1";
  pad.changed();
  subject = "";
  pad.changed(true);
  calls[0].answer();
  await settle();
  assert.deepEqual([calls.length, taken], [1, []]);
});

test("a late answer is complained about, a failed call is made again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const pad = asking();
  subject = "1";
  pad.changed();
  mock.timers.tick(2999);
  assert.equal(complaints, 0);
  mock.timers.tick(1);
  assert.equal(complaints, 1);
  calls[0].answer(null);
  await settle();
  assert.deepEqual([complaints, calls.length], [2, 1]);
  mock.timers.tick(1000);
  await settle();
  assert.equal(calls.length, 2);
  calls[1].answer();
  await settle();
  assert.deepEqual(taken, ["read 1"]);
  mock.timers.tick(60_000);
  assert.equal(complaints, 2); // the clock of an answered call has stopped
});
