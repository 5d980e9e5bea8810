// What the lens says of the pixel that a visitor points at: how its number is made.

import { make } from "../shared/dom.js";
import { decimal } from "../shared/formats.js";
import { gray, paintPixels, readableOn, twoSided } from "../shared/pixels.js";
import { convolve, normalized, pushes, sides, square } from "./layers.js";

/** @import { Colour } from "../shared/pixels.js" */
/** @import { Layers, Weights } from "./layers.js" */
/** @import { Picture } from "./sections.js" */

/**
 * What is known of the drawing that was read.
 *
 * @typedef {object} Facts
 * @property {Layers} layers
 * @property {number[]} logits
 * @property {number} digit that is read
 * @property {number} why the digit that `layers.why` is about
 * @property {Weights | null} weights null while they are on their way
 * @property {number} mean of MNIST's training pixels, 0 to 1
 * @property {number} deviation
 */

/** A square of another picture that the number is made from. @typedef {{ name: string, map: number, x: number, y: number, size: number }} Source */
/** @typedef {{ title: string, content: (Node | string)[], sources?: Source[] }} Explanation */

/**
 * Explain a pixel of a picture.
 *
 * @param {Facts} facts
 * @param {Picture} picture
 * @param {number} x
 * @param {number} y
 * @returns {Explanation}
 */
export function explain(facts, picture, x, y) {
  const { name } = picture;
  if (name === "why") return explainWhy(facts, picture, x, y);
  if (name.startsWith("conv")) return explainConvolution(facts, picture, x, y);
  if (name.startsWith("pool")) return explainPool(facts, picture, x, y);
  if (name.startsWith("fc")) return explainUnit(facts, picture, x, y);
  return explainPixel(facts, picture, x, y);
}

/** @param {string} text */
const say = (text) => make("p", {}, text);

/** @param {string} title @returns {Explanation} */
const waiting = (title) => ({ title, content: [say("Loading the weights…")] });

/** @param {number} x @param {number} y */
const place = (x, y) => `Row ${y + 1}, column ${x + 1}`;

/** @param {Facts} facts @param {Picture} picture @param {number} x @param {number} y @returns {Explanation} */
function explainPixel({ layers, mean, deviation }, { name, map = 0, label }, x, y) {
  const [value] = square(layers[name], map, x, y, 1);
  const taken = decimal((value / 255 - mean) / deviation);
  const sum = `; the network takes (${value} ÷ 255 − ${mean}) ÷ ${deviation} = ${taken}`;
  const end = name === "input" ? sum : "";
  return { title: label, content: [say(`${place(x, y)}: ${value} of 255${end}.`)] };
}

/** @param {Facts} facts @param {Picture} picture @param {number} x @param {number} y @returns {Explanation} */
function explainWhy({ layers, why, digit }, { name, map = 0 }, x, y) {
  const [value] = square(layers[name], map, x, y, 1);
  const way = value < 0 ? "against" : "for";
  return {
    title: whyTitle(why, digit),
    content: [
      say(
        `${place(x, y)}: this pixel changes the logit of ${why} by ${decimal(value)}, ${way} it.`,
      ),
      say(
        "Integrated gradients: the picture is faded in from blank paper, and each pixel gets its share of what that does to the logit, compared with the mean of all ten.",
      ),
    ],
  };
}

/** @param {number} why @param {number} digit that is read */
export const whyTitle = (why, digit) => (why === digit ? `Why ${why}?` : `Why not ${why}?`);

/** @param {Facts} facts @param {Picture} picture @param {number} x @param {number} y @returns {Explanation} */
function explainConvolution(facts, { name, map = 0, label }, x, y) {
  const { layers, weights, mean, deviation } = facts;
  if (!weights) return waiting(label);
  const kernels = weights[`${name}.weight`];
  const first = name === "conv1"; // takes the input, the other one takes pool1
  const from = first ? normalized(layers.input, mean, deviation) : layers.pool1;
  /** @param {number} value */
  const shade = (value) =>
    gray(255 * (first ? value * deviation + mean : value / layers.pool1.scale));
  /** @param {number} weight */
  const colour = (weight) => twoSided(weight / kernels.scale);

  const pairs = convolve(from, kernels, map, x, y);
  /** @param {typeof pairs[0]} pair @param {string} patchLabel @param {string} kernelLabel */
  const inNumbers = ({ patch, kernel }, patchLabel, kernelLabel) =>
    make(
      "div",
      { className: "pair" },
      grid(patch, shade, patchLabel),
      "×",
      grid(kernel, colour, kernelLabel),
    );
  /** @param {typeof pairs[0]} pair */
  const inColours = ({ source, patch, kernel, sum }) =>
    make(
      "figure",
      {},
      swatch(patch, shade),
      swatch(kernel, colour),
      make("figcaption", {}, `map ${source + 1}: ${decimal(sum)}`),
    );

  const strongest = pairs.reduce((a, b) => (Math.abs(b.sum) > Math.abs(a.sum) ? b : a));
  const sum = pairs.reduce((all, pair) => all + pair.sum, 0);
  const bias = weights[`${name}.bias`].values[map];
  const total = sum + bias;
  const kept = total > 0 ? "ReLU keeps it" : "ReLU makes it 0";
  const number = strongest.source + 1;
  return {
    title: label,
    content: [
      say(
        `${place(x, y)}: the products add up to ${decimal(sum)}; with the bias ${decimal(bias)} that is ${decimal(total)}, and ${kept}.`,
      ),
      ...(first
        ? [inNumbers(strongest, "patch of the input", "kernel")]
        : [
            make("div", { className: "pairs" }, ...pairs.map(inColours)),
            inNumbers(strongest, `pool1, map ${number}`, `kernel ${number}`),
          ]),
    ],
    sources: pairs.map(({ source }) => ({
      name: first ? "input" : "pool1",
      map: source,
      x,
      y,
      size: kernels.shape[2],
    })),
  };
}

/** @param {Facts} facts @param {Picture} picture @param {number} x @param {number} y @returns {Explanation} */
function explainPool({ layers }, { name, map = 0, label }, x, y) {
  const from = name.replace("pool", "conv");
  const source = { name: from, map, x: 2 * x, y: 2 * y, size: 2 };
  const block = square(layers[from], map, source.x, source.y, source.size);
  /** @param {number} value */
  const shade = (value) => gray((255 * value) / layers[from].scale);
  const picture = grid(block, shade, `2×2 block of ${from}, map ${map + 1}`);
  picture.classList.add("block");
  const text = `${place(x, y)}: the largest of the four, ${decimal(Math.max(...block))}.`;
  return { title: label, content: [picture, say(text)], sources: [source] };
}

/** @param {Facts} facts @param {Picture} picture @param {number} x @param {number} y @returns {Explanation} */
function explainUnit({ layers }, { name, width, label }, x, y) {
  const unit = y * width + x;
  const text = `Unit ${unit + 1}: ${decimal(layers[name].values[unit])}.`;
  return { title: label, content: [say(text)] };
}

/**
 * Explain the logit of a digit.
 *
 * @param {Facts} facts
 * @param {number} digit
 * @returns {Explanation}
 */
export function explainOutput({ layers, logits, weights }, digit) {
  if (!weights) return waiting(`Output ${digit}`);
  const { pro, contra } = sides(pushes(layers.fc2, weights["fc3.weight"], digit));
  /** @param {typeof pro} units */
  const all = (units) => decimal(units.reduce((sum, { push }) => sum + push, 0));
  /** @param {typeof pro} units */
  const strongest = (units) =>
    units
      .slice(0, 3)
      .map(({ push, unit }) => `${unit + 1} (${decimal(push)})`)
      .join(", ");
  return {
    title: `Output ${digit}: logit ${decimal(logits[digit])}`,
    content: [
      say(
        `${pro.length} of the 84 units push for ${digit}, ${all(pro)} in all; the strongest are ${strongest(pro)}.`,
      ),
      say(
        `${contra.length} push against it, ${all(contra)} in all; the strongest are ${strongest(contra)}.`,
      ),
      say(
        `The bias adds ${decimal(weights["fc3.bias"].values[digit])}. In fc2 the units that push for it are orange now, those against it blue.`,
      ),
    ],
  };
}

/** Numbers of a square as colours. @param {number[]} numbers @param {(value: number) => Colour} colour */
function swatch(numbers, colour) {
  const side = Math.sqrt(numbers.length);
  const canvas = make("canvas", { width: side, height: side });
  paintPixels(canvas, (i) => colour(numbers[i]));
  return canvas;
}

/** Numbers of a square, each on its colour. @param {number[]} numbers @param {(value: number) => Colour} colour @param {string} label */
function grid(numbers, colour, label) {
  const cells = numbers.map((value) => {
    const ground = colour(value);
    const cell = make("span", {}, decimal(value));
    cell.style.background = `rgb(${ground.join(" ")})`;
    cell.style.color = readableOn(ground);
    return cell;
  });
  return make(
    "figure",
    { className: "numbers" },
    make("div", {}, ...cells),
    make("figcaption", {}, label),
  );
}
