// Tensors as the server sends them: each travels with its name and its shape.

import { decode } from "./pixels.js";

/**
 * A tensor with a byte a number: each stands for (byte − zero) ÷ (255 − zero) × scale.
 *
 * @typedef {object} Packed
 * @property {string} name
 * @property {number[]} shape
 * @property {number} scale the largest number that there may be
 * @property {number} zero the byte that stands for 0
 * @property {string} bytes in base64
 */

/** Float32 in base64. @typedef {{ name: string, shape: number[], floats: string }} PackedFloats */

/** @typedef {{ shape: number[], scale: number, values: Float32Array }} Tensor */

/** @param {Packed} packed @returns {Tensor} */
export function unpack({ name, shape, scale, zero, bytes }) {
  const step = scale / (255 - zero);
  const values = Float32Array.from(decode(bytes), (byte) => (byte - zero) * step);
  return { shape, scale, values: checked(name, shape, values) };
}

/** @param {PackedFloats} packed @returns {Tensor} */
export function unpackFloats({ name, shape, floats }) {
  const values = checked(name, shape, new Float32Array(decode(floats).buffer));
  return { shape, scale: largest(values), values };
}

/** @param {string} name @param {number[]} shape @param {Float32Array} values */
function checked(name, shape, values) {
  const size = shape.reduce((product, length) => product * length, 1);
  if (values.length === size) return values;
  throw new Error(
    `${name} has ${values.length} numbers; its shape ${shape.join("×")} needs ${size}.`,
  );
}

/** The largest absolute value. @param {Iterable<number>} values */
export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/**
 * The largest of every 2×2 block of each map.
 *
 * @param {Tensor} from maps×height×width
 * @returns {Tensor}
 */
export function maxPool({ shape: [maps, height, width], scale, values }) {
  const shape = [maps, height / 2, width / 2];
  const pooled = new Float32Array(values.length / 4);
  let i = 0;
  for (let row = 0; row < maps * height; row += 2)
    for (let at = row * width; at < (row + 1) * width; at += 2)
      pooled[i++] = Math.max(
        values[at],
        values[at + 1],
        values[at + width],
        values[at + width + 1],
      );
  return { shape, scale, values: pooled };
}
