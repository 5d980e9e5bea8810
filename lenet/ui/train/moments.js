// What the film of a run computes and says of its moments, apart from the page.

import { count } from "../shared/formats.js";
import { largest } from "../shared/tensors.js";

/**
 * The network at one moment of its run: what `_moment` of train/film_view.py makes.
 *
 * @typedef {object} Moment
 * @property {number} batches that it has learnt from
 * @property {number} digit that it reads
 * @property {number[]} probabilities of the ten digits
 * @property {number[][]} kernels six of 25 weights, row by row
 */

/** @param {Moment} moment */
export const when = ({ batches }) =>
  batches === 0 ? "before training" : `after ${count(batches)} batches`;

/** @param {string} name of the drawing @param {Moment} moment */
export function sentence(name, moment) {
  const percent = Math.round(100 * moment.probabilities[moment.digit]);
  return `${name} ${when(moment)}: ${moment.digit} (${percent} %)`;
}

/** What a drawing was read as, and from when on. @param {string} name @param {Moment[]} moments */
export function history(name, moments) {
  const changes = moments.filter(({ digit }, i) => digit !== moments[i - 1]?.digit);
  return `${name} was read as ${changes.map((m) => `${m.digit} ${when(m)}`).join(", ")}`;
}

/** The strongest weight of all moments: the colours of one can be compared with another's. @param {Moment[]} moments */
export const strongest = (moments) => largest(moments.flatMap(({ kernels }) => kernels.flat()));

/** @param {number} number of a kernel @param {number[]} weights */
export function kernelLabel(number, weights) {
  const [low, high] = [Math.min(...weights), Math.max(...weights)].map((w) => w.toFixed(2));
  return `kernel ${number}: weights from ${low} to ${high}`;
}

/**
 * The moments that are known after an answer: some still stand, others are new.
 *
 * @param {Moment[]} known
 * @param {{ kept: number, moments: Moment[] }} answer
 */
export const joined = (known, { kept, moments }) => [...known.slice(0, kept), ...moments];
