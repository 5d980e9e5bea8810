// The layers of the network as the inside view knows them, and the sums that connect them.

import { decode } from "../shared/pixels.js";
import { largest, maxPool, unpack, unpackFloats } from "../shared/tensors.js";

/** @import { Inside } from "../shared/events.js" */
/** @import { PackedFloats, Tensor } from "../shared/tensors.js" */

/** By name: frame, input, conv1, pool1, conv2, pool2, fc1, fc2 and why. @typedef {Record<string, Tensor>} Layers */
/** By name, as in conv1.weight. @typedef {Record<string, Tensor>} Weights */

/**
 * Every layer of one answer.
 *
 * @param {string} pixels the 32×32 bytes of the input, in base64
 * @param {Pick<Inside, "layers">} inside
 * @returns {Layers}
 */
export function layersOf(pixels, inside) {
  /** @type {Layers} */
  const layers = Object.fromEntries(inside.layers.map((each) => [each.name, unpack(each)]));
  layers.input = { shape: [1, 32, 32], scale: 255, values: Float32Array.from(decode(pixels)) };
  layers.pool1 = maxPool(layers.conv1);
  layers.pool2 = maxPool(layers.conv2);
  return layers;
}

/** @param {PackedFloats[]} packed @returns {Weights} */
export const weightsOf = (packed) =>
  Object.fromEntries(packed.map((each) => [each.name, unpackFloats(each)]));

/**
 * What a network takes for pixels: they are normalised.
 *
 * @param {Tensor} pixels 0 to 255
 * @param {number} mean of MNIST's training pixels, 0 to 1
 * @param {number} deviation
 * @returns {Tensor}
 */
export function normalized({ shape, values }, mean, deviation) {
  const taken = values.map((value) => (value / 255 - mean) / deviation);
  return { shape, scale: largest(taken), values: taken };
}

/**
 * A square of a map, row by row.
 *
 * @param {Tensor} from maps×height×width
 * @param {number} map
 * @param {number} x
 * @param {number} y
 * @param {number} side
 */
export function square({ shape: [, height, width], values }, map, x, y, side) {
  return Array.from({ length: side * side }, (_, i) => {
    const row = map * height + y + Math.floor(i / side);
    return values[row * width + x + (i % side)];
  });
}

/**
 * How one number of a convolution is made: for each map that it takes, the patch under the kernel,
 * the kernel, and the sum of their products.
 *
 * @param {Tensor} from maps×height×width
 * @param {Tensor} kernels to×from×side×side
 * @param {number} map
 * @param {number} x
 * @param {number} y
 */
export function convolve(from, { shape: [, count, side], values }, map, x, y) {
  const size = side * side;
  return Array.from({ length: count }, (_, source) => {
    const start = (map * count + source) * size;
    const kernel = [...values.subarray(start, start + size)];
    const patch = square(from, source, x, y, side);
    const sum = patch.reduce((all, value, i) => all + value * kernel[i], 0);
    return { source, patch, kernel, sum };
  });
}

/**
 * What each unit adds to one output.
 *
 * @param {Tensor} units
 * @param {Tensor} weights outputs×units
 * @param {number} output
 */
export function pushes({ values }, { values: weights }, output) {
  const start = output * values.length;
  return Array.from(values, (value, i) => value * weights[start + i]);
}

/** The units that push for an output and those that push against it, the strongest ones first. @param {number[]} pushes */
export function sides(pushes) {
  const units = pushes.map((push, unit) => ({ push, unit })).sort((a, b) => b.push - a.push);
  return {
    pro: units.filter(({ push }) => push > 0),
    contra: units.filter(({ push }) => push < 0).reverse(),
  };
}
