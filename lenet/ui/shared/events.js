// What the views tell each other. No view knows another one: each tells here what others may need,
// and listens to what it needs itself.

/** @import { Packed } from "./tensors.js" */

/** Strokes of [x, y], x to the right, y downwards. @typedef {[number, number][][]} Strokes */

/**
 * What the network reads as one digit: `DigitReading` of draw/tab.py.
 *
 * @typedef {object} DigitReading
 * @property {number | null} digit the nearest one where it is none, null where nothing is drawn
 * @property {boolean} is_digit whether the drawing looks like one
 * @property {number[]} probabilities of the ten digits
 * @property {boolean} sure
 * @property {string} pixels the 32×32 bytes that the network saw, in base64
 */

/** x0, y0, x1, y1 in the drawing's units. @typedef {[number, number, number, number]} Box */

/** A digit of a number: `BoxedReading` of draw/tab.py. @typedef {DigitReading & { box: Box }} BoxedReading */

/**
 * What the network reads on the pad, as a number and as the digit of it that is looked at:
 * `Reading` of draw/tab.py.
 *
 * @typedef {object} NumberReading
 * @property {string} number "" where nothing is drawn or nothing is a digit
 * @property {BoxedReading[]} [digits] where there are several
 * @property {number} [selected] the place of the one that is looked at
 * @property {Strokes} [strokes] its own
 * @property {Inside} [inside] where it was asked for
 * @property {number} [took] milliseconds at the server
 */

/** @typedef {DigitReading & NumberReading} Reading */

/**
 * What happens inside the network: `Inside` of draw/inside.py.
 *
 * @typedef {object} Inside
 * @property {Packed[]} layers
 * @property {number[]} logits of the ten digits
 * @property {number} why the digit that `layers.why` is about
 * @property {number} network changes with the weights
 * @property {Considered[][]} [lattice] of each line, where the digit is one of a number
 */

/** A group of strokes that may be a digit of a number. @typedef {Pick<BoxedReading, "box" | "digit" | "is_digit"> & { score: number, chosen: boolean }} Considered */

/**
 * A channel: what one view tells on it reaches all that listen.
 *
 * @template News
 * @param {string} name
 * @returns {{ tell: (news: News) => void, listen: (listener: (news: News) => void) => void }}
 */
function channel(name) {
  return {
    tell: (detail) => document.dispatchEvent(new CustomEvent(name, { detail })),
    listen: (listener) =>
      document.addEventListener(name, (event) =>
        listener(/** @type {CustomEvent<News>} */ (event).detail),
      ),
  };
}

/** @type {ReturnType<typeof channel<Reading & { checkpoint?: string }>>} */
const answers = channel("lenet:answer");
/** @type {ReturnType<typeof channel<{ why: number | null, silenced?: [string, number][] } | null>>} */
const questions = channel("lenet:ask");
/** @type {ReturnType<typeof channel<string>>} */
const frames = channel("lenet:open");
/** @type {ReturnType<typeof channel<string>>} */
const networks = channel("lenet:network");
/** @type {ReturnType<typeof channel<void>>} */
const rounds = channel("lenet:round");
/** @type {ReturnType<typeof channel<void>>} */
const hands = channel("lenet:hand");
/** @type {ReturnType<typeof channel<void>>} */
const follows = channel("lenet:follow");
/** @type {ReturnType<typeof channel<void>>} */
const lessons = channel("lenet:lesson");
/** @type {ReturnType<typeof channel<Compared>>} */
const comparisons = channel("lenet:compare");

/** The pad: what a network, by the name of its checkpoint, reads on it now. */
export const { tell: tellAnswer, listen: onAnswer } = answers;

/** The inside view: what it wants to know besides, or null while it is closed. */
export const { tell: askInside, listen: onAskInside } = questions;

/** A tab that shows digits: put a frame, 28×28 bytes in base64, on the pad and look inside. */
export const { tell: openFrame, listen: onOpenFrame } = frames;

/** The pad: another network reads now, by the name of its checkpoint. */
export const { tell: tellNetwork, listen: onNetwork } = networks;

/** A view: ask on the pad for one digit after the other. */
export const { tell: startRound, listen: onStartRound } = rounds;

/** The pad: show what is kept of the visitor's hand. */
export const { tell: openHand, listen: onOpenHand } = hands;

/** The lesson: a step was opened. */
export const { tell: tellLesson, listen: onLesson } = lessons;

let followed = false;

/** The lesson: follow a drawing through the network, the visitor's where something is drawn. */
export const followDrawing = () => {
  followed = true;
  follows.tell();
};

/** A view that is mounted later hears of it too. @param {() => void} listener */
export const onFollowDrawing = (listener) => {
  follows.listen(listener);
  if (followed) listener();
};

/**
 * Runs whose curves lie over each other.
 *
 * @typedef {object} Compared
 * @property {boolean} bySeconds whether the horizontal axis is the seconds of training
 * @property {{ slot: number, title: string, names: string[], curves: string[] }[]} runs each with
 *   the number of its colour; one that stands for several has several names, and as many addresses
 *   of curves
 */

/** The table of runs: show these with the latest one. */
export const { tell: tellCompare, listen: onCompare } = comparisons;

/** @typedef {{ strokes: Strokes, digit: number }} ReadDrawing */

/** @type {ReadDrawing | null} */
let drawing = null;

/** The pad: a drawing was read. @param {ReadDrawing} read */
export const tellDrawing = (read) => {
  drawing = read;
};

/** The drawing that was read last on this page, for views that are opened later. */
export const lastDrawing = () => drawing;
