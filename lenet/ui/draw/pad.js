// The drawing pad: the pen, the examples and the keys, and the reading of what is drawn.

import { hand } from "../hand/store.js";
import { finder, makeButton, setText, wantsStillness } from "../shared/dom.js";
import {
  onAskInside,
  onFollowDrawing,
  onOpenFrame,
  tellAnswer,
  tellDrawing,
  tellNetwork,
} from "../shared/events.js";
import { Asking } from "./asking.js";
import { boxes } from "./boxes.js";
import { Drawing, enlarge, firstPoints, toPoint, WIDTH } from "./drawing.js";
import { keyboardPen } from "./keyboard.js";
import { lastDrawing, lasting } from "./lasting.js";
import { frameBox, Paper } from "./paper.js";
import { onPicture, shrunk } from "./pictures.js";
import { NOTHING, readings } from "./reading.js";
import { round } from "./round.js";
import { telling } from "./telling.js";

/** @import { Kept } from "../hand/store.js" */
/** @import { Call, View } from "../shared/dom.js" */
/** @import { Reading, Strokes } from "../shared/events.js" */
/** @import { Point } from "./drawing.js" */
/** @import { Early } from "./early.js" */

/**
 * @typedef {object} Props
 * @property {string} value the checkpoint that the pad reads with
 * @property {string} refusal why another checkpoint was not taken
 * @property {number} max_strokes
 * @property {number} max_points
 * @property {string} examples one `Strokes` of each digit, in a square of 1, as JSON
 */

/**
 * @typedef {object} Question
 * @property {string} checkpoint
 * @property {{ why: number | null } | null} inside what the inside view asks for
 * @property {Strokes} [strokes]
 * @property {string} [frame] in the place of strokes
 * @property {Point | null} at in the digit of a number that the visitor looks at; in a picture, in frames
 * @property {boolean} whole it is one digit, whatever it looks like
 */

const WOBBLE = 2; // CSS pixels: a point that lies closer to the last one is not added
const PRESS = 6; // CSS pixels: a pen on a box that moves less presses the box
const EXAMPLE = 4; // the digit that is drawn where a view needs a drawing
const BORDER = 4 / 28; // of a frame's side: around its digit
const KEYBOARD = -1; // draws; pointers have ids of 0 and more
const EXAMPLE_TIME = 250; // milliseconds in which an example is drawn
const NO_ANSWER = "The server does not answer; your drawing is kept and read when it does.";
const UNANSWERED = "The server does not answer: bring the picture again.";
const NO_PICTURE = "The browser cannot open this picture: bring a PNG or a JPEG.";
const FULL = "The pad is full: undo a stroke, or clear it.";
const FIELDS = "input, textarea, select, [contenteditable]";

/** @typedef {Call<{ picture: string }, { frame: string }>} FramePicture */

/** @param {View<Props, { read_drawing: Call<Question, Reading>, frame_picture: FramePicture }>} view */
export function mount({ element, props, server, watch }) {
  const find = finder(element);
  const pad = find("#pad", HTMLCanvasElement);
  const sheet = find(".sheet");
  const drawing = new Drawing(props);
  /** @type {Strokes[]} */
  const examples = JSON.parse(props.examples);
  const paper = new Paper(pad, drawing);
  const over = find("#pad-digits");
  const showReading = readings(find);
  const showBoxes = boxes(over, lookAt);
  const told = telling(find, { own, next, undo, takeAsOne });
  const keep = lasting(drawing);
  const guided = round(find, { tell: (digit) => told.tell(digit, true), clear });

  /** The id of the pointer that draws. @type {number | null} */
  let pointer = null;
  /** A pointer on a box, which presses it or draws. @type {PointerEvent | null} */
  let pressing = null;
  /** In the digit that was pressed, until something else is drawn. @type {Point | null} */
  let at = null;
  let whole = false; // the visitor takes all strokes as one digit, until something else is drawn
  /** What is shown. @type {Reading & { checkpoint?: string }} */
  let shown = NOTHING;
  /** What the inside view asks for. @type {Question["inside"]} */
  let inside = null;

  // ---------------------------------------------------------------- the reading

  const asking = new Asking({
    isEmpty: () => drawing.isEmpty,
    ask: async () => {
      const { strokes, picture } = drawing;
      /** @type {Question} */
      const question = { checkpoint: props.value, inside, at, whole: whole || guided.isOn };
      if (picture) question.frame = picture;
      else question.strokes = strokes;
      const answer = await server.read_drawing(question);
      return answer && { question, answer, took: "took" in answer ? (answer.took ?? 0) : 0 };
    },
    take: ({ question: { checkpoint, strokes }, answer }) => {
      if ("error" in answer) {
        show(NOTHING);
        say(answer.error);
        return;
      }
      if (!strokes)
        for (const [i, digit] of (answer.digits ?? []).entries())
          digit.box = frameBox(i, answer.digits?.length ?? 1, BORDER);
      show({ ...answer, checkpoint });
      say("");
      const own = answer.strokes ?? strokes;
      if (own && answer.digit !== null) tellDrawing({ strokes: own, digit: answer.digit });
    },
    complain: () => {
      if (drawing.isEmpty) return;
      show(NOTHING);
      say(NO_ANSWER);
    },
  });

  /** @param {Reading & { checkpoint?: string }} reading */
  function show(reading) {
    shown = reading;
    showReading(reading, pointer !== null);
    showBoxes(reading);
    told.show(reading, drawing.picture === null);
    tellAnswer(reading);
  }

  /** Show a digit of the number at once, and ask for what happens inside. @param {number} selected */
  function lookAt(selected) {
    const { digits = [], inside: _, strokes: __, ...rest } = shown;
    const [x0, y0, x1, y1] = digits[selected].box;
    at = drawing.picture ? [selected + 0.5, 0.5] : [(x0 + x1) / 2, (y0 + y1) / 2];
    told.forget();
    show({ ...rest, ...digits[selected], digits, selected });
    changed();
  }

  /** @param {string} sentence */
  function say(sentence) {
    setText(find("#pad-message"), sentence || (isFull() ? FULL : ""));
  }

  const isFull = () => (pointer === null ? drawing.isFull : drawing.room <= 0);

  /** The drawing has changed; `anew` where nothing of it is left. */
  function changed(anew = drawing.isEmpty) {
    sheet.classList.toggle("empty", drawing.isEmpty);
    guided.follow(drawing.isEmpty);
    if (anew) {
      show(NOTHING);
      say("");
    }
    keep();
    asking.changed(anew);
  }

  watch("value", () => {
    tellNetwork(props.value);
    changed();
  });
  watch("refusal", () => props.refusal && say(props.refusal));
  onAskInside((question) => {
    inside = question;
    changed();
  });

  // ---------------------------------------------------------------- the pen

  /** Begin a stroke, unless the pad is full. @param {number} pen its pointer @param {Point} point */
  function begin(pen, point) {
    if (pointer !== null) return false;
    if (drawing.isFull) {
      say(FULL);
      return false;
    }
    pointer = pen;
    at = null;
    whole = false;
    told.forget();
    const overPicture = drawing.picture !== null;
    drawing.begin(point);
    if (overPicture) paper.repaint();
    else paper.paint([point]);
    changed(overPicture);
    return true;
  }

  /** @param {Point[]} points @param {number} [least] as of `Drawing.extend` */
  function extend(points, least = 0) {
    const added = drawing.extend(points, least);
    if (added.length === 0) return;
    paper.paint(added);
    changed();
  }

  function lift() {
    pointer = null;
    showReading(shown, false);
    asking.settled();
  }

  /** @param {PointerEvent} event */
  function setPen(event) {
    if (event.button !== 0) return;
    const point = toPoint(event, pad.getBoundingClientRect());
    if (begin(event.pointerId, point)) pad.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  function movePen(event) {
    if (event.pointerId !== pointer) return;
    const box = pad.getBoundingClientRect();
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((each) => toPoint(each, box));
    extend(points, (WOBBLE * WIDTH) / box.width);
  }

  /** @param {PointerEvent} event */
  function liftPen(event) {
    if (event.pointerId === pointer) lift();
  }

  const keyPen = keyboardPen(pad, find("#pad-pen"), {
    down: (point) => begin(KEYBOARD, point),
    move: (point) => extend([point]),
    lift: () => pointer === KEYBOARD && lift(),
  });

  pad.addEventListener("pointerdown", setPen);
  pad.addEventListener("pointermove", movePen);
  pad.addEventListener("pointerup", liftPen);
  pad.addEventListener("pointercancel", liftPen);
  pad.addEventListener("lostpointercapture", liftPen);

  // A pen that is set down on a box draws as soon as it moves: the stroke begins where it was set
  // down, and the pad captures the pointer. A pen that does not move clicks the box.
  over.addEventListener("pointerdown", (event) => {
    pressing = event;
    if (event.target instanceof Element) event.target.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pressing?.pointerId) return;
    const { clientX, clientY } = pressing;
    if (Math.hypot(event.clientX - clientX, event.clientY - clientY) < PRESS) return;
    setPen(pressing);
    pressing = null;
    movePen(event);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"]))
    over.addEventListener(end, () => {
      pressing = null;
    });

  for (const part of [pad, over]) {
    // So that a long press draws a dot and opens no menu, and iPadOS's handwriting input swallows
    // no quick strokes (https://mikepk.com/2020/10/iOS-safari-scribble-bug/).
    part.addEventListener("contextmenu", (event) => event.preventDefault());
    part.addEventListener("touchmove", (event) => event.preventDefault());
  }

  // ---------------------------------------------------------------- undo, clear, examples

  /** Do what changes the drawing as a whole. @param {() => void} step @param {boolean} [anew] */
  function change(step, anew) {
    keyPen.lift();
    pointer = null;
    at = null;
    whole = false;
    told.forget();
    step();
    paper.repaint();
    changed(anew);
  }

  function undo() {
    change(() => {
      const kept = drawing.undo();
      if (kept) hand.takeBack(kept);
    });
  }

  function clear() {
    change(() => drawing.clear());
  }

  // ---------------------------------------------------------------- what the visitor tells

  /** @param {boolean} all @returns {Strokes | null} */
  function own(all) {
    if (pointer !== null || drawing.strokes.length === 0) return null;
    if (all) return drawing.strokes;
    return (shown.digits ? shown.strokes : shown.digit !== null && drawing.strokes) || null;
  }

  /** A single digit makes room; a number stays, as its other digits may be told. @param {Kept} kept */
  function next(kept) {
    if (shown.digits && !guided.isOn) drawing.replace(drawing.strokes, null, kept);
    else change(() => drawing.clear(kept));
  }

  function takeAsOne() {
    at = null;
    whole = true;
    changed();
  }

  /** @param {Strokes} example */
  function drawExample(example) {
    const strokes = enlarge(example);
    const total = strokes.flat().length;
    const still = wantsStillness();
    const start = performance.now();
    change(() => drawing.replace(firstPoints(strokes, 1)), true);
    let mine = drawing.strokes;
    const step = () => {
      if (drawing.strokes !== mine) return; // the visitor went on
      const share = still ? 1 : Math.min((performance.now() - start) / EXAMPLE_TIME, 1);
      drawing.strokes = mine = firstPoints(strokes, Math.max(Math.round(share * total), 1));
      paper.repaint();
      changed();
      if (share < 1) requestAnimationFrame(step);
    };
    step();
  }

  /** @param {Strokes} example @param {number} digit */
  function exampleButton(example, digit) {
    const title = `Draw an example ${digit}`;
    const button = makeButton("", () => drawExample(example), { title, ariaLabel: title });
    const lines = example.map((stroke) => `<polyline points="${stroke.join(" ")}" />`);
    button.innerHTML = `<svg viewBox="-0.1 -0.1 1.2 1.2" aria-hidden="true">${lines.join("")}</svg>`;
    return button;
  }

  find("#pad-undo").addEventListener("click", undo);
  find("#pad-clear").addEventListener("click", clear);
  find("#pad-examples").prepend(...examples.map(exampleButton));

  /** @param {string} frame */
  const showFrame = (frame) => change(() => drawing.replace([], frame));

  onOpenFrame(showFrame);
  onPicture(sheet, find("#pad-picture", HTMLInputElement), async (picture) => {
    if (isAway()) return;
    const { strokes } = drawing;
    const content = await shrunk(picture).catch(() => null);
    const answer = content && (await server.frame_picture({ picture: content }));
    if (drawing.strokes !== strokes) return; // the visitor went on
    if (answer && "frame" in answer) showFrame(answer.frame);
    else say(answer ? answer.error : content ? UNANSWERED : NO_PICTURE);
  });

  /** Whether another tab or a dialog is open. */
  const isAway = () => pad.offsetParent === null || document.querySelector("dialog[open]") !== null;

  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (isAway() || target.closest(FIELDS)) return;
    const key = event.shiftKey ? event.key : event.key.toLowerCase(); // whatever Caps Lock makes of it
    const free = target === document.body || target === pad; // no control has the focus
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (free && (key === "delete" || key === "backspace")) clear();
    else if (key === "z" && held && !event.altKey) undo();
    else if (free && key === "enter" && guided.isOn) guided.keep();
    else if (!held && /^[0-9n-]$/.test(key)) {
      keyPen.lift();
      told.tell(/[0-9]/.test(key) ? Number(key) : null);
    } else return;
    event.preventDefault();
  });

  drawing.restore(lastDrawing());
  change(() => {});
  // Until this script ran, early.html had a pad in this place.
  /** @type {{ early?: Early }} */
  const { early } = /** @type {any} */ (window);
  early?.giveTo((strokes) => {
    for (const stroke of strokes) change(() => drawing.replace([...drawing.strokes, stroke]));
    if (early.reading) showReading(early.reading, false);
  });
  onFollowDrawing(() => {
    if (drawing.isEmpty) change(() => drawing.replace(enlarge(examples[EXAMPLE])), true);
  });
}
