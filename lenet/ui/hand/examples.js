// A visitor's own drawings with their labels: what one is, how a file of them is read and written,
// and which one a visitor is asked for. This file knows nothing of the page or of storage.

/** @import { Strokes } from "../shared/events.js" */

/** A digit, or null for what is none. @typedef {number | null} Label */
/** @typedef {{ label: Label, strokes: Strokes }} Labelled */
/** `made` in milliseconds since 1970. @typedef {Labelled & { id: string, made: number }} Example */
/** What a server reads of one drawing. @typedef {{ max_strokes: number, max_points: number }} Limits */

export const MOST = 500; // drawings that are kept
export const EACH = 5; // drawings of each digit that a round asks for

export const SIDE = 1000; // units: the longer side of what is kept
const NEAR = 25; // units: half a pixel of the network's frame; the server merges points so near
const POINTS = 40_000; // that are sent at once: the server refuses 50,000
const POINTS_EACH = 2000; // of a drawing, which the server takes
const LARGEST = 1e30; // of a coordinate, as the server has it
const MAX_BYTES = 20 << 20; // of a file: 500 drawings take less than two million

// ---------------------------------------------------------------- strokes

/**
 * Strokes as they are kept: moved and scaled to a longer side of 1,000, in whole numbers, without
 * points that the server would merge anyway. What is kept already stays as it is to the last unit.
 *
 * @param {Strokes} strokes with at least one point
 * @returns {Strokes}
 */
export function normalize(strokes) {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  const before = extent(drawn);
  const isKept = before.left === 0 && before.top === 0 && [0, SIDE].includes(before.side);
  if (isKept && drawn.flat(2).every(Number.isInteger)) return drawn;
  const near = (NEAR / SIDE) * (before.side || 1);
  const thinned = drawn.map((stroke) => thin(stroke, near));
  const { left, top, side } = extent(thinned); // a point at the edge may be gone
  const scale = side ? SIDE / side : 1;
  return thinned.map((stroke) =>
    stroke.map(([x, y]) => [Math.round((x - left) * scale), Math.round((y - top) * scale)]),
  );
}

/** Where strokes lie, and the longer side of their box. @param {Strokes} strokes */
function extent(strokes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of strokes.flat()) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { left, top, side: Math.max(right - left, bottom - top) };
}

/**
 * Leave out points that lie closer along the stroke, as `thin_stroke` of lenet/preprocess.py does.
 *
 * @param {[number, number][]} stroke
 * @param {number} near
 */
function thin(stroke, near) {
  let way = 0;
  let last = -1;
  return stroke.filter(([x, y], i) => {
    if (i > 0) way += Math.hypot(x - stroke[i - 1][0], y - stroke[i - 1][1]);
    const bin = Math.floor(way / near);
    const stays = bin !== last || i === stroke.length - 1;
    last = bin;
    return stays;
  });
}

/** @param {Strokes} a @param {Strokes} b */
export const areSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Drawings as they are sent: thinned until they have no more points than the server takes at once.
 *
 * @param {Labelled[]} drawings
 * @returns {Labelled[]}
 */
export function toSend(drawings) {
  let sent = drawings.map(({ label, strokes }) => ({ label, strokes }));
  const isMuch = () => {
    const counts = sent.map(({ strokes }) => strokes.flat().length);
    return Math.max(...counts) > POINTS_EACH || counts.reduce((a, b) => a + b, 0) > POINTS;
  };
  for (let near = 1.5 * NEAR; isMuch() && near < SIDE; near *= 1.5)
    sent = sent.map(({ label, strokes }) => ({
      label,
      strokes: strokes.map((stroke) => thin(stroke, near)),
    }));
  return sent;
}

// ---------------------------------------------------------------- checking

/**
 * What is wrong with a labelled drawing that came from a file or from storage; "" where nothing is.
 *
 * @param {unknown} record
 * @param {Limits} limits
 */
export function fault(record, { max_strokes, max_points }) {
  if (typeof record !== "object" || record === null || Array.isArray(record))
    return 'it must be an object {"label": …, "strokes": …}.';
  const { label, strokes } = /** @type {Record<string, unknown>} */ (record);
  if (!isLabel(label))
    return `the label must be a whole number 0 to 9, or null for what is no digit, not ${brief(label)}.`;
  if (!Array.isArray(strokes))
    return "the strokes must be a list of strokes, each a list of [x, y].";
  if (strokes.length > max_strokes)
    return `the drawing has ${strokes.length} strokes; at most ${max_strokes} are read.`;
  let points = 0;
  for (const [i, stroke] of strokes.entries()) {
    if (!Array.isArray(stroke)) return `stroke ${i + 1} must be a list of [x, y].`;
    points += stroke.length;
    if (points > max_points) return `the drawing has more than ${max_points} points.`;
    if (!stroke.every(isPoint)) return `stroke ${i + 1} has a point that is not [x, y].`;
  }
  return points ? "" : "the drawing has no strokes with points.";
}

/** @param {unknown} value @returns {value is Label} */
const isLabel = (value) =>
  value === null || (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 9);

/** @param {unknown} value */
const isPoint = (value) =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((each) => typeof each === "number" && Math.abs(each) < LARGEST);

/** @param {unknown} value */
const brief = (value) => (JSON.stringify(value) ?? "nothing").slice(0, 40);

// ---------------------------------------------------------------- the file

/**
 * Read a drawings file, or an others file: a JSON object a line, blank lines do not count.
 *
 * @param {Uint8Array} bytes
 * @param {Limits} limits
 * @returns {Labelled[]} as they are kept
 * @throws {Error} the file is malformed; one sentence with the line and the reason
 */
export function readFile(bytes, limits) {
  if (bytes.length > MAX_BYTES)
    throw new Error(
      `The file is larger than ${MAX_BYTES >> 20} MB: choose one with at most ${MOST} drawings.`,
    );
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("The file is no text: choose a drawings file, which ends in .jsonl.");
  }
  const lines = text.split("\n").map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const full = lines.filter(({ line }) => line);
  if (!full.length) throw new Error("The file holds no drawings: it is empty.");
  return full.map(({ line, number }) => {
    let record;
    try {
      record = JSON.parse(line);
    } catch {
      throw new Error(
        `Line ${number} is not JSON: a drawings file has a JSON object in each line.`,
      );
    }
    const wrong = fault(record, limits);
    if (wrong) throw new Error(`Line ${number}: ${wrong}`);
    return { label: record.label, strokes: normalize(record.strokes) };
  });
}

/** A drawings file of these drawings. @param {Labelled[]} drawings */
export const writeFile = (drawings) =>
  drawings.map(({ label, strokes }) => `${JSON.stringify({ label, strokes })}\n`).join("");

// ---------------------------------------------------------------- how many there are

/** In the order in which they are shown: the digits, and what is none. @type {Label[]} */
export const LABELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, null];

/** How many there are of each of the `LABELS`. @param {Labelled[]} drawings */
export const countEach = (drawings) =>
  LABELS.map((label) => drawings.filter((drawing) => drawing.label === label).length);

/**
 * How many drawings of each digit there shall be at the end of a round: five, or five more where
 * every digit has as many.
 *
 * @param {number[]} counts of the `LABELS`
 */
export const goalOf = (counts) => EACH * (Math.floor(Math.min(...counts.slice(0, 10)) / EACH) + 1);

/**
 * What a round asks for: one of each digit after the other, and then again.
 *
 * @param {number[]} counts of the `LABELS`
 * @param {number} goal
 * @returns {{ digit: number | null, done: number, total: number }} null at the end
 */
export function asked(counts, goal) {
  const digits = counts.slice(0, 10);
  const least = Math.min(...digits);
  const done = digits.map((count) => Math.min(Math.max(count - (goal - EACH), 0), EACH));
  return {
    digit: least < goal ? digits.indexOf(least) : null,
    done: done.reduce((sum, count) => sum + count),
    total: 10 * EACH,
  };
}

/**
 * What a visitor should know before teaching: which digits have too few drawings.
 *
 * @param {number[]} counts of the `LABELS`
 */
export function advice(counts) {
  const single = LABELS.filter((label, i) => label !== null && counts[i] === 1);
  if (single.length === 0) return "";
  return (
    `You have drawn the ${listed(single.map(String))} only once, which teaches little: two drawings ` +
    "of a digit make a difference, five work well."
  );
}

/** @param {string[]} words */
function listed(words) {
  const last = words[words.length - 1];
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${last}` : last;
}
