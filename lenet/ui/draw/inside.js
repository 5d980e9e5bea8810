// @ts-nocheck
// The inside view. `assets.mounting` calls `mount` once inside.html is on the page, with `element`
// (what holds it), `props` (what inside.py gave to gr.HTML) and `server`. While the view is
// open the pad asks for the insides too, as "lenet:ask" events tell it, and tells every answer in a
// "lenet:answer" event.

import { make, wantsStillness } from "../shared/dom.js";
import { askInside, onAnswer, onOpenFrame } from "../shared/events.js";
import { BLUE, decode, gray, ORANGE, paintPixels, twoSided } from "../shared/pixels.js";

const FRAME = 28;
const INPUT = 32;
const KERNEL = 5;

const SECTIONS = [
  {
    title: "Input",
    text: "Your drawing is framed as MNIST frames its digits, 28×28 pixels, and scaled to 32×32: this is all that the network gets.",
    pictures: [
      { name: "frame", side: FRAME, label: "28×28 frame" },
      { name: "input", side: INPUT, label: "32×32 input" },
      { name: "why", side: INPUT, label: "Why" },
    ],
  },
  {
    title: "conv1",
    text: "Six kernels of 5×5 weights slide over the input; each makes a 28×28 map that is bright where its pattern lies (32 − 5 + 1 = 28), and ReLU makes what is negative 0.",
    pictures: maps("conv1", 6, 28),
  },
  {
    title: "pool1",
    text: "Of every 2×2 block only the brightest pixel stays: 28 ÷ 2 = 14, and a digit may lie a pixel off.",
    pictures: maps("pool1", 6, 14),
  },
  {
    title: "conv2",
    text: "Sixteen maps of 10×10, each from all six maps above with six kernels of its own: bends and ends of strokes.",
    pictures: maps("conv2", 16, 10),
  },
  {
    title: "pool2",
    text: "Halved again: 16 maps of 5×5 are 400 numbers.",
    pictures: maps("pool2", 16, 5),
  },
  {
    title: "fc1",
    text: "120 units, each a weighted sum of all 400 numbers, 0 where it is negative.",
    pictures: [{ name: "fc1", side: 20, rows: 6, label: "fc1, 120 units" }],
  },
  {
    title: "fc2",
    text: "84 units, each a weighted sum of the 120.",
    pictures: [{ name: "fc2", side: 14, rows: 6, label: "fc2, 84 units" }],
  },
];

function maps(layer, count, side) {
  return Array.from({ length: count }, (_, map) => ({
    name: layer,
    map,
    side,
    label: `${layer}, map ${map + 1} of ${count}`,
  }));
}

export function mount({ element, props, server }) {
  const { mean: MEAN, deviation: STD } = props; // of MNIST's training pixels, 0..1
  const find = (id) => element.querySelector("#" + id);
  const number = (value) => value.toFixed(2).replace("-", "−");
  const view = find("inside");

  // ---------------------------------------------------------------- the numbers

  let values = null; // of the last answer, by layer: what activations() in insight.py gives
  let answer = null;
  let weights = null; // of the network that gave it
  let network = null; // which one that is

  function unpack({ digit, pixels, inside }) {
    const bytes = decode(inside.bytes);
    let place = 0;
    const take = (count) => bytes.subarray(place, (place += count));
    const scaled = (count, scale) => Float32Array.from(take(count), (b) => (b / 255) * scale);
    const [conv1, conv2, fc1, fc2, why] = inside.scales;
    values = {
      frame: take(FRAME * FRAME),
      input: decode(pixels),
      conv1: scaled(6 * 28 * 28, conv1),
      conv2: scaled(16 * 10 * 10, conv2),
      fc1: scaled(120, fc1),
      fc2: scaled(84, fc2),
      why: Float32Array.from(take(INPUT * INPUT), (b) => (b - 128) / 127),
      logits: inside.logits,
    };
    values.pool1 = pool(values.conv1, 6, 28);
    values.pool2 = pool(values.conv2, 16, 10);
    values.scales = { frame: 255, input: 255, conv1, pool1: conv1, conv2, pool2: conv2, fc1, fc2 };
    answer = { digit, why: inside.why, whyScale: why };
  }

  function pool(from, count, side) {
    const half = side / 2;
    const to = new Float32Array(count * half * half);
    for (let map = 0, i = 0; map < count; map++)
      for (let y = 0; y < side; y += 2)
        for (let x = 0; x < side; x += 2) {
          const at = (map * side + y) * side + x;
          to[i++] = Math.max(from[at], from[at + 1], from[at + side], from[at + side + 1]);
        }
    return to;
  }

  // The weights come once for a network: kernels and biases of conv1 and conv2, and fc3.
  async function fetchWeights(of, checkpoint) {
    if (network === of) return;
    network = of;
    weights = null;
    const found = await server.read_weights(checkpoint);
    if (network !== of) return;
    if (!found?.weights) {
      network = null; // the next answer asks again
      return;
    }
    const floats = new Float32Array(decode(found.weights).buffer);
    let place = 0;
    const take = (count) => floats.subarray(place, (place += count));
    weights = {
      conv1: { kernels: take(6 * 25), biases: take(6) },
      conv2: { kernels: take(16 * 6 * 25), biases: take(16) },
      fc3: { kernels: take(10 * 84), biases: take(10) },
    };
    look();
  }

  // ---------------------------------------------------------------- the pictures

  const canvases = [];

  for (const { title, text, pictures } of SECTIONS) {
    const section = make("section");
    const row = make("div", { className: `maps ${title.toLowerCase()}` });
    for (const picture of pictures) row.append(figure(picture));
    section.append(make("h3", { textContent: title }), make("p", { textContent: text }), row);
    find("inside-layers").append(section);
  }

  function figure(picture) {
    const { name, map, side, rows = side, label } = picture;
    const holder = make("figure", { tabIndex: 0, role: "img", ariaLabel: label });
    const canvas = make("canvas", { width: side, height: rows });
    Object.assign(canvas.dataset, { layer: name, map: map ?? "" });
    const mark = make("i", { hidden: true });
    const frame = make("div");
    frame.append(canvas, mark);
    holder.append(frame);
    if (map === undefined && rows === side) {
      holder.append(make("figcaption", { textContent: label }));
    }
    canvases.push({ ...picture, rows, canvas, mark, holder });
    const point = canvases.at(-1);
    holder.addEventListener("pointermove", (event) => pointAt(point, event));
    holder.addEventListener("pointerdown", (event) => pointAt(point, event));
    holder.addEventListener(
      "focus",
      () => spot?.on !== point && lookAt(point, side >> 1, rows >> 1),
    );
    holder.addEventListener("keydown", (event) => step(point, event));
    return holder;
  }

  const outputs = make("div", { className: "outputs" });
  const outputButtons = Array.from({ length: 10 }, (_, digit) => {
    const button = make("button", { type: "button" });
    button.append(make("b", { textContent: digit }), make("span"));
    const point = { name: "output", digit, holder: button };
    button.addEventListener("pointerenter", () => lookAt(point));
    button.addEventListener("focus", () => lookAt(point));
    button.addEventListener("click", () => askWhy(digit));
    return button;
  });
  outputs.append(...outputButtons);
  const last = make("section");
  last.append(
    make("h3", { textContent: "Output" }),
    make("p", {
      textContent:
        "Ten weighted sums of the 84, the logits: the highest wins, and softmax turns them into the probabilities. Press a digit to see which ink speaks for it (orange) and which against it (blue).",
    }),
    outputs,
  );
  find("inside-layers").append(last);

  function paintAll() {
    const contributions = spot?.on.name === "output" && pushes(spot.on.digit);
    for (const { name, map = 0, side, rows, canvas } of canvases) {
      if (name === "why") paintPixels(canvas, whyColour);
      else if (name === "fc2" && contributions) {
        const most = Math.max(...contributions.map(Math.abs), 1e-6);
        paintPixels(canvas, (i) => twoSided(contributions[i] / most));
      } else {
        const start = map * side * rows;
        const bright = 255 / values.scales[name];
        paintPixels(canvas, (i) => gray(Math.round(values[name][start + i] * bright)));
      }
    }
    const { why, digit } = answer;
    const caption = canvases.find((c) => c.name === "why").holder.querySelector("figcaption");
    caption.textContent = why === digit ? `Why ${why}?` : `Why not ${why}?`;
    outputButtons.forEach((button, d) => {
      button.lastChild.textContent = number(values.logits[d]);
      button.classList.toggle("best", d === digit);
      button.ariaPressed = String(d === why);
      button.ariaLabel = `Why ${d}? Its logit is ${number(values.logits[d])}`;
    });
  }

  // Ink that speaks for the digit orange, against it blue, and ink that does not matter gray.
  function whyColour(i) {
    const share = values.why[i];
    const to = share < 0 ? BLUE : ORANGE;
    const part = Math.min(1, Math.sqrt(Math.abs(share)));
    const ink = values.input[i] * 0.45;
    return to.map((c) => Math.round(ink + (Math.min(255, c * 1.25) - ink) * part));
  }

  // ---------------------------------------------------------------- the lens

  const lens = find("lens");
  let spot = null; // where the visitor points: {on: picture or output, x, y}

  function pointAt(point, event) {
    const box = point.canvas.getBoundingClientRect();
    const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const x = place((event.clientX - box.left) / box.width, point.side);
    const y = place((event.clientY - box.top) / box.height, point.rows);
    lookAt(point, x, y);
  }

  function step(point, event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!way[event.key] || spot?.on !== point) return;
    event.preventDefault();
    const [dx, dy] = way[event.key];
    const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
    lookAt(point, clamp(spot.x + dx, point.side), clamp(spot.y + dy, point.rows));
  }

  function lookAt(on, x = 0, y = 0) {
    const painted = spot?.on.name === "output" || on.name === "output";
    spot = { on, x, y };
    if (painted && values) paintAll();
    look();
  }

  function look() {
    for (const { mark } of canvases) mark.hidden = true;
    lens.hidden = !values || !spot;
    if (lens.hidden) return;
    const { on, x, y } = spot;
    if (on.mark) setMark(on, x, y, 1);
    const explain = {
      output: explainOutput,
      frame: explainPixel,
      input: explainPixel,
      why: explainWhy,
      conv1: explainConvolution,
      conv2: explainConvolution,
      pool1: explainPool,
      pool2: explainPool,
      fc1: explainUnit,
      fc2: explainUnit,
    };
    lens.firstElementChild.replaceChildren(...explain[on.name](on, x, y));
    placeSheet();
  }

  // On a narrow screen the lens is a sheet (inside.css): in the half where the finger is not, and
  // gone with what it explains.
  const isSheet = () => getComputedStyle(lens).position === "fixed";

  function placeSheet() {
    const { top, bottom } = spot.on.holder.getBoundingClientRect();
    lens.classList.toggle("above", top + bottom > innerHeight);
    if (isSheet() && (bottom < 0 || top > innerHeight)) closeLens();
  }

  function closeLens() {
    spot = null;
    look();
  }

  lens.querySelector("button").addEventListener("click", closeLens);
  addEventListener("scroll", () => lens.hidden || placeSheet(), { passive: true });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!target.closest("#lens, #inside figure, #inside .outputs") && isSheet()) closeLens();
  });

  function setMark({ mark, side, rows }, x, y, size) {
    const percent = (share) => `${100 * share}%`;
    Object.assign(mark.style, {
      left: percent(x / side),
      top: percent(y / rows),
      width: percent(size / side),
      height: percent(size / rows),
    });
    mark.hidden = false;
  }

  const say = (text) => make("p", { textContent: text });
  const head = (text) => make("h4", { textContent: text });
  const place = (x, y) => `Row ${y + 1}, column ${x + 1}`;

  function explainPixel({ name, side, label }, x, y) {
    const value = values[name][y * side + x];
    const norm = (value / 255 - MEAN) / STD;
    const end =
      name === "input"
        ? `; the network takes (${value} ÷ 255 − ${MEAN}) ÷ ${STD} = ${number(norm)}`
        : "";
    return [head(label), say(`${place(x, y)}: ${value} of 255${end}.`)];
  }

  function explainWhy({ side }, x, y) {
    const value = values.why[y * side + x] * answer.whyScale;
    const way = value < 0 ? "against" : "for";
    return [
      head(`Why ${answer.why === answer.digit ? "" : "not "}${answer.why}?`),
      say(
        `${place(x, y)}: this pixel changes the logit of ${answer.why} by ${number(value)}, ${way} it.`,
      ),
      say(
        "Integrated gradients: the picture is faded in from blank paper, and each pixel gets its share of what that does to the logit, compared with the mean of all ten.",
      ),
    ];
  }

  function explainConvolution({ name, map, side, label }, x, y) {
    if (!weights) return [head(label), say("The weights are on their way.")];
    const { kernels, biases } = weights[name];
    const [source, count, width] = name === "conv1" ? ["input", 1, INPUT] : ["pool1", 6, 14];
    const most = Math.max(...kernels.map(Math.abs));
    const brightest = source === "input" ? (1 - MEAN) / STD : values.scales.pool1;
    const darkest = source === "input" ? -MEAN / STD : 0;
    const shade = (value) => gray((255 * (value - darkest)) / (brightest - darkest));
    const colour = (weight) => twoSided(weight / most);
    const pairs = Array.from({ length: count }, (_, from) => {
      const start = (map * count + from) * KERNEL * KERNEL;
      const kernel = kernels.subarray(start, start + KERNEL * KERNEL);
      const patch = patchOf(source, from, width, x, y);
      const input = canvases.find((c) => c.name === source && (c.map ?? 0) === from);
      setMark(input, x, y, KERNEL);
      return { from, patch, kernel, sum: patch.reduce((s, value, i) => s + value * kernel[i], 0) };
    });
    const inNumbers = ({ patch, kernel }, patchLabel, kernelLabel) =>
      make(
        "div",
        { className: "pair" },
        grid(patch, shade, patchLabel),
        "×",
        grid(kernel, colour, kernelLabel),
      );
    const inColours = ({ from, patch, kernel, sum }) =>
      make(
        "figure",
        {},
        swatch(patch, shade),
        swatch(kernel, colour),
        make("figcaption", { textContent: `map ${from + 1}: ${number(sum)}` }),
      );
    const first = pairs.reduce((a, b) => (Math.abs(b.sum) > Math.abs(a.sum) ? b : a));
    const sum = pairs.reduce((all, pair) => all + pair.sum, 0);
    const bias = biases[map];
    const total = sum + bias;
    const kept = total > 0 ? "ReLU keeps it" : "ReLU makes it 0";
    return [
      head(label),
      say(
        `${place(x, y)}: the products add up to ${number(sum)}; with the bias ${number(bias)} that is ${number(total)}, and ${kept}.`,
      ),
      ...(count === 1
        ? [inNumbers(first, "patch of the input", "kernel")]
        : [
            make("div", { className: "pairs" }, ...pairs.map(inColours)),
            inNumbers(first, `pool1, map ${first.from + 1}`, `kernel ${first.from + 1}`),
          ]),
    ];
  }

  function patchOf(source, map, width, x, y) {
    const patch = [];
    for (let row = y; row < y + KERNEL; row++)
      for (let column = x; column < x + KERNEL; column++) {
        const value = values[source][(map * width + row) * width + column];
        patch.push(source === "input" ? (value / 255 - MEAN) / STD : value);
      }
    return patch;
  }

  function swatch(numbers, colour) {
    const canvas = make("canvas", { width: KERNEL, height: KERNEL });
    paintPixels(canvas, (i) => colour(numbers[i]));
    return canvas;
  }

  function grid(numbers, colour, label) {
    const holder = make("figure", { className: "numbers" });
    const cells = make("div");
    for (const value of numbers) {
      const [red, green, blue] = colour(value);
      const cell = make("span", { textContent: number(value) });
      cell.style.background = `rgb(${red} ${green} ${blue})`;
      cell.style.color = 0.3 * red + 0.6 * green + 0.1 * blue > 128 ? "black" : "white";
      cells.append(cell);
    }
    holder.append(cells, make("figcaption", { textContent: label }));
    return holder;
  }

  function explainPool({ name, map, side, label }, x, y) {
    const from = name.replace("pool", "conv");
    const width = 2 * side;
    const source = canvases.find((c) => c.name === from && c.map === map);
    setMark(source, 2 * x, 2 * y, 2);
    const at = (map * width + 2 * y) * width + 2 * x;
    const block = [at, at + 1, at + width, at + width + 1].map((i) => values[from][i]);
    const shade = (value) => gray((255 * value) / values.scales[from]);
    const picture = grid(block, shade, `2×2 block of ${from}, map ${map + 1}`);
    picture.classList.add("block");
    return [
      head(label),
      picture,
      say(`${place(x, y)}: the largest of the four, ${number(Math.max(...block))}.`),
    ];
  }

  function explainUnit({ name, side, label }, x, y) {
    const unit = y * side + x;
    return [head(label), say(`Unit ${unit + 1}: ${number(values[name][unit])}.`)];
  }

  // What each of the 84 units adds to a digit's logit.
  function pushes(digit) {
    if (!weights) return null;
    return Array.from(values.fc2, (value, i) => value * weights.fc3.kernels[84 * digit + i]);
  }

  function explainOutput({ digit }) {
    const each = pushes(digit);
    if (!each) return [head(`Output ${digit}`), say("The weights are on their way.")];
    const units = each.map((push, unit) => ({ push, unit })).sort((a, b) => b.push - a.push);
    const add = (list) => list.reduce((sum, { push }) => sum + push, 0);
    const list = (found) =>
      found.map(({ push, unit }) => `${unit + 1} (${number(push)})`).join(", ");
    const pro = units.filter(({ push }) => push > 0);
    const contra = units.filter(({ push }) => push < 0).reverse();
    const bias = weights.fc3.biases[digit];
    return [
      head(`Output ${digit}: logit ${number(values.logits[digit])}`),
      say(
        `${pro.length} of the 84 units push for ${digit}, ${number(add(pro))} in all; the strongest are ${list(pro.slice(0, 3))}.`,
      ),
      say(
        `${contra.length} push against it, ${number(add(contra))} in all; the strongest are ${list(contra.slice(0, 3))}.`,
      ),
      say(
        `The bias adds ${number(bias)}. In fc2 the units that push for it are orange now, those against it blue.`,
      ),
    ];
  }

  // ---------------------------------------------------------------- open, closed, asked

  let chosen = null; // the digit whose ink is looked for; null for the one that is read

  function ask() {
    askInside(view.open ? { why: chosen } : null);
  }

  function askWhy(digit) {
    chosen = digit === answer?.digit ? null : digit;
    ask();
  }

  view.addEventListener("toggle", ask);
  // A digit of a data set is on the pad: as soon as both are there, bring them into sight. The
  // space that inside.css keeps below the summary shows the first pictures.
  onOpenFrame(() => {
    view.open = true;
    const appears = new ResizeObserver(() => {
      if (!find("inside-body").clientHeight) return; // its tab is not open yet, or nothing is read
      appears.disconnect();
      const behavior = wantsStillness() ? "instant" : "smooth";
      view.querySelector("summary").scrollIntoView({ block: "end", behavior });
    });
    appears.observe(find("inside-body"));
  });

  onAnswer((detail) => {
    if (!view.open) return;
    if (detail.digit === null) {
      values = answer = null;
      if (chosen !== null) askWhy(null);
    }
    find("inside-body").hidden = !values && !detail.inside;
    find("inside-empty").hidden = !find("inside-body").hidden;
    if (!detail.inside) return;
    unpack(detail);
    paintAll();
    look();
    fetchWeights(detail.inside.network, detail.checkpoint);
  });

  look();
}
