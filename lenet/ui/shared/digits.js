// Digits of a data set on a page: as pictures, as buttons, and one of them large.
//
// Whatever comes from the server reaches the page as text or as pixels, never as HTML.

import { make, makeButton } from "./dom.js";
import { openFrame } from "./events.js";
import { decode, gray, paintPixels } from "./pixels.js";

export const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * White ink on black paper, as the network gets it.
 *
 * @param {string} frame a byte a pixel of a square, in base64
 * @param {string} label
 */
export function picture(frame, label) {
  const bytes = decode(frame);
  const side = Math.sqrt(bytes.length);
  const canvas = make("canvas", { width: side, height: side, role: "img", ariaLabel: label });
  paintPixels(canvas, (i) => gray(bytes[i]));
  return canvas;
}

/**
 * A frame as a button, with lines of text below it.
 *
 * @param {string} frame
 * @param {string} label
 * @param {(Node | string)[]} lines
 * @param {() => void} press
 */
export function figure(frame, label, lines, press) {
  const content = picture(frame, "");
  content.ariaHidden = "true";
  const properties = { className: "digit", title: label, ariaLabel: label };
  const button = makeButton(content, press, properties);
  const texts = lines.map((line) => make("span", {}, line));
  return make("figure", {}, button, make("figcaption", {}, ...texts));
}

/** The dialog that shows one digit large, and what puts a digit on the pad. */
export class LargeDigit {
  #dialog = make("dialog", { className: "large-digit" });
  #draw;

  /**
   * @param {Element} element holds the view
   * @param {() => void} draw opens the Draw tab
   */
  constructor(element, draw) {
    this.#draw = draw;
    element.append(this.#dialog);
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  /**
   * @param {string} title
   * @param {string} frame
   * @param {Node[]} content besides the picture
   */
  open(title, frame, ...content) {
    const close = makeButton("Close", () => this.#dialog.close());
    this.#dialog.ariaLabel = title;
    this.#dialog.replaceChildren(
      make("h3", {}, title),
      make("div", { className: "content" }, picture(frame, title), ...content),
      make("div", { className: "buttons" }, this.insideButton(frame, "look-inside"), close),
    );
    this.#dialog.showModal();
  }

  /**
   * A button that puts a frame on the pad, with the inside view open.
   *
   * @param {string} frame
   * @param {string} className
   */
  insideButton(frame, className) {
    const title = "Put it on the pad and see what each layer makes of it";
    return makeButton("Look inside", () => this.lookInside(frame), { className, title });
  }

  /** Put a frame on the pad, with the inside view open. @param {string} frame */
  lookInside(frame) {
    this.#dialog.close();
    openFrame(frame);
    this.#draw();
  }
}

/**
 * Fill a place with buttons of which one is pressed, at first the first one.
 *
 * @template Value
 * @param {Element} place
 * @param {{ value: Value, text: string, label?: string }[]} options
 * @param {(value: Value) => void} choose hears what a visitor presses
 */
export function choice(place, options, choose) {
  const buttons = options.map(({ value, text, label }) => {
    const pressed = () => {
      press(button);
      choose(value);
    };
    const button = makeButton(text, pressed, { ariaLabel: label ?? text });
    return button;
  });
  /** @param {Element} pressed */
  function press(pressed) {
    for (const button of buttons) button.ariaPressed = String(button === pressed);
  }
  place.replaceChildren(...buttons);
  press(buttons[0]);
}
