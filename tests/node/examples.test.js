import assert from "node:assert/strict";
import { test } from "node:test";
import {
  advice,
  asked,
  countEach,
  EACH,
  fault,
  goalOf,
  LABELS,
  MOST,
  normalize,
  readFile,
  toSend,
  writeFile,
} from "../../lenet/ui/hand/examples.js";

/** @typedef {import("../../lenet/ui/shared/events.js").Strokes} Strokes */
/** @typedef {import("../../lenet/ui/hand/examples.js").Labelled} Labelled */

const limits = { max_strokes: 200, max_points: 20_000 };

/** @param {number} points @returns {Strokes} */
const wave = (points) => [
  Array.from({ length: points }, (_, i) => [10 * i, 300 * Math.sin(i / 50) + 0.123]),
];

/** @param {string} text */
const file = (text) => readFile(new TextEncoder().encode(text), limits);

// ---------------------------------------------------------------- strokes

test("strokes are moved and scaled to a longer side of 1,000, in whole numbers", () => {
  const line = normalize([
    [
      [5, 2],
      [5, 2.5],
    ],
    [[5.25, 2.2]],
    [],
  ]);
  assert.deepEqual(line, [
    [
      [0, 0],
      [0, 1000],
    ],
    [[500, 400]],
  ]);
  assert.deepEqual(normalize([[[7, 7]]]), [[[0, 0]]]);
});

test("points closer than half a frame's pixel are merged, and the ends stay", () => {
  const [stroke] = normalize(wave(1000));
  assert.ok(stroke.length < 60, `${stroke.length} points`);
  assert.equal(stroke[0][0], 0);
  assert.equal(stroke[stroke.length - 1][0], 1000);
});

test("the longer side is 1,000 even where the point at the edge is left out", () => {
  /** @type {[number, number][]} */
  const peak = [0, 2, 4, 6, 8, 10].map((x) => [50 * x, x === 4 ? 999 : 10 * x]);
  const strokes = normalize([[...peak.flatMap(([x, y]) => Array(3).fill([x, y])), [504, 0]]]);
  assert.equal(Math.max(...strokes.flat(2)), 1000);
  assert.deepEqual(normalize(strokes), strokes);
  for (let seed = 0; seed < 50; seed++) {
    const shaken = wave(90)[0].map(([x, y], i) => [x, y + ((i * (seed + 7)) % 13)]);
    const kept = normalize([/** @type {[number, number][]} */ (shaken)]);
    assert.deepEqual(normalize(kept), kept);
  }
});

test("what is kept stays as it is, however often it is written and read", () => {
  const kept = { label: 3, strokes: normalize(wave(700)) };
  const again = file(writeFile([kept, { label: null, strokes: normalize([[[7, 7]]]) }]));
  assert.deepEqual(again, [kept, { label: null, strokes: [[[0, 0]]] }]);
});

test("no more points are sent than the server takes", () => {
  /** @type {Labelled[]} */
  const drawings = Array.from({ length: MOST }, (_, i) => ({ label: i % 10, strokes: wave(400) }));
  const sent = toSend(drawings);
  const points = sent.reduce((sum, { strokes }) => sum + strokes.flat().length, 0);
  assert.ok(points <= 40_000, `${points} points`);
  assert.equal(sent.length, MOST);
  assert.deepEqual(toSend([{ label: 1, strokes: wave(5) }])[0].strokes, wave(5));
});

// ---------------------------------------------------------------- files

test("a drawings file is read: any unit, blank lines, other fields, what is no digit", () => {
  const text = [
    '\ufeff{"label": 7, "strokes": [[[0, 0], [0.5, 1]]], "writer": "12"}',
    "",
    '{"label": null, "strokes": [[[-3, 4]]]}\r',
  ].join("\n");
  const [seven, other] = file(text);
  assert.deepEqual(seven, {
    label: 7,
    strokes: [
      [
        [0, 0],
        [500, 1000],
      ],
    ],
  });
  assert.equal(other.label, null);
});

const GOOD = '{"label": 1, "strokes": [[[0, 0], [0, 1]]]}';
const BAD = {
  "Line 2 is not JSON": `${GOOD}\nnonsense`,
  "Line 2: the label must be a whole number 0 to 9, or null for what is no digit, not 10.": `${GOOD}\n{"label": 10, "strokes": [[[0, 0]]]}`,
  'not "2024".': '{"label": "2024", "strokes": [[[0, 0]]]}',
  "not true.": '{"label": true, "strokes": [[[0, 0]]]}',
  "not nothing.": '{"strokes": [[[0, 0]]]}',
  "Line 1: it must be an object": "[1, 2]",
  "Line 1: the strokes must be a list": '{"label": 1, "strokes": "x"}',
  "stroke 2 must be a list": '{"label": 1, "strokes": [[[0, 0]], 5]}',
  "stroke 1 has a point that is not [x, y].": '{"label": 1, "strokes": [[[0, 0], [1, null]]]}',
  "has no strokes with points": '{"label": 1, "strokes": [[]]}',
  "has 201 strokes; at most 200": `{"label": 1, "strokes": [${Array(201).fill("[[0, 0]]")}]}`,
  "more than 20000 points": `{"label": 1, "strokes": [[${Array(20_001).fill("[0, 0]")}]]}`,
  "holds no drawings": "\n \n",
};

for (const [sentence, text] of Object.entries(BAD))
  test(`a bad file says why: ${sentence}`, () => {
    assert.throws(
      () => file(text),
      (/** @type {Error} */ error) => error.message.includes(sentence),
    );
  });

test("a picture or a huge file is no drawings file", () => {
  assert.throws(() => readFile(new Uint8Array([0x89, 0x50, 0xff]), limits), /is no text/);
  assert.throws(() => readFile(new Uint8Array(21 << 20), limits), /larger than 20 MB/);
});

test("a coordinate that is infinite or out of range is a fault", () => {
  const far = { label: 1, strokes: [[[1e31, 0]]] };
  assert.match(fault(far, limits), /not \[x, y\]/);
  assert.match(fault({ label: 1, strokes: [[[Number.NaN, 0]]] }, limits), /not \[x, y\]/);
  assert.equal(fault({ label: 1, strokes: [[[1e29, 0]]] }, limits), "");
});

// ---------------------------------------------------------------- the round

test("a round asks for each digit once, and again, until there are five of each", () => {
  /** @type {Labelled[]} */
  const kept = [{ label: 3, strokes: [] }];
  const goal = goalOf(countEach(kept));
  assert.equal(goal, EACH);
  const order = [];
  for (;;) {
    const { digit, done, total } = asked(countEach(kept), goal);
    assert.deepEqual([done, total], [kept.length, 50]);
    if (digit === null) break;
    order.push(digit);
    kept.push({ label: digit, strokes: [] });
  }
  assert.equal(order.length, 49);
  assert.deepEqual(order.slice(0, 12), [0, 1, 2, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
});

test("a second round asks for five more, and what is no digit does not count", () => {
  /** @type {number[]} */
  const five = LABELS.map((label) => (label === null ? 0 : 5));
  assert.equal(goalOf(five), 10);
  assert.deepEqual(asked(five, 10), { digit: 0, done: 0, total: 50 });
  five[0] = 7;
  assert.deepEqual(asked(five, 10), { digit: 1, done: 2, total: 50 });
});

test("before teaching there is advice where there is little to teach", () => {
  const none = LABELS.map(() => 0);
  assert.equal(advice(none), "");
  assert.match(
    advice(none.with(4, 1).with(8, 1).with(9, 1)),
    /^You have drawn the 4, 8 and 9 only once/,
  );
  assert.match(advice(none.with(4, 1)), /^You have drawn the 4 only once/);
  assert.equal(advice(none.with(4, 2)), "");
});
