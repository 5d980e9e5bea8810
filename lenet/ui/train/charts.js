// The charts of the latest run, and of others that the visitor compares with it.
//
// `props.value` is the latest run, as tab.py says; the table of runs tells which others are drawn
// over it, and their curves are fetched once. Inline SVG is light enough to be drawn anew twice a
// second; its colours come from train.css.

import { make } from "../shared/dom.js";
import { onCompare } from "../shared/events.js";
import { AXES, endOf, framed, meanOf, place, told } from "./plot.js";

/** @import { View } from "../shared/dom.js" */
/** @import { Compared } from "../shared/events.js" */
/** @import { Axis, Chart, Curves, Line, Point } from "./plot.js" */

/** The latest run: `Live` of tab.py. @typedef {Curves & { run: string | null, alive: boolean }} Live */
/** What is drawn of a run, or of several: `name` is its CSS class. @typedef {{ name: string, title: string, charts: Chart[][], epochs: number }} Shown */

const MAX_DOTS = 30; // of a line: with more it is drawn without them
const FEW_DOTS = 5; // the same of a thin line
const SVG = "http://www.w3.org/2000/svg";

/** @param {View<{ value: Live | null }, unknown>} view */
export function mount({ element, props, watch }) {
  /** @type {Compared} */
  let compared = { bySeconds: false, runs: [] };
  /** By the address, which changes with the log. @type {Map<string, Curves>} */
  const fetched = new Map();

  /** @param {string} address */
  async function fetchCurves(address) {
    try {
      const answer = await fetch(new URL(address, document.baseURI));
      if (answer.ok) fetched.set(address, await answer.json());
    } catch {
      // The server does not answer: the next change asks again.
    }
  }

  /** @param {Compared} wanted */
  async function compare(wanted) {
    compared = wanted;
    draw();
    const addresses = wanted.runs.flatMap((run) => run.curves);
    await Promise.all(addresses.filter((address) => !fetched.has(address)).map(fetchCurves));
    for (const address of fetched.keys()) {
      if (!compared.runs.some((run) => run.curves.includes(address))) fetched.delete(address);
    }
    if (compared === wanted && addresses.length > 0) draw();
  }

  /** The others, and the latest run unless it has ended and others are compared. @returns {Shown[]} */
  function shown() {
    const live = props.value;
    const others = compared.runs
      .filter(({ names }) => names.length > 1 || !live?.alive || names[0] !== live.run)
      .map(({ slot, title, curves }) => {
        const known = curves.map((address) => fetched.get(address)).filter((one) => one != null);
        return {
          name: `run-${slot}`,
          title,
          charts: known.map(({ charts }) => charts),
          epochs: Math.max(...known.map(({ epochs }) => epochs)),
        };
      })
      .filter(({ charts }) => charts.length > 0);
    if (!live?.charts?.length || (others.length > 0 && !live.alive)) return others;
    const own = { name: "live", title: "", charts: [live.charts], epochs: live.epochs };
    return [...others, own];
  }

  function draw() {
    const runs = shown();
    const charts = runs.at(-1)?.charts[0] ?? []; // every run has the same
    element.replaceChildren(
      legend(runs),
      ...charts.map((_, i) => chart(i, runs, compared.bySeconds)),
    );
  }

  watch("value", draw);
  onCompare(compare);
  draw();
}

/** @param {Shown[]} runs */
function legend(runs) {
  const keys = runs.map(({ name, title }) =>
    make("span", { className: `key ${name}` }, title || "this run"),
  );
  return make("p", { className: "keys", hidden: runs.every(({ title }) => !title) }, ...keys);
}

/**
 * One chart of all runs.
 *
 * @param {number} i which one
 * @param {Shown[]} runs
 * @param {boolean} bySeconds
 * @param {string} across what the horizontal axis counts
 */
export function chart(i, runs, bySeconds, across = bySeconds ? "seconds" : "epoch") {
  const [{ title, axis: kind }] = runs.map(({ charts }) => charts[0][i]).slice(-1);
  const drawn = runs.flatMap(({ name, charts }) => {
    const same = charts.map((of) => of[i]);
    return Object.keys(same[0].lines).map((line) => ({ name, line, ...join(same, line) }));
  });
  const axis = AXES[kind](framed(drawn).map(([, , value]) => value));
  const end = endOf(drawn, Math.max(...runs.map(({ epochs }) => epochs)), bySeconds);
  const lines = [...new Set(drawn.map(({ line }) => line))];
  const plain = runs.every(({ name }) => name !== "live") ? "plain" : "";
  const keys = lines.map((line) => make("span", { className: `key ${plain} ${line}` }, line));
  const passed = runs.flatMap(({ name, charts }) =>
    name === "live" ? (charts[0][i].passed ?? []) : [],
  );
  return make(
    "figure",
    { className: "chart" },
    make("figcaption", {}, make("b", {}, title), ...(lines.length > 1 ? keys : [])),
    make(
      "div",
      { className: "plot" },
      labels(axis),
      plot(title, axis, end, drawn, passed, bySeconds),
    ),
    make(
      "div",
      { className: "epochs" },
      ...["0", across, end.toFixed(bySeconds && end < 100 ? 1 : 0)].map((text) =>
        make("span", {}, text),
      ),
    ),
    ...(passed.length > 0 ? [make("p", { className: "passed" }, told(passed))] : []),
  );
}

/** The line of one run, or of several their mean. @param {Chart[]} charts @param {string} line @returns {Line} */
function join(charts, line) {
  const lines = charts.map(({ lines }) => lines[line] ?? []);
  return lines.length === 1 ? { points: lines[0] } : meanOf(lines);
}

/** @param {Axis} axis */
function labels(axis) {
  const texts = axis.labels.map(([value, text]) => {
    const label = make("span", {}, text);
    label.style.top = `${place(axis, value)}%`;
    return label;
  });
  return make("div", { className: "values" }, ...texts);
}

/**
 * @param {string} title
 * @param {Axis} axis
 * @param {number} end of the horizontal axis
 * @param {(Line & { name: string, line: string })[]} lines
 * @param {[number, Point][]} passed
 * @param {boolean} bySeconds
 */
function plot(title, axis, end, lines, passed, bySeconds) {
  /** @param {Point} point @returns {[string, string]} */
  const at = ([epoch, seconds, value]) => [
    ((100 * (bySeconds ? seconds : epoch)) / end).toFixed(2),
    place(axis, value).toFixed(2),
  ];
  const grid = axis.labels.map(([value]) => {
    const y = `${place(axis, value)}%`;
    return svg("line", { x2: "100%", y1: y, y2: y });
  });
  const groups = lines.map(({ name, line, points, band }) => {
    const places = points.map(at);
    const corners = [svg("polyline", { points: places.join(" ") })];
    if (band) {
      const around = [...band[0], ...band[1].toReversed()].map(at);
      corners.unshift(svg("polygon", { points: around.join(" ") }));
    }
    // Only the line is stretched with the chart, so that its dots stay round.
    const box = { viewBox: "0 0 100 100", preserveAspectRatio: "none" };
    const [most, r] = name === "live" ? [MAX_DOTS, "3.5"] : [FEW_DOTS, "2.5"];
    const few = places.length <= most ? places : [];
    const dots = few.map(([x, y]) => svg("circle", { cx: `${x}%`, cy: `${y}%`, r }));
    return svg("g", { class: `${name} ${line}` }, svg("svg", box, ...corners), ...dots);
  });
  const goals = passed.map(([, point]) => {
    const [x, y] = at(point);
    return svg("circle", { class: "goal", cx: `${x}%`, cy: `${y}%`, r: "6" });
  });
  return svg("svg", { role: "img", "aria-label": title }, ...grid, ...groups, ...goals);
}

/** @param {string} tag @param {Record<string, string>} attributes @param {Element[]} children */
function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
