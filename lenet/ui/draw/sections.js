// What the inside view shows from the top down: a text for each layer, and its pictures.

/**
 * @typedef {object} Picture
 * @property {string} name of the layer
 * @property {number} [map] of a layer that has several, counted from 0
 * @property {number} width in pixels
 * @property {number} height
 * @property {string} label
 * @property {boolean} [captioned] with its label
 */

/** @typedef {{ title: string, text: string, pictures: Picture[] }} Section */

/** @type {Section[]} */
export const SECTIONS = [
  {
    title: "Input",
    text: "Your drawing is framed as MNIST frames its digits, 28×28 pixels, and scaled to 32×32: this is all that the network gets.",
    pictures: [
      { name: "frame", width: 28, height: 28, label: "28×28 frame", captioned: true },
      { name: "input", width: 32, height: 32, label: "32×32 input", captioned: true },
      { name: "why", width: 32, height: 32, label: "Why", captioned: true },
    ],
  },
  {
    title: "conv1",
    text: "Six kernels of 5×5 weights slide over the input; each makes a 28×28 map that is bright where its pattern lies (32 − 5 + 1 = 28), and ReLU sets what is negative to 0.",
    pictures: maps("conv1", 6, 28),
  },
  {
    title: "pool1",
    text: "Of every 2×2 block only the brightest pixel stays: 28 ÷ 2 = 14, and it matters less whether a digit lies a pixel off.",
    pictures: maps("pool1", 6, 14),
  },
  {
    title: "conv2",
    text: "Sixteen maps of 10×10, each from all six maps above with six kernels of its own: bends and ends of strokes.",
    pictures: maps("conv2", 16, 10),
  },
  {
    title: "pool2",
    text: "Halved again: 16 maps of 5×5 are 400 numbers.",
    pictures: maps("pool2", 16, 5),
  },
  {
    title: "fc1",
    text: "120 units, each a weighted sum of all 400 numbers, 0 where it is negative.",
    pictures: [{ name: "fc1", width: 20, height: 6, label: "fc1, 120 units" }],
  },
  {
    title: "fc2",
    text: "84 units, each a weighted sum of the 120.",
    pictures: [{ name: "fc2", width: 14, height: 6, label: "fc2, 84 units" }],
  },
];

export const OUTPUT =
  "Ten weighted sums of the 84, the logits: the highest wins, and softmax turns them into the probabilities. Press a digit to see which ink speaks for it (orange) and which against it (blue).";

/** @param {string} name @param {number} count @param {number} side @returns {Picture[]} */
function maps(name, count, side) {
  return Array.from({ length: count }, (_, map) => ({
    name,
    map,
    width: side,
    height: side,
    label: `${name}, map ${map + 1} of ${count}`,
  }));
}
