import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST } from "../../lenet/ui/hand/examples.js";
import { Memory } from "../../lenet/ui/hand/storage.js";
import { ALL_KEPT, Hand } from "../../lenet/ui/hand/store.js";
import { misreadAs, wordsOf } from "../../lenet/ui/hand/words.js";

/** @typedef {import("../../lenet/ui/hand/examples.js").Labelled} Labelled */
/** @typedef {import("../../lenet/ui/shared/events.js").Strokes} Strokes */

Reflect.deleteProperty(globalThis, "BroadcastChannel"); // an open one would keep the test alive

const limits = { max_strokes: 200, max_points: 20_000 };

/** Strokes unlike those of any other number. @param {number} i @returns {Strokes} */
const line = (i) => [
  [
    [0, 0],
    [i, 1000],
  ],
];

/** A hand on a storage. @param {Memory} storage */
async function opened(storage) {
  const hand = new Hand();
  await hand.open(limits, Promise.resolve(storage));
  return hand;
}

/** What is kept, as labels. @param {Hand} hand */
const labels = ({ examples }) => examples.map(({ label }) => label);

test("what was kept is there when the page is opened again", async () => {
  const storage = new Memory();
  const hand = await opened(storage);
  assert.equal(await hand.keep(7, line(1)).failure, "");
  assert.equal(await hand.keep(null, line(2)).failure, "");
  assert.deepEqual(labels(await opened(storage)), [7, null]);
});

test("what is kept before the storage is open is not lost", async () => {
  const storage = new Memory();
  await (await opened(storage)).keep(1, line(1)).failure;
  const hand = new Hand();
  const { failure } = hand.keep(2, line(2));
  assert.deepEqual(labels(hand), [2]);
  await hand.open(limits, Promise.resolve(storage));
  await failure;
  assert.deepEqual(labels(hand), [1, 2]);
});

test("the same drawing gets another label, and taking that back gives it the first one", async () => {
  const hand = await opened(new Memory());
  await hand.keep(1, line(1)).failure;
  const { failure, ...again } = hand.keep(7, line(1));
  await failure;
  assert.deepEqual(labels(hand), [7]);
  await hand.takeBack(again);
  assert.deepEqual(labels(hand), [1]);
  const { failure: other, ...kept } = hand.keep(3, line(3));
  await other;
  await hand.takeBack(kept);
  assert.deepEqual(labels(hand), [1]);
});

test("a file adds what is new, or nothing where there is no room", async () => {
  const hand = await opened(new Memory());
  await hand.keep(0, line(0)).failure;
  /** @param {number} count @returns {Labelled[]} */
  const lines = (count) =>
    Array.from({ length: count }, (_, i) => ({ label: 1, strokes: line(i) }));
  assert.deepEqual(await hand.add(lines(3)), { added: 2, failure: "" });
  assert.deepEqual(labels(hand), [0, 1, 1]);
  const { added, failure } = await hand.add(lines(MOST + 1));
  assert.equal(added, 0);
  assert.match(failure, /498 drawings that are not kept yet; there is room for 497 of 500/);
  assert.equal(hand.examples.length, 3);
  assert.equal((await hand.add(lines(MOST))).added, 497);
  assert.equal(await hand.keep(5, line(501)).failure, ALL_KEPT);
  assert.equal(hand.examples.length, MOST);
  assert.equal(await hand.keep(5, line(7)).failure, ""); // another label takes no room
});

test("of two tabs neither goes beyond the limit", async () => {
  const storage = new Memory();
  const [one, other] = [await opened(storage), await opened(storage)];
  await one.add(Array.from({ length: MOST }, (_, i) => ({ label: 1, strokes: line(i) })));
  assert.equal(other.room, MOST); // it has not heard of it yet
  assert.equal(await other.keep(2, line(600)).failure, ALL_KEPT);
  assert.equal(other.examples.length, MOST);
});

test("garbage is left out with a sentence, once", async () => {
  const storage = new Memory();
  const hand = await opened(storage);
  await hand.keep(4, line(4)).failure;
  const garbage = [
    { id: "x" },
    { id: "y", label: 11, strokes: line(1), made: 1 },
    { id: "z", label: 1, strokes: [[["a", 0]]], made: 1 },
    { id: "t", label: 1, strokes: line(1), made: "today" },
  ];
  await storage.put(garbage, MOST);
  await storage.update("networks", () => [{ name: 5 }, "x", null]);
  await storage.update("teaching", () => "nonsense");
  const again = await opened(storage);
  assert.deepEqual(labels(again), [4]);
  assert.match(again.notice, /^4 of the drawings .* left out/);
  assert.deepEqual([again.networks, again.teaching], [[], null]);
  assert.equal((await storage.all()).length, 1);
});

test("a hand knows whether its storage lasts, and drops what the storage refuses", async () => {
  const hand = await opened(new Memory());
  assert.equal(hand.lasts, false);
  class Refusing extends Memory {
    lasts = true;
    async put() {
      throw new DOMException("full", "QuotaExceededError");
    }
  }
  const refused = await opened(new Refusing());
  assert.match(await refused.keep(1, line(1)).failure, /no room for more drawings/);
  assert.deepEqual(refused.examples, []);
});

test("five taught networks are remembered, the newest first, and the last one is chosen", async () => {
  const storage = new Memory();
  const hand = await opened(storage);
  for (let i = 0; i < 7; i++) {
    await hand.follow({ run: `run-${i}`, from: "lenet.pt", drawings: i });
    const taught = { name: `hand-${i}.pt`, from: "lenet.pt", drawings: i, made: i, told: null };
    await hand.learn(taught);
    await hand.follow(null);
  }
  const again = await opened(storage);
  assert.deepEqual(
    again.networks.map(({ name }) => name),
    [6, 5, 4, 3, 2].map((i) => `hand-${i}.pt`),
  );
  assert.deepEqual([again.chosen, again.teaching], ["hand-6.pt", null]);
  await again.forget(["hand-6.pt"]);
  assert.equal(again.networks.length, 4);
});

test("listeners hear of each change at once", async () => {
  const hand = await opened(new Memory());
  /** @type {number[]} */
  const heard = [];
  hand.onChange(() => heard.push(hand.examples.length));
  const { failure } = hand.keep(1, line(1));
  assert.deepEqual(heard, [1]);
  await failure;
});

// ---------------------------------------------------------------- words

test("the words on a teaching say what it changed and how that was measured", () => {
  const told = {
    drawings: 50,
    before: 31,
    after: 46,
    folds: 2,
    mnist_before: 0.9948,
    mnist_after: 0.9946,
    note: "",
  };
  const { result, how } = wordsOf(told);
  assert.equal(result, "It reads 46 of your 50 drawings; before, it read 31.");
  assert.match(
    how,
    /taught without it, in 2 folds. It reads 99.46% of MNIST's test images; before, 99.48%/,
  );
  assert.doesNotMatch(wordsOf({ ...told, mnist_after: null }).how, /MNIST/);
  assert.match(wordsOf({ ...told, note: "Left out: 2." }).how, /99.48%. Left out: 2.$/);
  assert.match(wordsOf({ ...told, after: null, folds: 0 }).result, /too few drawings to say/);
});

test("a drawing is misread as another digit, or as none", () => {
  assert.equal(misreadAs(7, 7), "");
  assert.equal(misreadAs(7, 1), "read as 1");
  assert.equal(misreadAs(7, null), "no digit");
  assert.equal(misreadAs(null, null), "");
  assert.equal(misreadAs(null, 8), "read as 8");
});
