// What the table of runs computes and says of its rows, apart from the page.

import { count, percent } from "../shared/formats.js";
import { mean } from "./plot.js";

/** What a run is trained with: `Setting` of runs_table.py. @typedef {{ recipe: string, data: string, epochs: number, batch_size: number, learning_rate: number, seed: number }} Setting */

/**
 * A run: `Row` of runs_table.py.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {string} title
 * @property {string} group what runs that differ in their seed have in common, else empty
 * @property {Setting | null} setting
 * @property {number} done whole epochs
 * @property {number | null} accuracy
 * @property {number | null} seconds
 * @property {string} state
 * @property {string} message
 * @property {number | null} when
 * @property {string} network
 * @property {string} resume
 */

/** A line of the table: a run, or several that differ in their seed. @typedef {{ key: string, title: string, rows: Row[] }} Entry */

/** What the table shows of an entry: the heading, the text, and whether it is a setting. @typedef {{ key: string, head: string, text: (entry: Entry) => string, isSetting: boolean }} Column */

const MOST_TOLD = 3; // settings beside a title in the charts' legend

/** @type {Column[]} */
export const COLUMNS = [
  setting("recipe", "Recipe", ({ recipe }) => recipe),
  setting("data", "Data", ({ data }) => data),
  setting("epochs", "Epochs", ({ epochs }) => `${epochs}`),
  setting("batch", "Batch", ({ batch_size }) => `${batch_size}`),
  setting("rate", "Rate", ({ learning_rate }) => `${learning_rate}`),
  setting("seed", "Seed", ({ seed }) => `${seed}`),
  outcome("accuracy", "Test", ({ rows }) => accuracyText(accuraciesOf(rows))),
  outcome("seconds", "Seconds", ({ rows }) => secondsText(rows)),
  outcome("state", "State", stateText),
];

/** @param {string} key @param {string} head @param {(setting: Setting) => string} of @returns {Column} */
function setting(key, head, of) {
  const text = (/** @type {Entry} */ { rows }) => {
    const texts = new Set(rows.map(({ setting }) => (setting ? of(setting) : "")));
    const all = [...texts];
    return all.length === 1 ? all[0] : `${all.at(-1)} … ${all[0]}`; // the newest comes first
  };
  return { key, head, text, isSetting: true };
}

/** @param {string} key @param {string} head @param {(entry: Entry) => string} text @returns {Column} */
function outcome(key, head, text) {
  return { key, head, text, isSetting: false };
}

/** @param {Row[]} rows */
const accuraciesOf = (rows) =>
  rows.map(({ accuracy }) => accuracy).filter((accuracy) => accuracy !== null);

/** @param {number[]} accuracies */
function accuracyText(accuracies) {
  if (accuracies.length === 0) return "";
  const text = percent(mean(accuracies), 2);
  return accuracies.length === 1 ? text : `${text} ±${half(accuracies)}`;
}

/** Half of what lies between the lowest and the highest, in points. @param {number[]} accuracies */
const half = (accuracies) => (50 * rangeOf(accuracies)).toFixed(2);

/** @param {Row[]} rows */
function secondsText(rows) {
  const known = rows.map(({ seconds }) => seconds).filter((seconds) => seconds !== null);
  return known.length === 0 ? "" : mean(known).toFixed(mean(known) < 100 ? 1 : 0);
}

/** @param {Entry} entry */
function stateText({ rows }) {
  const [{ state, done, setting }] = rows;
  if (rows.length > 1) {
    const finished = rows.filter((row) => row.state === "finished").length;
    return `${finished} of ${rows.length} finished`;
  }
  const isMidway = setting && ["stopped", "failed"].includes(state);
  return isMidway ? `${state}, ${done} of ${setting.epochs}` : state;
}

/**
 * The lines of the table: runs that differ in their seed alone are one, where the newest of them is.
 *
 * @param {Row[]} rows
 * @returns {Entry[]}
 */
export function entriesOf(rows) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) {
    const key = row.group || row.name;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups].map(([key, rows]) => ({ key, title: titleOf(rows), rows }));
}

/** @param {Row[]} rows */
const titleOf = ([first]) => (first.group ? first.title.replace(SEED, "") : first.title);

const SEED = /, seed \d+$/;

/** What a run of a group is to be called. @param {string} title of the group @param {Row} row */
export const memberTitle = (title, { group, setting }) =>
  group && title ? `${title}, seed ${setting?.seed}` : title;

/** Which columns to show: of the settings all, or those in which the entries differ. @param {Entry[]} compared @param {boolean} onlyDiffering */
export function columnsOf(compared, onlyDiffering) {
  if (!onlyDiffering || compared.length < 2) return COLUMNS;
  return COLUMNS.filter(
    ({ isSetting, text }) => !isSetting || new Set(compared.map(text)).size > 1,
  );
}

/**
 * What the charts call an entry: its title, and the settings in which it differs from the others;
 * where these are many, the table has to tell.
 *
 * @param {Entry} entry
 * @param {Entry[]} compared
 */
export function labelOf(entry, compared) {
  const areGroups = compared.some(({ rows }) => rows.length > 1);
  const differing = columnsOf(compared, true).filter(
    ({ isSetting, key }) => isSetting && !(areGroups && key === "seed"),
  );
  if (compared.length < 2 || differing.length > MOST_TOLD) return entry.title;
  const told = differing
    .map(({ key, head, text }) =>
      key === "recipe" || key === "data" ? text(entry) : `${head.toLowerCase()} ${text(entry)}`,
    )
    .filter((words) => !entry.title.includes(words)); // somebody called it that
  return told.length ? `${entry.title}: ${told.join(", ")}` : entry.title;
}

/** @param {number[]} values */
const rangeOf = (values) => Math.max(...values) - Math.min(...values);

/**
 * Whether two settings with several seeds each differ by more than their seeds do, in a sentence;
 * empty where that cannot be said.
 *
 * @param {Entry[]} compared
 */
export function verdict(compared) {
  const measured = compared.map(({ title, rows }) => ({ title, values: accuraciesOf(rows) }));
  if (measured.length !== 2 || measured.some(({ values }) => values.length < 2)) return "";
  const [best, other] = measured.toSorted((a, b) => mean(b.values) - mean(a.values));
  const difference = 100 * (mean(best.values) - mean(other.values));
  const spread = 100 * Math.max(rangeOf(best.values), rangeOf(other.values));
  const is = difference > spread ? "larger than the spread" : "no larger than the spread";
  return (
    `On average “${best.title}” reads ${difference.toFixed(2)} points more of the test images than ` +
    `“${other.title}”; seeds alone make up to ${spread.toFixed(2)}: the difference is ${is} of the seeds.`
  );
}

/** The text of the button that shows the rest. @param {number} all */
export const moreText = (all) => `Show all ${count(all)}`;

/** The lowest number of a colour that none has. @param {Iterable<number>} taken */
export function freeSlot(taken) {
  const used = new Set(taken);
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}
