// The drawing pad. `assets.mounting` calls `mount` once pad.html is on the page, with `element` (what holds
// it), `props` (what tab.py gave to gr.HTML), `server` (its functions) and `watch`.
//
// `strokes` is the drawing: strokes of [x, y] in a square of SIDE, x to the right, y downwards. What
// is on the screen is painted from it, and it is what the server reads. In its place a picture may
// stand on the pad, a digit of a data set that another tab opened.

import { decode, gray, paintPixels } from "../shared/pixels.js";

const SIDE = 1000;
const FRAME = 28; // pixels a side of a picture
const PEN_WIDTH = 60;
const INK = "#1c1917"; // the dark theme inverts it
const WOBBLE = 2; // CSS pixels: a point that lies closer to the last one is not added
const EXAMPLE_SIZE = 0.6; // of the pad
const EXAMPLE_TIME = 250; // milliseconds in which an example is drawn
const PATIENCE = 3000; // milliseconds without an answer before the visitor is told
const RETRY = 1000; // milliseconds from a failed call to the next one
const NO_ANSWER = "The server does not answer; your drawing is kept and read when it does.";
const FULL = "The pad is full: undo a stroke, or clear it.";

export function mount({ element, props, server, watch }) {
  const find = (id) => element.querySelector("#" + id);
  const pad = find("pad");
  const context = pad.getContext("2d");

  let strokes = [];
  let picture = null; // 28×28 bytes in base64
  let pointer = null; // the id of the pointer that draws

  // ---------------------------------------------------------------- painting

  function fit() {
    const side = Math.round(pad.clientWidth * devicePixelRatio);
    if (side === 0 || side === pad.width) return; // 0 where the tab is hidden
    pad.width = pad.height = side;
    context.scale(side / SIDE, side / SIDE);
    context.strokeStyle = INK;
    context.lineWidth = PEN_WIDTH;
    context.lineCap = context.lineJoin = "round";
    repaint();
  }

  function repaint() {
    context.clearRect(0, 0, SIDE, SIDE);
    if (picture) paintPicture();
    for (const stroke of strokes) paint(stroke);
  }

  function paintPicture() {
    const ink = new ImageData(FRAME, FRAME);
    decode(picture).forEach((value, i) => (ink.data[4 * i + 3] = value));
    const small = new OffscreenCanvas(FRAME, FRAME);
    small.getContext("2d").putImageData(ink, 0, 0);
    context.drawImage(small, 0, 0, SIDE, SIDE);
  }

  function paint(points) {
    context.beginPath();
    context.moveTo(points[0][0] + 0.01, points[0][1]); // a line without any length paints no dot
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }

  new ResizeObserver(fit).observe(pad);
  addEventListener("resize", fit); // the zoom and the screen change the density alone

  // ---------------------------------------------------------------- the pen

  const countPoints = () => strokes.reduce((sum, stroke) => sum + stroke.length, 0);

  const isFull = () =>
    countPoints() >= props.max_points || (pointer === null && strokes.length >= props.max_strokes);

  function place(event, box) {
    const share = (value, length) => Math.min(Math.max(value / length, 0), 1);
    const round = (value) => Math.round(value * SIDE * 10) / 10;
    const x = share(event.clientX - box.left, box.width);
    const y = share(event.clientY - box.top, box.height);
    return [round(x), round(y)];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    if (isFull()) return say(FULL);
    if (picture) clear();
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    const stroke = [place(event, pad.getBoundingClientRect())];
    strokes.push(stroke);
    paint(stroke);
    changed();
  });

  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const box = pad.getBoundingClientRect();
    const stroke = strokes.at(-1);
    const before = stroke.length;
    const events = event.getCoalescedEvents?.() ?? [];
    let room = props.max_points - countPoints();
    for (const each of events.length ? events : [event]) {
      const [x, y] = place(each, box);
      const [lastX, lastY] = stroke.at(-1);
      if (Math.hypot(x - lastX, y - lastY) * box.width < WOBBLE * SIDE) continue;
      if (room-- > 0) stroke.push([x, y]);
    }
    if (stroke.length > before) {
      paint(stroke.slice(before - 1));
      changed();
    }
  });

  function liftPen(event) {
    if (event.pointerId === pointer) pointer = null;
  }

  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    pad.addEventListener(name, liftPen);
  }

  // A long press of a finger or a pen is a dot and no menu, and iPadOS's handwriting input does not
  // swallow quick strokes (https://mikepk.com/2020/10/iOS-safari-scribble-bug/).
  pad.addEventListener("contextmenu", (event) => event.preventDefault());
  pad.addEventListener("touchmove", (event) => event.preventDefault());

  // ---------------------------------------------------------------- undo, clear, examples

  function replace(drawing, opened = null) {
    pointer = null;
    strokes = drawing;
    picture = opened;
    repaint();
    changed();
  }

  const undo = () => replace(strokes.slice(0, -1));
  const clear = () => replace([]);

  function drawExample(example) {
    clear();
    const scale = (value) => SIDE * (0.5 + EXAMPLE_SIZE * (value - 0.5));
    const drawing = example.map((stroke) => stroke.map((point) => point.map(scale)));
    const total = drawing.flat().length;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const start = performance.now();
    let mine = version;
    const step = () => {
      if (version !== mine) return; // the visitor went on
      const share = still ? 1 : Math.min((performance.now() - start) / EXAMPLE_TIME, 1);
      replace(firstPoints(drawing, Math.max(Math.round(share * total), 1)));
      mine = version;
      if (share < 1) requestAnimationFrame(step);
    };
    step();
  }

  function firstPoints(drawing, count) {
    const part = [];
    for (const stroke of drawing) {
      if (count <= 0) break;
      part.push(stroke.slice(0, count));
      count -= stroke.length;
    }
    return part;
  }

  function exampleButton(example, digit) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = `Draw an example ${digit}`;
    button.ariaLabel = button.title;
    const lines = example.map((stroke) => `<polyline points="${stroke.join(" ")}" />`);
    button.innerHTML = `<svg viewBox="-0.1 -0.1 1.2 1.2" aria-hidden="true">${lines.join("")}</svg>`;
    button.addEventListener("click", () => drawExample(example));
    return button;
  }

  find("pad-undo").addEventListener("click", undo);
  find("pad-clear").addEventListener("click", clear);
  find("pad-examples").append(...props.examples.map(exampleButton));

  document.addEventListener("lenet:open", ({ detail }) => replace([], detail.frame));

  document.addEventListener("keydown", (event) => {
    const hidden = pad.offsetParent === null; // another tab is open
    if (hidden || event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
  });

  // ---------------------------------------------------------------- the answer

  const NOTHING = { digit: null, probabilities: Array(10).fill(0), sure: true, pixels: "" };
  const bars = NOTHING.probabilities.map((_, digit) => {
    const bar = document.createElement("li");
    bar.innerHTML = `<b>${digit}</b><span class="track"><span></span></span><span class="share"></span>`;
    return bar;
  });
  find("probabilities").append(...bars);

  // Show an answer, here and in whatever listens to it.
  function show(answer) {
    const { digit, probabilities, sure, pixels } = answer;
    const [best, second] = bars
      .map((_, d) => d)
      .sort((a, b) => probabilities[b] - probabilities[a]);
    find("answer").textContent = digit ?? "";
    find("answer").classList.toggle("unsure", !sure);
    find("doubt").textContent = sure ? "" : `not sure: ${best} or ${second}`;
    bars.forEach((bar, d) => {
      const [, track, share] = bar.children;
      const percent = `${Math.round(100 * probabilities[d])}%`;
      bar.classList.toggle("best", d === digit);
      track.firstChild.style.width = percent;
      share.textContent = digit === null ? "" : percent;
    });
    const bytes = decode(pixels);
    paintPixels(find("seen"), (i) => gray(bytes[i] ?? 0));
    pad.dispatchEvent(new CustomEvent("lenet:answer", { detail: answer, bubbles: true }));
  }

  function say(sentence) {
    find("pad-message").textContent = sentence || (isFull() ? FULL : "");
  }

  // ---------------------------------------------------------------- asking

  let version = 0; // of the drawing, goes up with every change
  let oldest = 0; // an answer about an earlier version is about a drawing that is gone
  let asking = false;
  let inside = null; // what the inside view asks for

  const isEmpty = () => strokes.length === 0 && picture === null;

  function changed() {
    version += 1;
    pad.parentElement.classList.toggle("empty", isEmpty());
    if (isEmpty()) {
      oldest = version;
      forget();
      show(NOTHING);
      say("");
    }
    ask();
  }

  // One call at a time, for as long as the drawing is newer than the answer.
  async function ask() {
    if (asking) return;
    asking = true;
    for (let read = null; read !== version && !isEmpty(); ) {
      read = version;
      const late = setTimeout(complain, PATIENCE);
      const checkpoint = props.value;
      const drawing = picture ? { frame: picture } : { strokes };
      const answer = await server.read_drawing({ checkpoint, inside, ...drawing });
      clearTimeout(late);
      if (!answer) {
        complain();
        await new Promise((resolve) => setTimeout(resolve, RETRY));
        read = null;
      } else if (read >= oldest) {
        forget();
        show(answer.error ? NOTHING : { ...answer, checkpoint });
        say(answer.error);
        // The Train tab's film reads it too.
        if (!answer.error && !picture) pad.drawing = { strokes, digit: answer.digit };
      }
    }
    asking = false;
  }

  function complain() {
    if (isEmpty()) return;
    show(NOTHING);
    say(NO_ANSWER);
    history.replaceState({ strokes }, ""); // Gradio may reload the page when the server is back
  }

  function forget() {
    if (history.state) history.replaceState(null, "");
  }

  watch("value", changed);
  watch("refusal", () => props.refusal && say(props.refusal));

  // The inside view says what it wants to know besides, or null when it is closed.
  document.addEventListener("lenet:ask", ({ detail }) => {
    inside = detail.inside;
    changed();
  });

  replace(history.state?.strokes ?? []);
}
