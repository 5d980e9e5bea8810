// The film of a run. `assets.mounting` calls `mount` once film.html is on the page, with `element`, `props`,
// `server` and `watch` as pad.js has them.
//
// `film.moments` is what the server has told so far, `at` the one that is shown: the strip, the
// kernels and the sentence are painted from it.

import { decode, gray, paintPixels, twoSided } from "../shared/pixels.js";

const KERNEL = 5; // weights a side
const DIGITS = 10;
const PACE = 120; // milliseconds a moment in the replay
const SLOW_PACE = 800; // the same for those who want little motion
const RETRY = 1000; // milliseconds from a failed call to the next one
const STORED = "lenet:drawing"; // in the session storage: a reload reads the same drawing

export function mount({ element, props, server, watch }) {
  const find = (id) => element.querySelector("#" + id);
  const section = find("film");
  const slider = find("film-moment");

  let drawing = null; // what is read: strokes, digit and the name that it goes by
  let film = nothing();
  let at = 0;
  let atEnd = true; // goes along with the run
  let replay = null; // the timer

  function nothing() {
    return { run: null, moments: [], length: 0, end: 0, pixels: "" };
  }

  // ---------------------------------------------------------------- the visitor's drawing

  function ownDrawing() {
    let drawn = document.getElementById("pad")?.drawing;
    try {
      if (drawn) sessionStorage.setItem(STORED, JSON.stringify(drawn));
      else drawn = JSON.parse(sessionStorage.getItem(STORED));
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
    film = nothing();
    told = null;
  }

  // ---------------------------------------------------------------- asking

  let asking = false;
  let told = null; // the value of which the page knows everything

  const isVisible = () => element.clientWidth > 0 && !document.hidden;

  // One call at a time, and none while nobody looks or nothing is new.
  async function follow() {
    if (asking) return;
    asking = true;
    while (isVisible()) {
      chooseDrawing();
      const value = props.value;
      if (value === told) break;
      const known = film.moments.map((moment) => moment.batches);
      const answer = await server.read_moments({ strokes: drawing.strokes, run: film.run, known });
      if (!answer?.moments && !answer?.error) {
        setTimeout(follow, RETRY);
        break;
      }
      take(answer);
      if (!answer.more) told = value;
    }
    asking = false;
  }

  function take({ error, kept, moments, ...rest }) {
    section.hidden = false;
    if (error) {
      find("film-sentence").textContent = error;
      return;
    }
    if (rest.run !== film.run) pause();
    film = { ...rest, moments: [...film.moments.slice(0, kept), ...moments] };
    section.hidden = film.moments.length === 0;
    if (!section.hidden) show(atEnd ? Infinity : at);
  }

  watch("value", follow);
  new ResizeObserver(follow).observe(element); // its tab is opened
  document.addEventListener("visibilitychange", follow);

  // ---------------------------------------------------------------- what is shown

  function show(moment) {
    const last = film.moments.length - 1;
    at = Math.min(moment, last);
    atEnd = at === last;
    slider.max = film.length - 1;
    slider.value = at;
    slider.ariaValueText = sentence();
    find("film-sentence").textContent = sentence();
    find("film-answer").textContent = film.moments[at].digit;
    find("film-words").textContent =
      `The same drawing read by the network as it was at ${film.length} moments of the run: a column ` +
      "for each, closer together at first, when most changes, and a row for each digit; the stronger " +
      "the colour, the more probable the digit." +
      drawing.advice;
    showDrawing();
    showKernels();
    showStrip();
  }

  function when({ batches }) {
    return batches === 0 ? "before training" : `after ${number(batches)} batches`;
  }

  const number = (value) => value.toLocaleString("en");

  function sentence() {
    const moment = film.moments[at];
    const percent = Math.round(100 * moment.probabilities[moment.digit]);
    return `${drawing.name} ${when(moment)}: ${moment.digit} (${percent} %)`;
  }

  function showDrawing() {
    const canvas = find("film-drawing");
    canvas.ariaLabel = `${drawing.name} as the network sees it: 32 by 32 pixels`;
    const bytes = decode(film.pixels);
    paintPixels(canvas, (i) => gray(bytes[i]));
  }

  const kernelCanvases = Array.from({ length: 6 }, () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = KERNEL;
    canvas.role = "img";
    return canvas;
  });
  find("film-kernels").append(...kernelCanvases);

  function showKernels() {
    const strongest = Math.max(...film.moments.flatMap((m) => m.kernels.flat()).map(Math.abs));
    film.moments[at].kernels.forEach((weights, k) => {
      paintPixels(kernelCanvases[k], (i) => twoSided(weights[i] / strongest));
      const [low, high] = [Math.min(...weights), Math.max(...weights)].map((w) => w.toFixed(2));
      kernelCanvases[k].ariaLabel = `kernel ${k + 1}: weights from ${low} to ${high}`;
    });
    const [low, , high] = section.querySelectorAll(".scale span");
    low.textContent = `−${strongest.toFixed(2)}`;
    high.textContent = `+${strongest.toFixed(2)}`;
  }

  function showStrip() {
    const canvas = find("film-strip");
    canvas.width = film.length; // clears it
    canvas.parentElement.style.setProperty("--columns", film.length);
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(canvas).color;
    film.moments.forEach(({ probabilities }, column) => {
      probabilities.forEach((probability, digit) => {
        context.globalAlpha = probability;
        context.fillRect(column, digit, 1, 1);
      });
    });
    const changes = film.moments.filter((m, i) => m.digit !== film.moments[i - 1]?.digit);
    const read = changes.map((moment) => `${moment.digit} ${when(moment)}`);
    canvas.ariaLabel = `${drawing.name} was read as ${read.join(", ")}`;
    [...find("film-digits").children].forEach((row, digit) =>
      row.classList.toggle("best", digit === film.moments[at].digit),
    );
    const [first, , last] = section.querySelectorAll(".ends span");
    first.textContent = number(film.moments[0].batches);
    last.textContent = number(film.end);
  }

  find("film-digits").append(
    ...Array.from({ length: DIGITS }, (_, digit) => {
      const row = document.createElement("li");
      row.textContent = digit;
      return row;
    }),
  );

  // ---------------------------------------------------------------- moving through it

  function play() {
    if (replay !== null) return pause();
    if (atEnd) show(0);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    replay = setInterval(() => (atEnd ? pause() : show(at + 1)), still ? SLOW_PACE : PACE);
    find("film-play").textContent = "Pause";
  }

  function pause() {
    clearInterval(replay);
    replay = null;
    find("film-play").textContent = "Replay";
  }

  find("film-play").addEventListener("click", play);
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
}
