// A box around each digit of a number on the pad: it shows what is read there, and can be pressed.

import { make, makeButton, setText } from "../shared/dom.js";
import { HEIGHT, WIDTH } from "./drawing.js";

/** @import { Box, BoxedReading, Reading } from "../shared/events.js" */

const MARGIN = 36; // units of the drawing from the middle of a line to a box: the pen and some air
const LABEL = 80; // units: the room that a figure needs above or below

/**
 * Where a box lies on the pad, in shares of the pad, and on which side of the box its figure has room.
 *
 * @param {Box} box
 */
export function place([x0, y0, x1, y1]) {
  const left = Math.max(x0 - MARGIN, 0);
  const top = Math.max(y0 - MARGIN, 0);
  const right = Math.min(x1 + MARGIN, WIDTH);
  const bottom = Math.min(y1 + MARGIN, HEIGHT);
  const side = top >= LABEL ? "above" : bottom <= HEIGHT - LABEL ? "below" : "within";
  return {
    left: left / WIDTH,
    top: top / HEIGHT,
    width: (right - left) / WIDTH,
    height: (bottom - top) / HEIGHT,
    side,
  };
}

/**
 * What a screen reader says of a box.
 *
 * @param {BoxedReading} reading
 * @param {number} i its place
 * @param {number} count
 */
export function boxLabel({ digit, is_digit }, i, count) {
  return `${i + 1} of ${count}: ${is_digit ? digit : "no digit"}`;
}

/**
 * Return what shows the boxes of a reading; there are none around a single digit.
 *
 * The boxes of one answer become those of the next: a finger may be on one.
 *
 * @param {HTMLElement} holder lies over the pad
 * @param {(i: number) => void} press
 * @returns {(reading: Reading) => void}
 */
export function boxes(holder, press) {
  /** @type {{ button: HTMLButtonElement, figure: HTMLElement }[]} */
  const all = [];

  function add() {
    const i = all.length;
    const figure = make("b");
    const button = makeButton(figure, () => press(i), { hidden: true });
    all.push({ button, figure });
    holder.append(button);
  }

  return ({ digits = [], selected }) => {
    while (all.length < digits.length) add();
    for (const [i, { button, figure }] of all.entries()) {
      button.hidden = i >= digits.length;
      if (button.hidden) continue;
      const { side, ...rectangle } = place(digits[i].box);
      for (const [name, share] of Object.entries(rectangle))
        button.style.setProperty(name, `${100 * share}%`);
      button.dataset.side = side;
      button.ariaPressed = String(i === selected);
      button.ariaLabel = boxLabel(digits[i], i, digits.length);
      setText(figure, digits[i].is_digit ? `${digits[i].digit}` : "?");
    }
  };
}
