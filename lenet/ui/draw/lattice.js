// The groups of strokes that were considered as digits of a number, as bars below each other: a
// picture of the lattice that the number's path goes through.

import { make } from "../shared/dom.js";
import { decimal } from "../shared/formats.js";

/** @import { Considered } from "../shared/events.js" */

/** A bar: where it lies, in shares of the picture's width, and in which row. @typedef {{ group: Considered, left: number, width: number, row: number }} Bar */

const ROOM = 0.17; // of the picture's width: what is written below a bar

/**
 * Lay the groups of a line out from left to right: the path in the first row, each other group in
 * the first free row below, the best scores first.
 *
 * @param {Considered[]} groups
 * @param {number} left of the drawing
 * @param {number} right
 * @returns {Bar[]}
 */
export function layOut(groups, left, right) {
  const scale = 1 / (right - left || 1);
  /** How far each row is taken. @type {[number, number][][]} */
  const rows = [[]];
  const others = groups.filter(({ chosen }) => !chosen).sort((a, b) => b.score - a.score);
  return [...groups.filter(({ chosen }) => chosen), ...others].map((group) => {
    const [x0, , x1] = group.box;
    const start = (x0 - left) * scale;
    const width = (x1 - x0) * scale;
    const end = start + Math.max(width, ROOM);
    /** @param {[number, number][]} row */
    const isFree = (row) => row.every(([from, to]) => end <= from || to <= start);
    let row = group.chosen ? 0 : rows.findIndex((taken, i) => i > 0 && isFree(taken));
    if (row < 0) row = rows.push([]) - 1;
    rows[row].push([start, end]);
    return { group, left: start, width, row };
  });
}

/** The sum of the scores along the paths of all lines. @param {Considered[][]} lines */
export function scoreOfPath(lines) {
  const path = lines.flat().filter(({ chosen }) => chosen);
  return path.reduce((sum, { score }) => sum + score, 0);
}

/** A score as text; one that rounds to 0 has no sign. @param {number} score */
export const inPoints = (score) => decimal(Math.round(100 * score) / 100 || 0);

/** The picture of each line. @param {Considered[][]} lines */
export function picturesOf(lines) {
  const boxes = lines.flat().map(({ box }) => box);
  const left = Math.min(...boxes.map(([x0]) => x0));
  const right = Math.max(...boxes.map(([, , x1]) => x1));
  return lines.map((groups) => {
    const bars = layOut(groups, left, right);
    const line = make("ul", { className: "line" }, ...bars.map(barOf));
    line.style.setProperty("--rows", `${1 + Math.max(...bars.map(({ row }) => row))}`);
    return line;
  });
}

/** @param {Bar} bar */
function barOf({ group: { digit, is_digit, score, chosen }, left, width, row }) {
  const read = make("b", {}, is_digit ? `${digit}` : "?");
  const item = make("li", { className: chosen ? "chosen" : "" }, make("i"), read, inPoints(score));
  item.style.setProperty("--left", `${100 * left}%`);
  item.style.setProperty("--width", `${100 * width}%`);
  item.style.setProperty("--row", `${row}`);
  return item;
}
