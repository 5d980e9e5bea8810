// Maps and units of the network that a visitor has silenced, and what the network reads without them.

import { make, makeButton, setText } from "../shared/dom.js";
import { count, percent } from "../shared/formats.js";
import { ask, failed } from "../shared/report.js";

/** @import { Call, finder } from "../shared/dom.js" */
/** @import { Picture } from "./sections.js" */

/** A layer's name, and which of its maps or units. @typedef {[string, number]} Unit */
/** `Accuracy` of draw/inside.py. @typedef {{ data: string, count: number, whole: number, without: number }} Accuracy */
/** @typedef {Call<{ checkpoint: string, silenced: Unit[] }, Accuracy>} AccuracyWithout */

const PATIENCE = 300; // milliseconds: several that are silenced at once make one question

/**
 * The map or the unit that a pixel of a picture belongs to; null where that cannot be silenced.
 *
 * @param {Pick<Picture, "name" | "map" | "width">} picture
 * @param {number} x
 * @param {number} y
 * @returns {Unit | null}
 */
export function unitAt({ name, map, width }, x, y) {
  if (/^(conv|pool)/.test(name)) return [name.replace("pool", "conv"), map ?? 0];
  return /^fc[12]$/.test(name) ? [name, y * width + x] : null;
}

/** @param {Unit} unit */
export const nameOf = ([layer, number]) =>
  `${layer.startsWith("conv") ? "map" : "unit"} ${number + 1} of ${layer}`;

/** The accuracy in a sentence. @param {Accuracy} accuracy */
export function toldOf({ data, count: all, whole, without }) {
  const images = `${count(all)} ${data === "mnist" ? "" : "synthetic "}test images`;
  return `Of ${images} ${percent(without / all, 2)} are read right without it, ${percent(whole / all, 2)} with it.`;
}

/**
 * @param {ReturnType<typeof finder>} find
 * @param {AccuracyWithout} accuracyWithout
 * @param {() => void} changed asks for an answer without what is silenced now
 */
export function silencing(find, accuracyWithout, changed) {
  /** @type {Map<string, Unit>} */
  const silenced = new Map();
  let checkpoint = "";
  let timer = 0;
  let asked = 0; // goes up with every question: only the latest is answered

  const key = (/** @type {Unit} */ unit) => unit.join(" ");
  const units = () => [...silenced.values()];

  /** @param {Unit} unit */
  function toggle(unit) {
    if (!silenced.delete(key(unit))) silenced.set(key(unit), unit);
    changed();
    show();
  }

  function show() {
    clearTimeout(timer);
    asked += 1;
    find("#silenced").hidden = silenced.size === 0;
    setText(find("#silenced b"), `Silenced: ${units().map(nameOf).join(", ")}.`);
    setText(find("#silenced span"), "");
    if (silenced.size) timer = window.setTimeout(judge, PATIENCE);
  }

  async function judge() {
    const mine = asked;
    const answer = await ask(accuracyWithout, { checkpoint, silenced: units() });
    if (mine !== asked) return;
    setText(find("#silenced span"), failed(answer) ? answer.error : toldOf(answer));
  }

  find("#silenced button").addEventListener("click", () => {
    silenced.clear();
    changed();
    show();
  });

  return {
    units,
    toggle,
    /** @param {Unit | null} unit */
    has: (unit) => unit !== null && silenced.has(key(unit)),
    /** Another network reads. @param {string} name */
    readsWith(name) {
      if (name === checkpoint) return;
      checkpoint = name;
      show();
    },
    /** What the lens offers for a unit. @param {Unit} unit */
    content(unit) {
      const is = silenced.has(key(unit));
      const text = `${is ? "Restore" : "Silence"} ${nameOf(unit)}`;
      const button = makeButton(text, () => toggle(unit));
      return is ? [make("p", {}, "It is silenced now: its output is 0."), button] : [button];
    },
  };
}
