// What is said of drawings, and of what a teaching has changed.

import { count, percent } from "../shared/formats.js";

/** @import { Label } from "./examples.js" */

/**
 * What a teaching has changed: `Told` of hand.py.
 *
 * @typedef {object} Told
 * @property {number} drawings
 * @property {number} before how many of them were read right
 * @property {number | null} after the same, each read by a network that was taught without it; null
 *   where there are too few for that
 * @property {number} folds into which they were divided
 * @property {number | null} mnist_before the accuracy on MNIST's test images, 0..1
 * @property {number | null} mnist_after
 * @property {string} note on how it went; "" where there is nothing to say
 */

/**
 * What matters in one sentence, and in others how it was measured and what was forgotten.
 *
 * @param {Told} told
 * @returns {{ result: string, how: string }}
 */
export function wordsOf({ drawings, before, after, folds, mnist_before, mnist_after, note }) {
  const result =
    after !== null
      ? `It reads ${after} of your ${count(drawings)} drawings; before, it read ${before}.`
      : "It was taught; too few drawings to say how much better it reads you.";
  const judged =
    after !== null
      ? `Each was read by a network that was taught without it, in ${folds} folds.`
      : "";
  const mnist =
    mnist_before === null || mnist_after === null
      ? ""
      : `It reads ${percent(mnist_after, 2)} of MNIST's test images; before, ${percent(mnist_before, 2)}.`;
  return { result, how: [judged, mnist, note].filter(Boolean).join(" ") };
}

/** @param {number} many */
export const drawings = (many) => `${count(many)} ${many === 1 ? "drawing" : "drawings"}`;

/**
 * What is wrong with a reading of a drawing; "" where nothing is.
 *
 * @param {Label} label
 * @param {Label} read null where it was taken for no digit
 */
export function misreadAs(label, read) {
  if (read === label) return "";
  return read === null ? "no digit" : `read as ${read}`;
}
