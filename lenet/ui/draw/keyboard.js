// Drawing with the keyboard: the arrow keys move a pen that is seen on the pad, space puts it down
// or lifts it.

import { setText } from "../shared/dom.js";
import { HEIGHT, WIDTH } from "./drawing.js";
import { ARROWS } from "./roving.js";

/** @import { Point } from "./drawing.js" */

const STEP = 40; // units of the drawing: a digit is fifteen steps high
const FINE = 10; // the same with Shift

/**
 * Where a step moves a pen, within the pad.
 *
 * @param {Point} from
 * @param {Iterable<string>} held the keys that are held: two of them move it diagonally
 * @param {number} step
 * @returns {Point}
 */
export function moved([x, y], held, step) {
  for (const key of held) {
    const [right, down] = ARROWS[key];
    x += step * right;
    y += step * down;
  }
  return [Math.min(Math.max(x, 0), WIDTH), Math.min(Math.max(y, 0), HEIGHT)];
}

/**
 * @param {HTMLCanvasElement} pad
 * @param {HTMLElement} mark shows the pen, and says whether it is down
 * @param {object} pen
 * @param {(point: Point) => boolean} pen.down returns whether a stroke has begun
 * @param {(point: Point) => void} pen.move it is down
 * @param {() => void} pen.lift
 */
export function keyboardPen(pad, mark, pen) {
  /** @type {Point} */
  let place = [WIDTH / 2, HEIGHT / 2];
  let isDown = false;
  /** @type {Set<string>} */
  const held = new Set();

  function show() {
    mark.style.left = `${(100 * place[0]) / WIDTH}%`;
    mark.style.top = `${(100 * place[1]) / HEIGHT}%`;
    mark.classList.toggle("down", isDown);
    setText(mark, isDown ? "The pen is down." : "The pen is up.");
  }

  function lift() {
    if (isDown) pen.lift();
    isDown = false;
    show();
  }

  /** The keyboard draws no longer: another pen does, or the focus is elsewhere. */
  function leave() {
    held.clear();
    lift();
    mark.hidden = true;
  }

  pad.addEventListener("focus", () => {
    // A mouse that draws gives the pad the focus too; then the arrow keys scroll the page.
    if (!pad.matches(":focus-visible")) return;
    show();
    mark.hidden = false;
  });
  pad.addEventListener("blur", leave);
  pad.addEventListener("pointerdown", leave, { capture: true });
  pad.addEventListener("keyup", ({ key }) => held.delete(key));
  pad.addEventListener("keydown", (event) => {
    const { key, shiftKey, ctrlKey, altKey, metaKey, repeat } = event;
    if (mark.hidden || ctrlKey || altKey || metaKey) return;
    if (key === " ") {
      if (isDown && !repeat) lift();
      else if (!repeat) isDown = pen.down(place);
    } else if (key in ARROWS) {
      held.add(key);
      place = moved(place, held, shiftKey ? FINE : STEP);
      if (isDown) pen.move(place);
    } else return;
    event.preventDefault();
    show();
  });

  return { lift };
}
