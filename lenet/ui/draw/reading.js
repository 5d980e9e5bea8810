// What the network reads on the pad: the number, and of the digit that is looked at all ten
// probabilities and the pixels that the network saw.

import { make, setText } from "../shared/dom.js";
import { an, percent } from "../shared/formats.js";
import { decode, gray, paintPixels } from "../shared/pixels.js";

/** @import { finder } from "../shared/dom.js" */
/** @import { DigitReading, Reading } from "../shared/events.js" */

/** Where nothing is drawn. @type {Reading} */
export const NOTHING = {
  digit: null,
  is_digit: false,
  probabilities: Array(10).fill(0),
  sure: false,
  pixels: "",
  number: "",
};

/**
 * Build the bars, each a button that says what digit it is, and return what shows a reading;
 * `penDown` while more of it may come.
 *
 * @param {ReturnType<typeof finder>} find
 * @returns {(reading: Reading, penDown: boolean) => void}
 */
export function readings(find) {
  const bars = NOTHING.probabilities.map((_, digit) => {
    const filled = make("span");
    const share = make("span", { className: "share" });
    const track = make("span", { className: "track" }, filled);
    const words = make("span", { className: "unseen" }, `It is ${an(digit)} `);
    const properties = { type: /** @type {const} */ ("button"), disabled: true };
    const button = make("button", properties, words, make("b", {}, `${digit}`), track, share);
    return { filled, share, row: make("li", {}, button) };
  });
  find("#probabilities").append(...bars.map(({ row }) => row));

  return (reading, penDown) => {
    const { digit, is_digit, probabilities, pixels, number, digits = [reading] } = reading;
    const answer = find("#answer");
    setText(answer, number);
    answer.style.setProperty("--length", `${number.length}`);
    answer.classList.toggle("unsure", !digits.every(({ sure }) => sure));
    answer.classList.toggle("number", number.length > 1);
    setText(find("#doubt"), doubt(reading, penDown, number.length > 1));
    for (const [d, { row, filled, share }] of bars.entries()) {
      const text = percent(probabilities[d]);
      row.classList.toggle("best", is_digit && d === digit);
      filled.style.width = text;
      setText(share, digit === null ? "" : text);
    }
    const bytes = decode(pixels);
    paintPixels(find("#seen", HTMLCanvasElement), (i) => gray(bytes[i] ?? 0));
  };
}

/**
 * Why a reading is doubtful: the drawing is no digit, or one of two. Most digits look like none while
 * they are drawn, so that is said only when the pen is lifted.
 *
 * @param {Omit<DigitReading, "pixels">} reading
 * @param {boolean} penDown
 * @param {boolean} [brief] beside a number, which shows which of its parts is meant
 */
export function doubt({ digit, is_digit, sure, probabilities }, penDown, brief = false) {
  if (digit === null || sure) return "";
  if (!is_digit) {
    if (penDown) return "";
    return brief
      ? `no digit; nearest: ${digit}`
      : `This does not look like a digit; nearest: ${digit}`;
  }
  const [best, second] = [...probabilities.keys()].sort(
    (a, b) => probabilities[b] - probabilities[a],
  );
  return `not sure: ${best} or ${second}`;
}
