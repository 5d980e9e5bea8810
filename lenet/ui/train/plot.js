// What the charts of runs compute: axes, places, the mean of several runs and the band around it.

/** Of a run: epoch, seconds of training, value. @typedef {[number, number, number]} Point */

/**
 * The lines of a chart by name: `Chart` of curves.py.
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {"decades" | "shares" | "linear"} axis
 * @property {Record<string, Point[]>} lines
 * @property {[number, Point][]} [passed] shares, and where they were first reached
 */

/** `Curves` of curves.py. @typedef {{ epochs: number, charts: Chart[] }} Curves */

/**
 * The vertical axis: its range, whether it is logarithmic, and the values to label.
 *
 * @typedef {object} Axis
 * @property {number} low
 * @property {number} high
 * @property {[number, string][]} labels
 * @property {boolean} [logarithmic]
 */

/** A line, or the mean of several lines with a band around it. @typedef {{ points: Point[], band?: [Point[], Point[]] }} Line */

const FLOORS = [0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0];
const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10];
const ALMOST = 1e-9;

/** A number with as many digits as a label needs. @param {number} value */
const short = (value) => `${Number(value.toPrecision(6))}`;

/** @type {Record<Chart["axis"], (values: number[]) => Axis>} */
export const AXES = {
  /** The decades around positive values. */
  decades(values) {
    const low = Math.floor(Math.log10(lowest(values, 0.1)) + ALMOST);
    const high = Math.max(low + 1, Math.ceil(Math.log10(highest(values, 1)) - ALMOST));
    const labels = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
    return { ...axis(labels, short), logarithmic: true };
  },

  /** From a round number below shares (0..1) to all of them. */
  shares(values) {
    const low = FLOORS.find((floor) => lowest(values, 0.9) >= floor) ?? 0;
    return axis([low, (low + 1) / 2, 1], (value) => `${short(100 * value)} %`);
  },

  /** From 0 to a round number above positive values. */
  linear(values) {
    const most = highest(values, 1);
    const decade = 10 ** Math.floor(Math.log10(most));
    const high = (STEPS.find((step) => step * decade * (1 + ALMOST) >= most) ?? 10) * decade;
    return axis([0, high / 2, high], short);
  },
};

/** @param {number[]} values @param {number} otherwise */
const lowest = (values, otherwise) =>
  Math.max(1e-9, values.length ? Math.min(...values) : otherwise);

/** @param {number[]} values @param {number} otherwise */
const highest = (values, otherwise) =>
  Math.max(1e-9, values.length ? Math.max(...values) : otherwise);

/** @param {number[]} values @param {(value: number) => string} text @returns {Axis} */
const axis = (values, text) => ({
  low: values[0],
  high: /** @type {number} */ (values.at(-1)),
  labels: values.map((value) => [value, text(value)]),
});

/** Where a value lies: 0 at the top, 100 at the bottom, and no farther. @param {Axis} axis @param {number} value */
export function place({ low, high, logarithmic }, value) {
  const scale = logarithmic ? Math.log : Number;
  const [v, l, h] = [Math.max(value, logarithmic ? 1e-9 : value), low, high].map(scale);
  return 100 * Math.min(1, Math.max(0, (h - v) / (h - l)));
}

/**
 * The same line of several runs: their mean from point to point, and the lowest and the highest.
 * It ends where the shortest does.
 *
 * @param {Point[][]} lines
 * @returns {Line}
 */
export function meanOf(lines) {
  const length = Math.min(...lines.map((line) => line.length));
  /** @param {(values: number[]) => number} of @returns {Point[]} */
  const along = (of) =>
    Array.from({ length }, (_, i) => {
      const points = lines.map((line) => line[i]);
      return [points[0][0], mean(points.map(([, seconds]) => seconds)), of(points.map(last))];
    });
  return {
    points: along(mean),
    band: [along((values) => Math.min(...values)), along((values) => Math.max(...values))],
  };
}

/** @param {number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param {Point} point */
const last = ([, , value]) => value;

/**
 * The points that the vertical axis has to show. A sample begins far below the others and may enter
 * from the axis's foot; where it is alone, its latest point counts.
 *
 * @param {(Line & { line: string })[]} lines
 * @returns {Point[]}
 */
export function framed(lines) {
  const all = lines
    .filter(({ line }) => line !== "sample")
    .flatMap(({ points, band }) => [points, ...(band ?? [])].flat());
  return all.length > 0 ? all : lines.flatMap(({ points }) => points.slice(-1));
}

/** When shares were first reached, in words. @param {[number, Point][]} passed */
export const told = (passed) =>
  passed
    .map(([share, [, seconds]]) => `${short(100 * share)} % after ${seconds.toFixed(1)} s`)
    .join(", ");

/** Where the horizontal axis ends. @param {Line[]} lines @param {number} epochs of the longest run @param {boolean} bySeconds */
export const endOf = (lines, epochs, bySeconds) =>
  bySeconds
    ? Math.max(ALMOST, ...lines.flatMap(({ points }) => points.map(([, seconds]) => seconds)))
    : epochs;
