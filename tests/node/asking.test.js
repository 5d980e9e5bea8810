import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Asking } from "../../lenet/ui/draw/asking.js";

/** @typedef {{ about: string, answer: (given?: string | null) => void }} Call */

let subject = "";
/** @type {Call[]} */
let calls = [];
/** @type {(string | undefined)[]} */
let taken = [];
let complaints = 0;

/** Asks about `subject`; each call waits until the test answers it. */
function asking() {
  return new Asking({
    ask: () => {
      const about = subject;
      /** @type {Promise<{ read: string, took: number } | null>} */
      const promise = new Promise((resolve) => {
        /** @type {Call["answer"]} */
        const answer = (given = `read ${about}`) =>
          resolve(given === null ? null : { read: given, took: 1 });
        calls.push({ about, answer });
      });
      return promise;
    },
    isEmpty: () => subject === "",
    take: ({ read }) => taken.push(read),
    complain: () => {
      complaints += 1;
    },
  });
}

/** Let everything go on that does not wait for the clock. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Let visitors draw for some seconds of virtual time, 60 points a second; returns what the last of
 * them sees.
 *
 * @param {object} world
 * @param {number} world.way milliseconds to the server and back
 * @param {number} [world.work] milliseconds that the server takes for an answer, one after the other
 * @param {number} [world.visitors]
 */
async function drawn({ way, work = 1, visitors = 1 }) {
  const SECONDS = 4;
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const clock = mock.method(performance, "now", () => now);
  let free = 0; // when the server is
  let underWay = 0;
  let most = 0;
  const seen = Array.from({ length: visitors }, () => /** @type {number[][]} */ ([]));
  const pads = seen.map((answers) => {
    /** @type {Asking<{ about: number, took: number }>} */
    const pad = new Asking({
      isEmpty: () => false,
      ask: async () => {
        const about = pad.version;
        most = Math.max(most, ++underWay);
        const there = now + way / 2;
        free = Math.max(free, there) + work;
        const took = free - there;
        await new Promise((resolve) => setTimeout(resolve, took + way));
        underWay -= 1;
        return { about, took };
      },
      take: ({ about }) => answers.push([now, about]),
      complain: () => assert.fail("a late answer"),
    });
    return pad;
  });
  for (; now < 1000 * SECONDS + 2000; now += 1, mock.timers.tick(1), await settle()) {
    if (now > 1000 * SECONDS) continue;
    for (const [i, pad] of pads.entries()) if ((now + i) % 16 === 0) pad.changed();
    if (now === 1000 * SECONDS) for (const pad of pads) pad.settled();
  }
  clock.mock.restore();
  mock.timers.reset();
  const answers = seen[visitors - 1];
  const late = answers.filter(([at]) => at > 1000); // the round trip is known by then
  const order = answers.map(([, about]) => about);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.equal(order.at(-1), pads[visitors - 1].version);
  return {
    perSecond: late.filter(([at]) => at <= 1000 * SECONDS).length / (SECONDS - 1),
    lastAfter: answers[answers.length - 1][0] - 1000 * SECONDS,
    most,
  };
}

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

test("an answer about a cleared drawing is not taken", async () => {
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

test("an older answer is not taken after a newer one", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const clock = mock.method(performance, "now", () => now);
  const pad = asking();
  /** @param {number} time */
  const wait = async (time) => {
    now += time;
    mock.timers.tick(time);
    await settle();
  };
  subject = "1";
  pad.changed();
  await wait(200);
  calls[0].answer(); // the round trip is long
  await settle();
  for (subject of ["17", "174", "1742"]) {
    pad.changed();
    await wait(70);
  }
  assert.deepEqual(
    calls.map(({ about }) => about),
    ["1", "17", "174", "1742"],
  );
  calls[2].answer();
  await settle();
  calls[1].answer();
  await settle();
  assert.deepEqual(taken, ["read 1", "read 174"]);
  calls[3].answer();
  await settle();
  assert.deepEqual(taken, ["read 1", "read 174", "read 1742"]);
  clock.mock.restore();
});

test("far away several calls are under way, and the last answer comes one round trip after the pen", async () => {
  for (const { way, least } of [
    { way: 100, least: 25 },
    { way: 300, least: 10 },
  ]) {
    const { perSecond, lastAfter, most } = await drawn({ way });
    assert.ok(perSecond >= least, `${way} ms: ${perSecond} answers a second`);
    assert.ok(most <= 4, `${way} ms: ${most} under way`);
    assert.ok(lastAfter <= 1.2 * way + 10, `${way} ms: the last answer ${lastAfter} ms after`);
  }
});

test("near by one call is under way, and beside many visitors, too", async () => {
  assert.equal((await drawn({ way: 0, work: 8 })).most, 1);
  const beside = await drawn({ way: 5, visitors: 100 });
  assert.ok(beside.most <= 110, `${beside.most} calls of 100 visitors are under way`);
  assert.ok(beside.lastAfter <= 250, `the last answer comes ${beside.lastAfter} ms after the pen`);
  const far = await drawn({ way: 100, visitors: 100 });
  assert.ok(far.lastAfter <= 200, `far away the last answer comes ${far.lastAfter} ms after`);
});
