// Pixels and their colours. Pixels come from the server as base64 of a byte each, row by row.

import { contextOf } from "./dom.js";

/** Red, green and blue, 0 to 255. @typedef {readonly [number, number, number]} Colour */

// Of Okabe and Ito's palette, which colour-blind people tell apart.
export const ORANGE = /** @type {const} */ ([213, 94, 0]);
export const BLUE = /** @type {const} */ ([0, 114, 178]);

/** The bytes that a text in base64 stands for. @param {string} encoded */
export const decode = (encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));

/** @param {number} value 0 to 255 @returns {Colour} */
export const gray = (value) => [value, value, value];

/** White at 0, orange at 1, blue at −1. @param {number} share @returns {Colour} */
export function twoSided(share) {
  const [red, green, blue] = share < 0 ? BLUE : ORANGE;
  const part = Math.min(Math.abs(share), 1);
  /** @param {number} channel */
  const mixed = (channel) => 255 + (channel - 255) * part;
  return [mixed(red), mixed(green), mixed(blue)];
}

/**
 * The colour of text on a ground, with a contrast of at least 4.58 to 1.
 *
 * The bound is the luminance on which black and white have the same contrast ("relative luminance"
 * and "contrast ratio" of the Web Content Accessibility Guidelines 2.2).
 *
 * @param {Colour} ground
 */
export function readableOn(ground) {
  const [red, green, blue] = ground.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.179 ? "black" : "white";
}

/**
 * Give each pixel of a canvas its colour, by its number.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {(pixel: number) => Colour} colour
 */
export function paintPixels(canvas, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) image.data.set([...colour(i), 255], 4 * i);
  contextOf(canvas).putImageData(image, 0, 0);
}
