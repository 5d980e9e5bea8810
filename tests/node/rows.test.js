import assert from "node:assert/strict";
import { test } from "node:test";
import {
  COLUMNS,
  columnsOf,
  entriesOf,
  freeSlot,
  labelOf,
  memberTitle,
  verdict,
} from "../../lenet/ui/train/rows.js";

/** @import { Row, Entry } from "../../lenet/ui/train/rows.js" */

/** @param {string} name @param {Partial<Row> & { seed?: number, rate?: number }} changes @returns {Row} */
const row = (name, { seed = 0, rate = 0.05, ...changes } = {}) => ({
  name,
  title: name,
  group: "",
  setting: {
    recipe: "fast",
    data: "mnist",
    epochs: 5,
    batch_size: 80,
    learning_rate: rate,
    seed,
  },
  done: 5,
  accuracy: 0.99,
  seconds: 12.34,
  state: "finished",
  message: "",
  when: 0,
  network: `${name}.pt`,
  resume: "3 more epochs",
  ...changes,
});

/** Runs of one setting with the seeds 0, 1, …, the newest first. @param {string} group @param {number[]} accuracies */
const seeds = (group, accuracies) =>
  accuracies
    .map((accuracy, seed) =>
      row(`${group}-seed${seed}`, { group, seed, accuracy, title: `${group}, seed ${seed}` }),
    )
    .reverse();

/** @param {Entry} entry */
const texts = (entry) => Object.fromEntries(COLUMNS.map(({ key, text }) => [key, text(entry)]));

test("the charts call a run by its title and by what differs from the others", () => {
  const [slow, fast] = entriesOf([row("slow", { rate: 0.005 }), row("fast", { rate: 0.5 })]);
  assert.equal(labelOf(slow, [slow, fast]), "slow: rate 0.005");
  assert.equal(labelOf(slow, [slow]), "slow");
  const [again] = entriesOf([row("again", { rate: 0.005 })]);
  assert.equal(labelOf(slow, [slow, again]), "slow");
  const few = { ...row("few"), setting: { ...slow.rows[0].setting, data: "mnist, 100 images" } };
  const [damaged] = entriesOf([/** @type {Row} */ (few)]);
  assert.equal(labelOf(damaged, [damaged, slow]), "few: mnist, 100 images");
  const [group] = entriesOf(seeds("group", [0.9, 0.91]));
  assert.equal(labelOf(group, [group, slow]), "group: rate 0.05"); // not: seed 0 … 1
  const other = {
    recipe: "best",
    data: "mnist",
    epochs: 9,
    batch_size: 9,
    learning_rate: 9,
    seed: 9,
  };
  const [best] = entriesOf([row("best")].map((one) => ({ ...one, setting: other })));
  assert.equal(labelOf(slow, [slow, best]), "slow");
});

test("a run is a line with its settings and how it went", () => {
  const [entry] = entriesOf([row("one", { rate: 0.5 })]);
  assert.equal(entry.title, "one");
  assert.deepEqual(texts(entry), {
    recipe: "fast",
    data: "mnist",
    epochs: "5",
    batch: "80",
    rate: "0.5",
    seed: "0",
    accuracy: "99.00%",
    seconds: "12.3",
    state: "finished",
  });
});

test("a damaged log is a line without figures", () => {
  const damaged = { setting: null, accuracy: null, seconds: null, state: "damaged", done: 0 };
  const [entry] = entriesOf([row("cut", damaged)]);
  const { state, ...rest } = texts(entry);
  assert.equal(state, "damaged");
  assert.ok(Object.values(rest).every((text) => text === ""));
});

test("a stopped run says how far it has come", () => {
  const [entry] = entriesOf([row("half", { state: "stopped", done: 2 })]);
  assert.equal(texts(entry).state, "stopped, 2 of 5");
});

test("runs that differ in their seed are one line", () => {
  const entries = entriesOf([row("alone"), ...seeds("fast 12ab", [0.99, 0.98, 0.985])]);
  assert.deepEqual(
    entries.map(({ key, title, rows }) => [key, title, rows.length]),
    [
      ["alone", "alone", 1],
      ["fast 12ab", "fast 12ab", 3],
    ],
  );
  const { seed, accuracy, state, rate } = texts(entries[1]);
  assert.deepEqual(
    [seed, accuracy, state, rate],
    ["0 … 2", "98.50% ±0.50", "3 of 3 finished", "0.05"],
  );
});

test("a group that is renamed keeps its seeds apart", () => {
  const [member] = seeds("g", [0.9, 0.91]);
  assert.equal(memberTitle("steep", member), "steep, seed 1");
  assert.equal(memberTitle("", member), "");
  assert.equal(memberTitle("steep", row("alone")), "steep");
  const renamed = { ...member, title: memberTitle("steep", member) };
  assert.equal(entriesOf([renamed])[0].title, "steep");
});

test("of the settings only those are shown that differ, and how it went always", () => {
  const entries = entriesOf([row("a", { rate: 0.5 }), row("b"), row("c")]);
  /** @param {Entry[]} compared */
  const shown = (compared) => columnsOf(compared, true).map(({ key }) => key);
  assert.deepEqual(shown(entries), ["rate", "accuracy", "seconds", "state"]);
  assert.deepEqual(shown(entries.slice(1)), ["accuracy", "seconds", "state"]);
  assert.equal(shown(entries.slice(2)).length, COLUMNS.length); // one alone differs from nothing
  assert.equal(columnsOf(entries, false), COLUMNS);
});

test("two settings are compared by the accuracies of their seeds", () => {
  const [low, high] = [seeds("low", [0.97, 0.972]), seeds("high", [0.99, 0.991])];
  const near = seeds("near", [0.988, 0.992]);
  assert.equal(
    verdict(entriesOf([...low, ...high])),
    "On average “high” reads 1.95 points more of the test images than “low”; seeds alone make up to " +
      "0.20: the difference is larger than the spread of the seeds.",
  );
  assert.match(verdict(entriesOf([...near, ...high])), /no larger than the spread of the seeds\.$/);
  assert.equal(verdict(entriesOf([...low, row("alone")])), "");
  assert.equal(verdict(entriesOf(low)), "");
  assert.equal(verdict(entriesOf([...low, ...high, ...near])), "");
});

test("a colour is free as soon as its run is unticked", () => {
  assert.equal(freeSlot([]), 0);
  assert.equal(freeSlot([0, 1, 3]), 2);
});
