// What the Results tab computes and says of its figures, apart from the page.

import { count } from "../shared/formats.js";

/**
 * One network's figures: `_figures` of results/tab.py.
 *
 * @typedef {object} Network
 * @property {string} name
 * @property {number} accuracy 0 to 1
 * @property {number} right
 * @property {number} wrong
 * @property {number[]} counts how many test images each digit has
 * @property {number[]} errors how many of these were misread
 * @property {number[][]} confusion by the truth, then by the answer
 */

/** Which digits the gallery shows. @typedef {{ show: string, truth?: number, answer?: number }} Selection */

/** The digit that is the most probable. @param {number[]} probabilities */
export const bestOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/** The share of each digit's images that a network misread. @param {Network} network */
export const errorShares = ({ errors, counts }) =>
  errors.map((wrong, digit) => wrong / Math.max(1, counts[digit]));

/**
 * How strongly each cell of a confusion matrix is coloured, 0 to 1: right answers by their share of
 * the row, wrong ones beside the most frequent mistake, by the root so that rare ones are seen.
 *
 * @param {number[][]} matrix
 */
export function cellShares(matrix) {
  const wrong = matrix.flatMap((row, truth) => row.filter((_, answer) => answer !== truth));
  const highest = Math.max(1, ...wrong);
  return matrix.map((row, truth) => {
    const total = row.reduce((sum, number) => sum + number, 0);
    return row.map((number, answer) =>
      truth === answer ? number / Math.max(1, total) : Math.sqrt(number / highest),
    );
  });
}

/**
 * What the gallery shows, as a heading, and which digits come first, as the start of a sentence.
 *
 * @param {Selection} selection
 * @param {number} total how many digits there are
 * @param {boolean} comparing two networks
 * @returns {[heading: string, order: string]}
 */
export function describe({ show, truth, answer }, total, comparing) {
  const whose = comparing ? " of the first network" : "";
  const images = `${count(total)} test image${total === 1 ? "" : "s"}`;
  const mistakes = `${count(total)} mistake${total === 1 ? "" : "s"}${whose}`;
  const surest = "The surest mistakes come";
  const doubtful = "The least sure come";
  if (show === "mistakes") return [mistakes, surest];
  if (show === "digit") return [`${mistakes} with the truth ${truth}`, surest];
  if (show === "both") return [`${images} that both read`, doubtful];
  if (show === "neither") return [`${images} that neither reads`, surest];
  if (show !== "cell") return [`${images} that only the ${show} reads`, surest];
  const order = truth === answer ? doubtful : surest;
  return [`${images} with the truth ${truth} and the answer ${answer}${whose}`, order];
}

/**
 * How many drawings that are no digit each network takes for one.
 *
 * @param {number} total
 * @param {number[]} taken by each network
 */
export function describeOthers(total, [first, second]) {
  const what = `${count(total)} letters, signs, scribbles and other drawings that are no digit`;
  const who =
    second === undefined
      ? `it takes ${count(first)} for digits`
      : `the first network takes ${count(first)} for digits, the second ${count(second)}`;
  return `Of ${what}, ${who}. The closest to a digit:`;
}
