// The drawing on the pad, without the screen: strokes in WIDTH × HEIGHT, x to the right and y
// downwards, or in their place a picture: a digit of a data set, or the digits found in a photograph.
// Each step can be taken back.

/** @import { Kept } from "../hand/store.js" */
/** @import { Strokes } from "../shared/events.js" */

/** @typedef {[number, number]} Point */
/** @typedef {{ strokes: Strokes, picture: string | null }} Content */
/** What was there before a step, and what the step kept as an example. @typedef {Content & { kept: Kept | null }} Step */

export const WIDTH = 1400; // room for four digits
export const HEIGHT = 1000;

const STEPS = 1000; // that can be taken back
const EXAMPLE_SIZE = 0.6; // of the pad's height

export class Drawing {
  /** @type {Strokes} */
  strokes = [];
  /** 28×28 bytes for each digit, in base64. @type {string | null} */
  picture = null;
  /** @type {Step[]} */
  #before = [];

  /** @param {{ max_strokes: number, max_points: number }} limits */
  constructor({ max_strokes, max_points }) {
    this.maxStrokes = max_strokes;
    this.maxPoints = max_points;
  }

  get isEmpty() {
    return this.strokes.length === 0 && this.picture === null;
  }

  /** How many points may be added. */
  get room() {
    return this.maxPoints - this.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  }

  /** Whether no other stroke can begin. */
  get isFull() {
    return this.room <= 0 || this.strokes.length >= this.maxStrokes;
  }

  /** Begin a stroke, which takes the place of a picture. @param {Point} point */
  begin(point) {
    this.replace([...this.strokes, [point]]);
  }

  /**
   * Go on with the last stroke, without the pen's trembling.
   *
   * @param {Point[]} points
   * @param {number} least a point that lies closer to the last one is left out
   * @returns {Point[]} what to paint: the added points and the one before, or nothing
   */
  extend(points, least) {
    const stroke = this.strokes[this.strokes.length - 1];
    const from = stroke.length - 1;
    let room = this.room;
    for (const [x, y] of points) {
      const [lastX, lastY] = stroke[stroke.length - 1];
      if (room <= 0 || Math.hypot(x - lastX, y - lastY) < least) continue;
      stroke.push([x, y]);
      room -= 1;
    }
    return stroke.length - 1 > from ? stroke.slice(from) : [];
  }

  /**
   * Put another drawing or a picture in its place.
   *
   * @param {Strokes} strokes
   * @param {string | null} [picture]
   * @param {Kept | null} [kept] an example that is taken back with this step
   */
  replace(strokes, picture = null, kept = null) {
    this.#before.push({ strokes: this.strokes, picture: this.picture, kept });
    if (this.#before.length > STEPS) this.#before.shift();
    this.strokes = strokes;
    this.picture = picture;
  }

  /** @param {Kept | null} [kept] the example that it was kept as */
  clear(kept = null) {
    if (!this.isEmpty) this.replace([], null, kept);
  }

  /** Begin with a drawing of which each stroke can be taken back. @param {Content} content */
  restore({ strokes, picture }) {
    Object.assign(this, { strokes, picture });
    const before = picture ? [[]] : strokes.map((_, i) => strokes.slice(0, i));
    this.#before = before.map((part) => ({ strokes: part, picture: null, kept: null }));
  }

  /**
   * Take the last step back: a stroke, or whatever replaced a drawing.
   *
   * @returns {Kept | null} the example that it kept
   */
  undo() {
    const { kept = null, ...content } = this.#before.pop() ?? {};
    Object.assign(this, content);
    return kept;
  }
}

/**
 * A place on the screen as a point of the drawing; a place outside the pad moves to its edge.
 *
 * @param {{ clientX: number, clientY: number }} event
 * @param {{ left: number, top: number, width: number, height: number }} box the pad
 * @returns {Point}
 */
export function toPoint({ clientX, clientY }, { left, top, width, height }) {
  /** @param {number} share @param {number} of */
  const inside = (share, of) => Math.round(Math.min(Math.max(share, 0), 1) * of * 10) / 10;
  return [inside((clientX - left) / width, WIDTH), inside((clientY - top) / height, HEIGHT)];
}

/** An example, in a square of 1, as large as a drawing on the pad. @param {Strokes} example @returns {Strokes} */
export function enlarge(example) {
  /** @param {number} value */
  const fromMiddle = (value) => HEIGHT * EXAMPLE_SIZE * (value - 0.5);
  return example.map((stroke) =>
    stroke.map(([x, y]) => [WIDTH / 2 + fromMiddle(x), HEIGHT / 2 + fromMiddle(y)]),
  );
}

/** The first points of a drawing, as its pen makes them. @param {Strokes} strokes @param {number} count */
export function firstPoints(strokes, count) {
  const part = [];
  for (const stroke of strokes) {
    if (count <= 0) break;
    part.push(stroke.slice(0, count));
    count -= stroke.length;
  }
  return part;
}
