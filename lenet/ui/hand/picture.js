// A kept drawing as a small picture.

import { SIDE } from "./examples.js";

/** @import { Strokes } from "../shared/events.js" */

const AIR = 130; // units around the drawing

/** @param {Strokes} strokes @returns {Element} */
export function picture(strokes) {
  const points = strokes.flat();
  const width = Math.max(...points.map(([x]) => x));
  const height = Math.max(...points.map(([, y]) => y));
  const side = SIDE + 2 * AIR;
  const box = [(width - side) / 2, (height - side) / 2, side, side];
  const lines = strokes.map((stroke) => {
    const line = stroke.length > 1 ? stroke : [...stroke, ...stroke]; // a dot has no length
    return `<polyline points="${line.join(" ")}" />`;
  });
  const holder = document.createElement("div");
  holder.innerHTML = `<svg viewBox="${box.join(" ")}" aria-hidden="true">${lines.join("")}</svg>`;
  return /** @type {Element} */ (holder.firstElementChild);
}
