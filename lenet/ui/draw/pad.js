// The drawing pad: the pen, the examples and the keys, and the reading of what is drawn.

import { finder, make, setText, wantsStillness } from "../shared/dom.js";
import { onAskInside, onOpenFrame, tellAnswer, tellDrawing } from "../shared/events.js";
import { Asking } from "./asking.js";
import { Drawing, enlarge, firstPoints, SIDE, toPoint } from "./drawing.js";
import { Paper } from "./paper.js";
import { NOTHING, readings } from "./reading.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Reading, Strokes } from "../shared/events.js" */

/**
 * @typedef {object} Props
 * @property {string} value the checkpoint that the pad reads with
 * @property {string} refusal why another checkpoint was not taken
 * @property {number} max_strokes
 * @property {number} max_points
 * @property {Strokes[]} examples one of each digit, in a square of 1
 */

/**
 * @typedef {object} Question
 * @property {string} checkpoint
 * @property {{ why: number | null } | null} inside what the inside view asks for
 * @property {Strokes} [strokes]
 * @property {string} [frame] in the place of strokes
 */

const WOBBLE = 2; // CSS pixels: a point that lies closer to the last one is not added
const EXAMPLE_TIME = 250; // milliseconds in which an example is drawn
const NO_ANSWER = "The server does not answer; your drawing is kept and read when it does.";
const FULL = "The pad is full: undo a stroke, or clear it.";
const FIELDS = "input, textarea, select, [contenteditable]";

/** @param {View<Props, { read_drawing: Call<Question, Reading> }>} view */
export function mount({ element, props, server, watch }) {
  const find = finder(element);
  const pad = find("#pad", HTMLCanvasElement);
  const sheet = find(".sheet");
  const drawing = new Drawing(props);
  const paper = new Paper(pad, drawing);
  const showReading = readings(find);

  /** The id of the pointer that draws. @type {number | null} */
  let pointer = null;
  /** What the inside view asks for. @type {Question["inside"]} */
  let inside = null;

  // ---------------------------------------------------------------- the reading

  const asking = new Asking({
    isEmpty: () => drawing.isEmpty,
    ask: async () => {
      const { strokes, picture } = drawing;
      /** @type {Question} */
      const question = { checkpoint: props.value, inside };
      if (picture) question.frame = picture;
      else question.strokes = strokes;
      const answer = await server.read_drawing(question);
      return answer && { question, answer };
    },
    take: ({ question: { checkpoint, strokes }, answer }) => {
      forget();
      if ("error" in answer) {
        show(NOTHING);
        say(answer.error);
        return;
      }
      show({ ...answer, checkpoint });
      say("");
      const own = answer.strokes ?? strokes;
      if (own && answer.digit !== null) tellDrawing({ strokes: own, digit: answer.digit });
    },
    complain: () => {
      if (drawing.isEmpty) return;
      show(NOTHING);
      say(NO_ANSWER);
      // Gradio may reload the page when the server is back.
      history.replaceState({ strokes: drawing.strokes }, "");
    },
  });

  /** @param {Reading & { checkpoint?: string }} reading */
  function show(reading) {
    showReading(reading);
    tellAnswer(reading);
  }

  /** @param {string} sentence */
  function say(sentence) {
    setText(find("#pad-message"), sentence || (isFull() ? FULL : ""));
  }

  const isFull = () => (pointer === null ? drawing.isFull : drawing.room <= 0);

  /** The drawing has changed; `anew` where nothing of it is left. */
  function changed(anew = drawing.isEmpty) {
    sheet.classList.toggle("empty", drawing.isEmpty);
    if (anew) {
      forget();
      show(NOTHING);
      say("");
    }
    asking.changed(anew);
  }

  function forget() {
    if (history.state) history.replaceState(null, "");
  }

  watch("value", () => changed());
  watch("refusal", () => props.refusal && say(props.refusal));
  onAskInside((question) => {
    inside = question;
    changed();
  });

  // ---------------------------------------------------------------- the pen

  pad.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    if (drawing.isFull) return say(FULL);
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    const overPicture = drawing.picture !== null;
    const point = toPoint(event, pad.getBoundingClientRect());
    drawing.begin(point);
    if (overPicture) paper.repaint();
    else paper.paint([point]);
    changed(overPicture);
  });

  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const box = pad.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((each) => toPoint(each, box));
    const added = drawing.extend(points, (WOBBLE * SIDE) / box.width);
    if (added.length === 0) return;
    paper.paint(added);
    changed();
  });

  /** @param {PointerEvent} event */
  function liftPen(event) {
    if (event.pointerId === pointer) pointer = null;
  }

  pad.addEventListener("pointerup", liftPen);
  pad.addEventListener("pointercancel", liftPen);
  pad.addEventListener("lostpointercapture", liftPen);

  // A long press of a finger or a pen is a dot and no menu, and iPadOS's handwriting input does not
  // swallow quick strokes (https://mikepk.com/2020/10/iOS-safari-scribble-bug/).
  pad.addEventListener("contextmenu", (event) => event.preventDefault());
  pad.addEventListener("touchmove", (event) => event.preventDefault());

  // ---------------------------------------------------------------- undo, clear, examples

  /** Do what changes the drawing as a whole. @param {() => void} step @param {boolean} [anew] */
  function change(step, anew) {
    pointer = null;
    step();
    paper.repaint();
    changed(anew);
  }

  const undo = () => change(() => drawing.undo());
  const clear = () => change(() => drawing.clear());

  /** @param {Strokes} example */
  function drawExample(example) {
    const strokes = enlarge(example);
    const total = strokes.flat().length;
    const still = wantsStillness();
    const start = performance.now();
    change(() => drawing.replace(firstPoints(strokes, 1)), true);
    let mine = asking.version;
    const step = () => {
      if (asking.version !== mine) return; // the visitor went on
      const share = still ? 1 : Math.min((performance.now() - start) / EXAMPLE_TIME, 1);
      drawing.strokes = firstPoints(strokes, Math.max(Math.round(share * total), 1));
      paper.repaint();
      changed();
      mine = asking.version;
      if (share < 1) requestAnimationFrame(step);
    };
    step();
  }

  /** @param {Strokes} example @param {number} digit */
  function exampleButton(example, digit) {
    const title = `Draw an example ${digit}`;
    const button = make("button", { type: "button", title, ariaLabel: title });
    const lines = example.map((stroke) => `<polyline points="${stroke.join(" ")}" />`);
    button.innerHTML = `<svg viewBox="-0.1 -0.1 1.2 1.2" aria-hidden="true">${lines.join("")}</svg>`;
    button.addEventListener("click", () => drawExample(example));
    return button;
  }

  find("#pad-undo").addEventListener("click", undo);
  find("#pad-clear").addEventListener("click", clear);
  find("#pad-examples").append(...props.examples.map(exampleButton));

  onOpenFrame((frame) => change(() => drawing.replace([], frame)));

  document.addEventListener("keydown", (event) => {
    const at = event.target instanceof Element ? event.target : document.body;
    const hidden = pad.offsetParent === null; // another tab is open
    if (hidden || at.closest(FIELDS)) return;
    const erases = event.key === "Delete" || event.key === "Backspace";
    if (erases && at === document.body)
      clear(); // no control has the focus
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
  });

  drawing.restore(history.state?.strokes ?? []);
  change(() => {});
}
