// The inside view: every layer of the network as pictures, and a lens that says how each number is
// made. While it is open, the pad's answers bring the layers too.

import { finder, make, makeButton, setText, wantsStillness } from "../shared/dom.js";
import { askInside, onAnswer, onFollowDrawing, onOpenFrame } from "../shared/events.js";
import { decimal } from "../shared/formats.js";
import { BLUE, gray, ORANGE, paintPixels, twoSided } from "../shared/pixels.js";
import { largest } from "../shared/tensors.js";
import { explain, explainOutput, whyTitle } from "./explain.js";
import { inPoints, picturesOf, scoreOfPath } from "./lattice.js";
import { layersOf, pushes, weightsOf } from "./layers.js";
import { ARROWS, roving } from "./roving.js";
import { OUTPUT, SECTIONS } from "./sections.js";
import { silencing, unitAt } from "./silencing.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Inside } from "../shared/events.js" */
/** @import { Colour } from "../shared/pixels.js" */
/** @import { PackedFloats } from "../shared/tensors.js" */
/** @import { Facts } from "./explain.js" */
/** @import { Weights } from "./layers.js" */
/** @import { Picture } from "./sections.js" */
/** @import { AccuracyWithout } from "./silencing.js" */

/** @typedef {{ read_weights: Call<string, { weights: PackedFloats[] }>, accuracy_without: AccuracyWithout }} Server */
/** A picture on the page. @typedef {Picture & { canvas: HTMLCanvasElement, mark: HTMLElement, holder: HTMLElement }} Shown */
/** What a visitor points at: a pixel of a picture, or a digit of the output. @typedef {{ holder: HTMLElement, picture: Shown, x: number, y: number } | { holder: HTMLElement, digit: number }} Spot */

/** How many pictures the Page keys go on. @type {Record<string, number>} */
const PAGES = { PageUp: -1, PageDown: 1 };

/** @param {View<{ mean: number, deviation: number }, Server>} view */
export function mount({ element, props, server }) {
  const { mean, deviation } = props;
  const find = finder(element);
  const view = find("#inside", HTMLDetailsElement);
  const body = find("#inside-body");
  const lens = find("#lens");

  /** What is known of the drawing, null where nothing is drawn. @type {Facts | null} */
  let facts = null;
  /** The network whose weights are here or on their way. @type {number | null} */
  let network = null;
  /** @type {Weights | null} */
  let weights = null;
  /** @type {Spot | null} */
  let spot = null;
  let finger = false; // it is a finger that points
  /** The digit whose ink is looked for; null for the one that is read. @type {number | null} */
  let chosen = null;

  const silence = silencing(find, server.accuracy_without, ask);

  // ---------------------------------------------------------------- the pictures

  /** @type {Shown[]} */
  const shown = [];

  for (const { title, text, pictures } of SECTIONS) {
    const row = make("div", { className: `maps ${title.toLowerCase()}` }, ...pictures.map(figure));
    addSection(title, text, row);
  }

  const outputs = Array.from({ length: 10 }, (_, digit) => {
    const logit = make("span");
    /** @param {string} text */
    const unseen = (text) => make("span", { className: "unseen" }, text);
    const content = [unseen("Why"), make("b", {}, `${digit}`), unseen("with a logit of"), logit];
    const button = makeButton(content, () => askWhy(digit));
    button.addEventListener("pointerenter", () => lookAt({ holder: button, digit }));
    button.addEventListener("focus", () => lookAt({ holder: button, digit }));
    return { button, logit };
  });
  const buttons = outputs.map(({ button }) => button);
  addSection("Output", OUTPUT, make("div", { className: "outputs" }, ...buttons));

  const stops = roving([...shown.map(({ holder }) => holder), ...buttons]);

  /** @param {string} title @param {string} text @param {Node} content */
  function addSection(title, text, content) {
    find("#inside-layers").append(
      make("section", {}, make("h3", {}, title), make("p", {}, text), content),
    );
  }

  /** @param {Picture} picture */
  function figure(picture) {
    const { name, map, width, height, label, captioned } = picture;
    const canvas = make("canvas", { width, height });
    Object.assign(canvas.dataset, { layer: name, map: map ?? "" });
    const mark = make("i", { hidden: true });
    const holder = make("figure", { ariaLabel: label }, make("div", {}, canvas, mark));
    if (captioned) holder.append(make("figcaption", {}, label));
    const here = { ...picture, canvas, mark, holder };
    shown.push(here);
    holder.addEventListener("pointermove", (event) => pointAt(here, event));
    holder.addEventListener("pointerdown", (event) => pointAt(here, event));
    holder.addEventListener("focus", () => {
      if (spot?.holder !== holder) lookAtPixel(here, width >> 1, height >> 1);
    });
    holder.addEventListener("click", () => press(here));
    holder.addEventListener("keydown", ({ key }) => key === "Enter" && press(here, true));
    return holder;
  }

  /** @param {Facts} facts */
  function paintAll(facts) {
    const { logits, digit, why } = facts;
    for (const picture of shown) {
      paintPixels(picture.canvas, colours(facts, picture));
      const whole = picture.map !== undefined && silence.has(unitAt(picture, 0, 0));
      picture.holder.classList.toggle("silenced", whole);
    }
    setText(find("figure:has([data-layer=why]) figcaption"), whyTitle(why, digit));
    for (const [d, { button, logit }] of outputs.entries()) {
      setText(logit, decimal(logits[d]));
      button.classList.toggle("best", d === digit);
      button.ariaPressed = String(d === why);
    }
  }

  /**
   * The colour of each pixel of a picture.
   *
   * @param {Facts} facts
   * @param {Picture} picture
   * @returns {(pixel: number) => Colour}
   */
  function colours({ layers, weights }, { name, map = 0, width, height }) {
    const { values, scale } = layers[name];
    if (name === "why") return (i) => whyColour(values[i] / scale, layers.input.values[i]);
    if (name === "fc2" && weights && spot && "digit" in spot) {
      const each = pushes(layers.fc2, weights["fc3.weight"], spot.digit);
      const most = largest(each) || 1;
      return (i) => twoSided(each[i] / most);
    }
    const start = map * width * height;
    const bright = 255 / scale;
    if (name.startsWith("fc"))
      return (i) =>
        silence.has([name, i]) ? ORANGE : gray(Math.round(values[start + i] * bright));
    return (i) => gray(Math.round(values[start + i] * bright));
  }

  // ---------------------------------------------------------------- where the visitor points

  /** @param {Shown} picture @param {PointerEvent} event */
  function pointAt(picture, event) {
    finger = event.pointerType === "touch";
    const box = picture.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * picture.width;
    const y = ((event.clientY - box.top) / box.height) * picture.height;
    lookAtPixel(picture, Math.floor(x), Math.floor(y));
  }

  // All pictures and outputs are one tab stop. The arrow keys go from pixel to pixel, and on to the
  // next picture; the Page keys go from picture to picture.
  find("#inside-layers").addEventListener("keydown", (event) => {
    const { key, target } = event;
    const way = ARROWS[key];
    const page = PAGES[key];
    if (!spot || target !== spot.holder || !(way || page)) return;
    event.preventDefault();
    if (page) stops.step(spot.holder, page);
    else if ("picture" in spot && isWithin(spot.picture, spot.x + way[0], spot.y + way[1]))
      lookAtPixel(spot.picture, spot.x + way[0], spot.y + way[1]);
    else stops.go(spot.holder, way);
  });

  /** @param {Shown} picture @param {number} x @param {number} y */
  const isWithin = ({ width, height }, x, y) => x >= 0 && y >= 0 && x < width && y < height;

  /**
   * A mouse silences what it presses; a finger looks, and finds the button in the lens.
   *
   * @param {Shown} picture
   * @param {boolean} [byKey]
   */
  function press(picture, byKey = false) {
    if (!spot || !("picture" in spot) || spot.picture !== picture) return;
    const unit = unitAt(picture, spot.x, spot.y);
    if (unit && (byKey || !finger)) silence.toggle(unit);
  }

  /** @param {Shown} picture @param {number} x @param {number} y the nearest pixel there is counts */
  function lookAtPixel(picture, x, y) {
    /** @param {number} value @param {number} count */
    const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
    const { holder, width, height } = picture;
    lookAt({ holder, picture, x: clamp(x, width), y: clamp(y, height) });
  }

  /** @param {Spot} next */
  function lookAt(next) {
    const repaints = (spot && "digit" in spot) || "digit" in next; // fc2 shows what pushes a digit
    spot = next;
    if (repaints && facts) paintAll(facts);
    look();
  }

  // ---------------------------------------------------------------- the lens

  function look() {
    for (const { mark } of shown) mark.hidden = true;
    lens.hidden = !facts || !spot;
    if (!facts || !spot) return;
    const { title, content, sources } = explainSpot(facts, spot);
    if ("picture" in spot) setMark(spot.picture, spot.x, spot.y, 1);
    for (const { name, map, x, y, size } of sources ?? []) {
      const source = shown.find((each) => each.name === name && (each.map ?? 0) === map);
      if (source) setMark(source, x, y, size);
    }
    lens.firstElementChild?.replaceChildren(make("h4", {}, title), ...content);
    const unit = "picture" in spot ? unitAt(spot.picture, spot.x, spot.y) : null;
    find("#lens-silence").replaceChildren(...(unit ? silence.content(unit) : []));
    placeSheet();
  }

  /** @param {Facts} facts @param {Spot} spot */
  const explainSpot = (facts, spot) =>
    "digit" in spot
      ? explainOutput(facts, spot.digit)
      : explain(facts, spot.picture, spot.x, spot.y);

  /** @param {Shown} picture @param {number} x @param {number} y @param {number} size in pixels */
  function setMark({ mark, width, height }, x, y, size) {
    /** @param {number} share */
    const percent = (share) => `${100 * share}%`;
    Object.assign(mark.style, {
      left: percent(x / width),
      top: percent(y / height),
      width: percent(size / width),
      height: percent(size / height),
    });
    mark.hidden = false;
  }

  // On a narrow screen the lens is a sheet (inside.css): in the half where the finger is not, and
  // gone with what it explains.
  const isSheet = () => getComputedStyle(lens).position === "fixed";

  function placeSheet() {
    if (!spot) return;
    const { top, bottom } = spot.holder.getBoundingClientRect();
    lens.classList.toggle("above", top + bottom > innerHeight);
    if (isSheet() && (bottom < 0 || top > innerHeight)) closeLens();
  }

  function closeLens() {
    spot = null;
    look();
  }

  find("#lens button").addEventListener("click", closeLens);
  addEventListener("scroll", () => lens.hidden || placeSheet(), { passive: true });
  document.addEventListener("pointerdown", ({ target }) => {
    const elsewhere =
      target instanceof Element && !target.closest("#lens, #inside figure, #inside .outputs");
    if (elsewhere && isSheet()) closeLens();
  });

  // ---------------------------------------------------------------- open, closed, asked

  function ask() {
    askInside(view.open ? { why: chosen, silenced: silence.units() } : null);
  }

  /** @param {number | null} digit */
  function askWhy(digit) {
    chosen = digit === facts?.digit ? null : digit;
    ask();
  }

  view.addEventListener("toggle", ask);
  onFollowDrawing(() => {
    view.open = true;
  });

  // A digit of a data set is on the pad: as soon as its layers are shown, scroll there. The space
  // that inside.css keeps below the summary shows the first pictures.
  onOpenFrame(() => {
    view.open = true;
    const appears = new ResizeObserver(() => {
      if (body.clientHeight === 0) return; // its tab is not open yet, or nothing is read
      appears.disconnect();
      const behavior = wantsStillness() ? "instant" : "smooth";
      find("#inside summary").scrollIntoView({ block: "end", behavior });
    });
    appears.observe(body);
  });

  onAnswer(({ digit, pixels, inside, checkpoint = "" }) => {
    if (!view.open) return;
    if (checkpoint) silence.readsWith(checkpoint);
    if (digit === null) {
      facts = null;
      if (chosen !== null) askWhy(null);
    } else if (inside) {
      const { why, logits } = inside;
      if (inside.network !== network) fetchWeights(inside.network, checkpoint);
      const layers = layersOf(pixels, inside);
      facts = { layers, logits, digit, why, weights, mean, deviation };
    }
    body.hidden = !facts;
    find("#inside-empty").hidden = !body.hidden;
    if (!facts || !inside) return;
    showLattice(inside);
    paintAll(facts);
    look();
  });

  /** How the strokes were made into digits, where there are several. @param {Inside} inside */
  function showLattice({ lattice = [] }) {
    find("#lattice").hidden = lattice.length === 0;
    find("#lattice-lines").replaceChildren(...picturesOf(lattice));
    setText(find("#lattice-score"), inPoints(scoreOfPath(lattice)));
  }

  /** They come once for a network. @param {number} of @param {string} checkpoint */
  async function fetchWeights(of, checkpoint) {
    network = of;
    weights = null;
    const found = await server.read_weights(checkpoint);
    if (network !== of) return;
    if (!found || !("weights" in found)) {
      network = null; // the next answer asks again
      return;
    }
    weights = weightsOf(found.weights);
    if (facts) facts = { ...facts, weights };
    look();
  }
}

/**
 * Ink that speaks for a digit is orange, against it blue, and ink that does not matter gray.
 *
 * @param {number} share −1 to 1, how much of the strongest effect
 * @param {number} ink 0 to 255
 * @returns {Colour}
 */
function whyColour(share, ink) {
  const [red, green, blue] = share < 0 ? BLUE : ORANGE;
  const part = Math.min(1, Math.sqrt(Math.abs(share)));
  const dim = ink * 0.45;
  /** @param {number} channel */
  const mixed = (channel) => Math.round(dim + (Math.min(255, channel * 1.25) - dim) * part);
  return [mixed(red), mixed(green), mixed(blue)];
}
