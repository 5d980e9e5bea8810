// The film of a run: the visitor's drawing and the first kernels at each moment of it.
//
// `film.moments` is what the server has told so far, `at` the one that is shown: the strip, the
// kernels and the sentence are painted from it.

import { contextOf, finder, make, setText, wantsStillness } from "../shared/dom.js";
import { lastDrawing } from "../shared/events.js";
import { count } from "../shared/formats.js";
import { decode, gray, paintPixels, twoSided } from "../shared/pixels.js";
import { history, joined, kernelLabel, sentence, strongest } from "./moments.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { ReadDrawing, Strokes } from "../shared/events.js" */
/** @import { Moment } from "./moments.js" */

/**
 * @typedef {object} Film
 * @property {string | null} run its name
 * @property {Moment[]} moments
 * @property {number} length how many moments there will be
 * @property {number} end the run's last batch
 * @property {string} pixels the 32×32 bytes that the network sees, in base64
 */

/** What film_view.py answers. @typedef {Film & { kept: number, more: boolean }} News */
/** @typedef {{ strokes: Strokes, run: string | null, known: number[] }} Question */
/** @typedef {ReadDrawing & { name: string, advice: string }} NamedDrawing */

const KERNEL = 5; // weights a side
const PACE = 120; // milliseconds a moment in the replay
const SLOW_PACE = 800; // the same for those who want little motion
const RETRY = 1000; // milliseconds from a failed call to the next one
const STORED = "lenet:drawing"; // in the session storage: a reload reads the same drawing

/** @type {Film} */
const NOTHING = { run: null, moments: [], length: 0, end: 0, pixels: "" };

/** @param {View<{ value: string, example: ReadDrawing }, { read_moments: Call<Question, News> }>} view */
export function mount({ element, props, server, watch }) {
  const find = finder(element);
  const section = find("#film");
  const slider = find("#film-moment", HTMLInputElement);

  /** What is read. @type {NamedDrawing} */
  let drawing;
  let film = NOTHING;
  let at = 0;
  let atEnd = true; // the last moment is shown, and new ones as they come
  /** The timer. @type {number | undefined} */
  let replay;

  // ---------------------------------------------------------------- the visitor's drawing

  /** @returns {NamedDrawing | null} */
  function ownDrawing() {
    let drawn = lastDrawing();
    try {
      if (drawn) sessionStorage.setItem(STORED, JSON.stringify(drawn));
      else drawn = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
    } catch {
      // A browser that stores nothing: after a reload the drawing is gone.
    }
    return drawn && { ...drawn, name: `Your ${drawn.digit}`, advice: "" };
  }

  function chooseDrawing() {
    const chosen = ownDrawing() ?? {
      ...props.example,
      name: `An example ${props.example.digit}`,
      advice: " Draw a digit of your own in the Draw tab, and it is read here instead.",
    };
    if (JSON.stringify(chosen) === JSON.stringify(drawing)) return;
    drawing = structuredClone(chosen);
    film = NOTHING;
    told = null;
  }

  // ---------------------------------------------------------------- asking

  let asking = false;
  /** The value whose moments are all known. @type {string | null} */
  let told = null;

  const isVisible = () => element.clientWidth > 0 && !document.hidden;

  // One call at a time, and none while nobody looks or nothing is new.
  async function follow() {
    if (asking) return;
    asking = true;
    while (isVisible()) {
      chooseDrawing();
      const value = props.value;
      if (!value || value === told) break; // it has none until the page has heard of a run
      const known = film.moments.map((moment) => moment.batches);
      const { strokes } = drawing;
      const answer = await server.read_moments({ strokes, run: film.run, known });
      if (!answer || !("moments" in answer || "error" in answer)) {
        setTimeout(follow, RETRY);
        break;
      }
      if ("error" in answer) complain(answer.error);
      else take(answer);
      if ("error" in answer || !answer.more) told = value;
    }
    asking = false;
  }

  /** @param {string} error */
  function complain(error) {
    section.hidden = false;
    setText(find("#film-sentence"), error);
  }

  /** @param {News} news */
  function take({ run, length, end, pixels, ...news }) {
    if (run !== film.run) pause();
    film = { run, length, end, pixels, moments: joined(film.moments, news) };
    section.hidden = film.moments.length === 0;
    if (!section.hidden) show(atEnd ? Infinity : at);
  }

  watch("value", follow);
  new ResizeObserver(follow).observe(element); // its tab is opened
  document.addEventListener("visibilitychange", follow);

  // ---------------------------------------------------------------- what is shown

  /** @param {number} number of a moment */
  function show(number) {
    const last = film.moments.length - 1;
    at = Math.min(number, last);
    atEnd = at === last;
    const moment = film.moments[at];
    const text = sentence(drawing.name, moment);
    slider.max = `${film.length - 1}`;
    slider.value = `${at}`;
    slider.ariaValueText = text;
    setText(find("#film-sentence"), text);
    setText(find("#film-answer"), `${moment.digit}`);
    setText(
      find("#film-words"),
      `The same drawing read by the network as it was at ${film.length} moments of the run: a ` +
        "column for each, closer together at first, when most changes, and a row for each digit; " +
        `the stronger the colour, the more probable the digit.${drawing.advice}`,
    );
    showDrawing();
    showKernels(moment);
    showStrip(moment);
  }

  function showDrawing() {
    const canvas = find("#film-drawing", HTMLCanvasElement);
    canvas.ariaLabel = `${drawing.name} as the network sees it: 32 by 32 pixels`;
    const bytes = decode(film.pixels);
    paintPixels(canvas, (i) => gray(bytes[i]));
  }

  const kernelCanvases = Array.from({ length: 6 }, () =>
    make("canvas", { width: KERNEL, height: KERNEL, role: "img" }),
  );
  find("#film-kernels").append(...kernelCanvases);

  /** @param {Moment} moment */
  function showKernels({ kernels }) {
    const most = strongest(film.moments);
    for (const [i, weights] of kernels.entries()) {
      paintPixels(kernelCanvases[i], (pixel) => twoSided(weights[pixel] / most));
      kernelCanvases[i].ariaLabel = kernelLabel(i + 1, weights);
    }
    setText(find(".scale span:first-child"), `−${most.toFixed(2)}`);
    setText(find(".scale span:last-child"), `+${most.toFixed(2)}`);
  }

  const rows = Array.from({ length: 10 }, (_, digit) => make("li", {}, `${digit}`));
  find("#film-digits").append(...rows);

  /** @param {Moment} moment */
  function showStrip({ digit }) {
    const canvas = find("#film-strip", HTMLCanvasElement);
    canvas.width = film.length; // clears it
    canvas.parentElement?.style.setProperty("--columns", `${film.length}`);
    canvas.ariaLabel = history(drawing.name, film.moments);
    const context = contextOf(canvas);
    context.fillStyle = getComputedStyle(canvas).color;
    for (const [column, { probabilities }] of film.moments.entries()) {
      for (const [row, probability] of probabilities.entries()) {
        context.globalAlpha = probability;
        context.fillRect(column, row, 1, 1);
      }
    }
    for (const [i, row] of rows.entries()) row.classList.toggle("best", i === digit);
    setText(find(".ends span:first-child"), count(film.moments[0].batches));
    setText(find(".ends span:last-child"), count(film.end));
  }

  // ---------------------------------------------------------------- moving through it

  function play() {
    if (replay !== undefined) return pause();
    if (atEnd) show(0);
    const pace = wantsStillness() ? SLOW_PACE : PACE;
    replay = window.setInterval(() => (atEnd ? pause() : show(at + 1)), pace);
    setText(find("#film-play"), "Pause");
  }

  function pause() {
    clearInterval(replay);
    replay = undefined;
    setText(find("#film-play"), "Replay");
  }

  find("#film-play").addEventListener("click", play);
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
}
