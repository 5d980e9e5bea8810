// The table of all runs: which of them lie over each other in the charts, and what is done with each.
//
// `rows` is what the server has told last. A line is a run, or several that differ in their seed;
// `ticked` are the keys of the lines that are compared, each with the number of its colour.

import { finder, make, makeButton, setText } from "../shared/dom.js";
import { tellCompare } from "../shared/events.js";
import { when } from "../shared/formats.js";
import { ask, failed } from "../shared/report.js";
import { columnsOf, entriesOf, freeSlot, labelOf, memberTitle, moreText, verdict } from "./rows.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Column, Entry, Row } from "./rows.js" */

/** @typedef {{ value: unknown, training: string, owner: "anyone" | "password" | "nobody", most: number }} Props */
/** @typedef {{ run: string, password: string, title?: string }} Asked */

/**
 * @typedef {object} Server
 * @property {Call<Asked, object>} rename_run
 * @property {Call<Asked, object>} delete_run
 * @property {Call<Asked, object>} resume_run
 * @property {Call<Asked, object>} take_out_run
 */

const AT_FIRST = 6; // lines
const LONGEST = 60; // characters of a title

/** @param {View<Props, Server>} view */
export function mount({ element, props, server, trigger, watch }) {
  const find = finder(element);
  const section = find("#all-runs");
  const differing = find("#runs-differing", HTMLInputElement);
  const bySeconds = find("#runs-seconds", HTMLInputElement);
  const password = find("#runs-owner input", HTMLInputElement);

  /** @type {Entry[]} */
  let entries = [];
  /** @type {Map<string, number>} */
  const ticked = new Map();
  /** The key of the line whose buttons are shown. @type {string | null} */
  let open = null;
  /** What is asked of it. @type {"rename" | "delete" | null} */
  let question = null;
  let showsAll = false;

  // ---------------------------------------------------------------- asking

  let isFresh = false;
  let asked = 0; // goes up with every question: of two answers the later one counts

  async function refresh() {
    isFresh = isVisible();
    if (!isFresh) return;
    const mine = ++asked;
    try {
      const answer = await fetch(new URL("runs", document.baseURI));
      const { rows } = await answer.json();
      if (mine !== asked) return;
      if (answer.ok) take(rows);
    } catch {
      isFresh = false; // the server does not answer: it is asked again when the tab is opened
    }
  }

  const isVisible = () => element.clientWidth > 0;

  /** @param {Row[]} rows */
  function take(rows) {
    entries = entriesOf(rows);
    const keys = new Set(entries.map(({ key }) => key));
    for (const key of ticked.keys()) if (!keys.has(key)) ticked.delete(key);
    if (open !== null && !keys.has(open)) [open, question] = [null, null];
    show();
    compare();
  }

  /** Ask for something to be done with all runs of a line. @param {Server["rename_run"]} call @param {Row[]} rows @param {(row: Row) => object} [more] */
  async function act(call, rows, more = () => ({})) {
    complain("");
    const isHere = element.contains(document.activeElement);
    for (const row of rows) {
      const asked = { run: row.name, password: password.value, ...more(row) };
      const answer = await ask(call, asked);
      if (failed(answer)) {
        complain(answer.error);
        break;
      }
    }
    question = null;
    await refresh();
    if (isHere && document.activeElement === document.body) {
      const opened = element.querySelector("tr:has(+ .open) .do button");
      const next = opened ?? element.querySelector(".do button");
      if (next instanceof HTMLElement) next.focus({ preventScroll: true });
    }
    trigger("acted");
  }

  /** @param {string} error */
  function complain(error) {
    find(".error").hidden = !error;
    setText(find(".error"), error);
  }

  // ---------------------------------------------------------------- comparing

  const compared = () => entries.filter(({ key }) => ticked.has(key));

  function compare() {
    const chosen = compared();
    tellCompare({
      bySeconds: bySeconds.checked,
      runs: chosen.map(({ key, title, rows }) => ({
        slot: ticked.get(key) ?? 0,
        title: labelOf({ key, title, rows }, chosen),
        names: rows.map(({ name }) => name),
        curves: rows.filter(({ setting }) => setting).map(addressOfCurves),
      })),
    });
  }

  /** Changes with the log. @param {Row} row */
  const addressOfCurves = ({ name, when }) => `${addressOf(name)}/curves?${when}`;

  /** @param {string} name */
  const addressOf = (name) => `runs/${encodeURIComponent(name)}`;

  /** @param {string} key @param {boolean} on */
  function tick(key, on) {
    if (on) ticked.set(key, freeSlot(ticked.values()));
    else ticked.delete(key);
    show();
    compare();
  }

  // ---------------------------------------------------------------- what is shown

  function show() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.key;
    section.hidden = entries.length === 0;
    const chosen = compared();
    find(".compared").hidden = chosen.length === 0;
    setText(find("#runs-verdict"), verdict(chosen));
    const names = chosen.flatMap(({ rows }) => rows.map(({ name }) => name));
    const query = new URLSearchParams(names.map((name) => ["run", name]));
    find("#runs-csv", HTMLAnchorElement).href = `runs.csv?${query}`;
    const columns = columnsOf(chosen, differing.checked);
    find("thead").replaceChildren(heading(columns));
    const shown = entries.filter(({ key }, i) => showsAll || i < AT_FIRST || ticked.has(key));
    find("tbody").replaceChildren(...shown.flatMap((entry) => lines(entry, columns)));
    find("#runs-more").hidden = shown.length === entries.length;
    setText(find("#runs-more"), moreText(entries.length));
    find("#runs-owner").hidden = open === null || !wantsPassword();
    if (focused) {
      const again = element.querySelector(`[data-key="${CSS.escape(focused)}"]`);
      if (again instanceof HTMLElement) again.focus();
    }
  }

  const wantsPassword = () => props.owner === "password";

  /** @param {Column[]} columns */
  function heading(columns) {
    const named = [{ key: "name", head: "Name" }, ...columns, { key: "when", head: "When" }];
    return make(
      "tr",
      {},
      unseenHead("tick", "compare"),
      ...named.map(({ key, head }) => make("th", { className: key, scope: "col" }, head)),
      unseenHead("do", "actions"),
    );
  }

  /** @param {string} className @param {string} text */
  const unseenHead = (className, text) =>
    make("th", { className, scope: "col" }, make("span", { className: "unseen" }, text));

  /** A line, and where it is open the runs that it stands for and its buttons. @param {Entry} entry @param {Column[]} columns */
  function lines(entry, columns) {
    const shown = [line(entry, columns, false)];
    if (entry.key !== open) return shown;
    if (entry.rows.length > 1) {
      for (const row of entry.rows) {
        const title = `seed ${row.setting?.seed ?? ""}`;
        shown.push(line({ key: row.name, title, rows: [row] }, columns, true));
      }
    }
    shown.push(make("tr", { className: "open" }, actions(entry, columns.length + 4)));
    return shown;
  }

  /** @param {Entry} entry @param {Column[]} columns @param {boolean} isMember of a line that is open */
  function line(entry, columns, isMember) {
    const { key, title, rows } = entry;
    const [{ name, state, message, network }] = rows;
    const slot = ticked.get(key);
    const cells = columns.map((column) =>
      make("td", { className: column.key }, column.text(entry)),
    );
    const last = rows[0].when;
    const memberButton = network ? drawButton("Draw", network) : "";
    const [box, doing] = isMember ? ["", memberButton] : [tickBox(entry, slot), opener(entry)];
    return make(
      "tr",
      { className: [isMember ? "member" : "", `is-${state}`].join(" ") },
      make("td", { className: "tick" }, box),
      make(
        "th",
        { className: "name", scope: "row", title: name },
        title,
        message ? make("small", {}, message) : "",
      ),
      ...cells,
      make("td", { className: "when" }, last ? when(last) : ""),
      make("td", { className: "do" }, doing),
    );
  }

  /** @param {Entry} entry @param {number | undefined} slot @returns {HTMLElement} */
  function tickBox({ key, title, rows }, slot) {
    const box = document.createElement("input");
    Object.assign(box, {
      type: "checkbox",
      checked: slot !== undefined,
      disabled: !rows.some(({ setting, state }) => setting && state !== "waiting"),
      ariaLabel: `compare ${title}`,
      className: slot === undefined ? "" : `run-${slot}`,
    });
    if (slot === undefined && ticked.size >= props.most) {
      box.disabled = true;
      box.title = `${props.most} at most`;
    }
    box.dataset.key = `tick ${key}`;
    box.addEventListener("change", () => tick(key, box.checked));
    return box;
  }

  /** @param {Entry} entry @returns {HTMLElement} */
  function opener({ key, title, rows }) {
    if (rows.every(({ state }) => state === "waiting")) {
      const out = makeButton("Take out", () => act(server.take_out_run, rows));
      out.ariaLabel = `take ${title} out`;
      return out;
    }
    const opener = makeButton("⋯", () => {
      open = open === key ? null : key;
      question = null;
      complain("");
      show();
    });
    opener.ariaExpanded = `${open === key}`;
    opener.ariaLabel = `actions for ${title}`;
    opener.dataset.key = `open ${key}`;
    return opener;
  }

  /** @param {Entry} entry @param {number} width */
  function actions(entry, width) {
    const { rows } = entry;
    const cell = make("div", {});
    if (question === "rename") cell.append(...renaming(entry));
    else if (question === "delete") cell.append(...deleting(entry));
    else {
      if (rows.length === 1) cell.append(...singleActions(rows[0]));
      if (props.owner !== "nobody") {
        cell.append(
          makeButton("Rename", () => pose("rename")),
          makeButton("Delete", () => pose("delete")),
        );
      }
    }
    return make("td", { colSpan: width }, cell);
  }

  /** @param {"rename" | "delete" | null} what */
  function pose(what) {
    question = what;
    show();
    const first = element.querySelector("tr.open input, tr.open button");
    if (first instanceof HTMLElement) first.focus();
    if (first instanceof HTMLInputElement) first.select();
  }

  /** @param {string} text @param {string} network */
  const drawButton = (text, network) =>
    makeButton(text, () => {
      props.value = { draw: network };
      trigger("draw");
    });

  /** To the Results tab, beside another run that is ticked. @param {string} name @param {string} network */
  function resultsButton(name, network) {
    const others = compared().filter(({ rows }) => rows[0].name !== name && rows[0].network);
    const [other] = others.length === 1 ? others : [];
    return makeButton(other ? `Results beside ${other.title}` : "Results", () => {
      props.value = { results: [network, ...(other ? [other.rows[0].network] : [])] };
      trigger("results");
    });
  }

  /** @param {Row} row */
  function singleActions(row) {
    const { name, network, resume, setting } = row;
    /** @type {HTMLElement[]} */
    const shown = [];
    if (network) shown.push(drawButton("Draw with it", network), resultsButton(name, network));
    if (resume && props.training !== "off") {
      const text = resume.startsWith("from") ? `Resume ${resume}` : resume;
      shown.push(makeButton(text, () => act(server.resume_run, [row])));
    }
    if (setting) shown.push(make("a", { href: `${addressOf(name)}/log` }, "Log"));
    return shown;
  }

  /** @param {Entry} entry */
  function renaming({ title, rows }) {
    const input = document.createElement("input");
    Object.assign(input, { value: title, maxLength: LONGEST, ariaLabel: "name" });
    const keep = () => {
      const text = input.value.trim();
      return act(server.rename_run, rows, (row) => ({ title: memberTitle(text, row) }));
    };
    input.addEventListener("keydown", ({ key }) => key === "Enter" && keep());
    return [input, makeButton("Keep", keep), makeButton("Cancel", () => pose(null))];
  }

  /** @param {Entry} entry */
  function deleting({ title, rows }) {
    const what = rows.length > 1 ? `all ${rows.length} runs of “${title}”` : `“${title}”`;
    const text = `Delete ${what}, its network and its log?`;
    return [
      make("span", {}, text),
      makeButton("Delete", () => act(server.delete_run, rows)),
      makeButton("Cancel", () => pose(null)),
    ];
  }

  // ---------------------------------------------------------------- what is listened to

  element.addEventListener("keydown", ({ key }) => key === "Escape" && question && pose(null));
  differing.addEventListener("change", show);
  bySeconds.addEventListener("change", compare);
  find("#runs-none").addEventListener("click", () => {
    ticked.clear();
    show();
    compare();
  });
  find("#runs-more").addEventListener("click", () => {
    showsAll = true;
    show();
  });
  watch("value", refresh);
  new ResizeObserver(() => {
    if (isVisible() !== isFresh) refresh(); // its tab is opened, or left
  }).observe(element);
}
