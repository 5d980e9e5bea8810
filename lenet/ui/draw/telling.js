// Telling the network what was drawn: a pressed bar, or a key, keeps the drawing as an example.

import { hand } from "../hand/store.js";
import { setText } from "../shared/dom.js";
import { an } from "../shared/formats.js";

/** @import { Label } from "../hand/examples.js" */
/** @import { Kept } from "../hand/store.js" */
/** @import { finder } from "../shared/dom.js" */
/** @import { Reading, Strokes } from "../shared/events.js" */

/**
 * What the pad offers for it.
 *
 * @typedef {object} Pad
 * @property {(all: boolean) => Strokes | null} own the strokes that can be told of: of the digit that
 *   is looked at, or all
 * @property {(kept: Kept) => void} next what was told is kept: make room for the next drawing
 * @property {() => void} undo
 * @property {() => void} takeAsOne read all strokes as one digit
 */

/** @param {ReturnType<typeof finder>} find @param {Pad} pad */
export function telling(find, pad) {
  const bars = find("#probabilities").querySelectorAll("button");
  const hint = find("#telling-hint");
  let told = ""; // what was just told, until the pad changes
  let warned = false; // that the browser forgets it

  /**
   * Keep what is drawn as an example.
   *
   * @param {Label} label
   * @param {boolean} [all] of the strokes, not those of one digit of a number
   */
  function tell(label, all = false) {
    const strokes = pad.own(all);
    if (!strokes) return;
    const { failure, ...kept } = hand.keep(label, strokes);
    const as = label === null ? "no digit" : `${an(label)} ${label}`;
    handOver(() => {
      pad.next(kept);
      say(
        hand.lasts || warned ? `Kept as ${as}.` : `Kept as ${as}, until you leave this page.`,
        true,
      );
    });
    warned ||= !hand.lasts;
    const mine = told;
    failure.then((sentence) => {
      if (!sentence) return;
      if (told === mine) pad.undo(); // nothing was drawn since
      say(sentence);
    });
  }

  /** @param {string} sentence @param {boolean} [undoable] */
  function say(sentence, undoable = false) {
    told = sentence;
    setText(find("#telling > p[role=status]"), sentence);
    find("#tell-undo").hidden = !undoable;
    hint.classList.toggle("away", Boolean(sentence));
  }

  /** Do what may take away the button that was pressed: then the pad gets the focus. @param {() => void} step */
  function handOver(step) {
    const pressed = document.activeElement;
    step();
    if (!(pressed instanceof HTMLButtonElement)) return;
    if (pressed.disabled || pressed.offsetParent === null)
      find("#pad").focus({ preventScroll: true });
  }

  for (const [digit, bar] of bars.entries()) bar.addEventListener("click", () => tell(digit));
  find("#tell-none").addEventListener("click", () => tell(null));
  find("#tell-one").addEventListener("click", pad.takeAsOne);
  find("#tell-undo").addEventListener("click", () => handOver(pad.undo));

  return {
    tell,
    /** The pad has changed: the last sentence no longer holds. */
    forget: () => say(""),
    /** @param {Reading} reading @param {boolean} tellable whether strokes were read, not a picture */
    show({ digit, digits }, tellable) {
      const isRead = digit !== null && tellable;
      for (const bar of bars) bar.disabled = !isRead;
      hint.hidden = !isRead;
      const text = digits
        ? "Wrong? Press a box, then its digit, or"
        : "Wrong? Press the right digit, or";
      setText(find("#telling-hint span"), text);
      find("span:has(> #tell-one)").hidden = !digits;
    },
  };
}
