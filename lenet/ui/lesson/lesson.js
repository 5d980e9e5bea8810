// The lesson's panel: the open step, its question, the answer, and its code.
//
// A step opens the tab that shows it live. This file writes the step into the page's `data-lesson`,
// by which lesson.css chooses the parts of that tab that are seen beside the panel.

import { choice } from "../shared/digits.js";
import { finder, make, makeButton, setText, wantsStillness } from "../shared/dom.js";
import { followDrawing, onNetwork, tellLesson } from "../shared/events.js";
import { buildTab } from "../shared/gradio.js";
import { ask, failed } from "../shared/report.js";
import { chart as draw } from "../train/charts.js";
import { keepProgress, loadProgress, stepOf } from "./progress.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Failure } from "../shared/report.js" */
/** @import { Curves } from "../train/plot.js" */

/**
 * A step: `Step` of lenet/lesson.py.
 *
 * @typedef {object} Step
 * @property {string} title
 * @property {string} text
 * @property {string} question
 * @property {string[]} guesses
 * @property {string} reveal
 * @property {string} tab
 * @property {string} hint
 * @property {string} tutorial
 * @property {string} ours
 */

/**
 * The answer to its question: `Found` of lesson/facts.py.
 *
 * @typedef {object} Found
 * @property {string | null} data
 * @property {number | null} right
 * @property {string} fact
 * @property {string[][]} [rows]
 * @property {Curves} [chart]
 * @property {string} [across] what the chart's horizontal axis counts
 * @property {Try[]} [tries] of the chart's lines, where one can be chosen
 */

/** One of them: `Try` of lesson/facts.py. @typedef {{ name: string, text: string }} Try */

/** @typedef {{ find_out: Call<{ step: number, network: string }, Found> }} Server */

const NARROW = "(max-width: 48rem)"; // as in lesson.css
const WITH_INSIDE = [2, 3]; // steps that follow a drawing through the network
// Milliseconds from a step's opening until the next one is prepared: by then the step is on the
// screen, and the visitor reads.
const READING = 400;
const AGAIN = 1000; // milliseconds until an answer that a run does not give yet is asked for again
const SYNTHETIC = "MNIST is not available here: these digits are synthetic.";
/** @type {Record<string, string>} */
const FIELDS = { data: "#data-set", results: "#results-data" };

/** @param {View<{ value: string, steps: Step[], network: string }, Server>} view */
export function mount({ element, props, server, trigger, watch }) {
  const { steps } = props;
  const find = finder(element);
  const panel = find("#lesson");
  const page = /** @type {HTMLElement} */ (element.closest("#lesson-view")?.parentElement);
  const heading = find("#lesson-title");
  const choices = find("#lesson-ask .choice");
  const found = find("#lesson-found");
  const progress = loadProgress();
  const isNarrow = () => matchMedia(NARROW).matches;
  const alone = new URLSearchParams(location.search).has("lesson");

  let open = 0; // the step that is open, counted from 1; 0 where none is
  let network = props.network;
  let code = /** @type {"tutorial" | "ours"} */ ("tutorial");
  let timer = 0;
  let ahead = 0; // the timer of what is prepared

  // ---------------------------------------------------------------- the steps

  const links = steps.map(({ title }, i) => {
    const link = make("a", { href: `#lesson-${i + 1}`, title }, `${i + 1}`);
    link.ariaLabel = `Step ${i + 1}: ${title}`;
    find("nav ol").append(make("li", {}, link));
    return link;
  });

  /** @param {number} number @param {boolean} [focus] the step's title */
  function show(number, focus = false) {
    const { title, text, question, guesses, hint, tab } = steps[number - 1];
    open = number;
    panel.hidden = false;
    page.dataset.lesson = `${number}`;
    setText(heading, `${number}. ${title}`);
    setText(find("#lesson-text"), text);
    setText(find("#lesson-question"), question);
    setText(find("#lesson-hint"), hint);
    choices.replaceChildren(...guesses.map(guessButton));
    choices.classList.toggle("digits", guesses.length === 10);
    find("#lesson-back", HTMLButtonElement).disabled = number === 1;
    setText(find("#lesson-next"), number === steps.length ? "Done" : "Next");
    for (const [i, link] of links.entries()) {
      link.ariaCurrent = i + 1 === number ? "step" : null;
      link.classList.toggle("done", `${i + 1}` in progress.guesses);
    }
    showCode();
    trigger(tab);
    if (WITH_INSIDE.includes(number)) followDrawing();
    history.replaceState(history.state, "", `#lesson-${number}`);
    progress.step = number;
    keepProgress(progress);
    tellLesson();
    answer();
    clearTimeout(ahead);
    ahead = window.setTimeout(() => {
      look(number);
      if (number < steps.length) prepare(number + 1);
    }, READING);
    // Both lay the page out, which is done once where Gradio has changed the tab by then.
    requestAnimationFrame(() => {
      if (focus) heading.focus({ preventScroll: true });
      scrollTo({ top: 0 });
    });
  }

  /**
   * A step will be opened: its tab is built by then, and the server has found out the answer.
   *
   * @param {number} number
   */
  function prepare(number) {
    look(number);
    buildTab(steps[number - 1].tab, trigger);
  }

  function leave() {
    if (!open) return;
    open = 0;
    clearTimeout(timer);
    panel.hidden = true;
    delete page.dataset.lesson;
    delete page.dataset.guessed;
    history.replaceState(history.state, "", location.pathname + location.search);
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#lesson-']");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // the address changes, but what the pad keeps with it stays
    show(stepOf(link.getAttribute("href") ?? "", steps.length) ?? 1, true);
  });
  addEventListener("hashchange", () => {
    const step = stepOf(location.hash, steps.length);
    if (step) show(step);
  });
  find("#lesson-leave").addEventListener("click", leave);
  find("#lesson-back").addEventListener("click", () => show(open - 1, true));
  find("#lesson-next").addEventListener("click", () =>
    open < steps.length ? show(open + 1, true) : alone ? show(1, true) : leave(),
  );
  watch("value", () => {
    leave();
    prepare(1); // a visitor who reads the list will open it
  });
  onNetwork((name) => {
    network = name;
    if (open === 6) answer();
  });

  // ---------------------------------------------------------------- predict, then see

  /** @param {string} text @param {number} guess */
  function guessButton(text, guess) {
    return makeButton(text, async () => {
      const step = open;
      progress.guesses[step] = guess;
      keepProgress(progress);
      tellLesson();
      find("#lesson-code", HTMLDetailsElement).open = false; // the answer is shown in its place
      links[step - 1].classList.add("done");
      await answer();
      if (step === open && isNarrow()) showAnswer();
    });
  }

  /** The step's text has been read: what the question is about is seen with its answer. */
  function showAnswer() {
    const behavior = wantsStillness() ? "instant" : "smooth";
    find("#lesson-ask").scrollIntoView({ behavior });
  }

  /** Show the answer to the question, once the visitor has guessed. */
  async function answer() {
    clearTimeout(timer);
    const step = open;
    const guess = progress.guesses[step];
    const { guesses } = steps[step - 1];
    const guessed = guess !== undefined && guess in guesses;
    page.dataset.guessed = guessed ? `${step}` : "";
    for (const [i, button] of [...choices.children].entries()) {
      button.ariaPressed = String(guessed && i === guess);
      button.classList.remove("right");
    }
    if (!guessed) {
      found.replaceChildren();
      Object.assign(found.dataset, { step: "", shown: "" });
      chooseData(step, await look(1)); // of the answers that name the data set, the cheapest
      return;
    }
    if (found.dataset.step !== `${step}`) {
      found.replaceChildren(make("p", {}, "…"));
      found.dataset.shown = "";
    }
    const told = await look(step);
    if (step !== open) return;
    chooseData(step, told);
    const shown = JSON.stringify([step, guess, told]);
    if (found.dataset.shown !== shown) found.replaceChildren(...contentOf(told, guess));
    Object.assign(found.dataset, { step, shown });
    if (failed(told)) return;
    if (told.right === null) timer = window.setTimeout(answer, AGAIN);
    else choices.children[told.right]?.classList.add("right");
  }

  /** @param {number} step */
  const look = (step) => ask(server.find_out, { step, network });

  /** @param {Found | Failure} told @param {number} guess */
  function contentOf(told, guess) {
    if (failed(told)) return [make("p", { className: "error" }, told.error)];
    const { guesses, reveal } = steps[open - 1];
    const { right, fact, rows, chart, across, tries, data } = told;
    const content = [];
    if (right !== null) {
      const verdict = right === guess ? "As you said." : `You said: ${guesses[guess]}.`;
      content.push(make("p", {}, make("b", {}, verdict), ` ${fact}`));
    } else content.push(make("p", {}, fact));
    if (rows) content.push(table(rows));
    if (chart) {
      const { epochs, charts } = chart;
      const drawn = draw(0, [{ name: "run", title: "", charts: [charts], epochs }], false, across);
      content.push(...(tries ? choiceOf(tries, drawn) : []), drawn);
    }
    if (right !== null) content.push(make("p", {}, reveal));
    if (data === "synthetic") content.push(make("p", { className: "note" }, SYNTHETIC));
    return content;
  }

  /**
   * Buttons for the lines of a chart, and what the chosen one comes to.
   *
   * @param {Try[]} tries
   * @param {HTMLElement} drawn the chart
   */
  function choiceOf(tries, drawn) {
    const told = make("p");
    const buttons = tries.map(({ name, text }) => {
      const button = makeButton(name, () => {
        for (const each of buttons) each.ariaPressed = String(each === button);
        for (const line of drawn.querySelectorAll("g"))
          line.classList.toggle("chosen", line.classList.contains(name));
        setText(told, text);
      });
      return button;
    });
    buttons.at(-1)?.click(); // which the question is about
    return [make("div", { className: "choice" }, "Try a rate:", ...buttons), told];
  }

  /** @param {string[][]} rows */
  function table([head, ...rows]) {
    /** @param {string[]} row @param {"th" | "td"} kind */
    const line = (row, kind) => make("tr", {}, ...row.map((text) => make(kind, {}, text)));
    const lines = rows.map((row, i) => {
      const made = line(row, "td");
      made.style.setProperty("--row", `${i}`);
      return made;
    });
    return make("table", {}, make("thead", {}, line(head, "th")), make("tbody", {}, ...lines));
  }

  /**
   * Without MNIST, let the tab beside show the data that the lesson is about.
   *
   * @param {number} step
   * @param {Found | Failure} told
   * @param {number} [looks] that have to find it chosen: a tab is built first, and Gradio may set
   *   what is chosen meanwhile back once
   */
  function chooseData(step, told, looks = 10) {
    const field = FIELDS[steps[step - 1].tab];
    if (failed(told) || told.data !== "synthetic" || !field || step !== open || !looks) return;
    const input = document.querySelector(`${field} input[value=synthetic]`);
    const chosen = input instanceof HTMLInputElement && input.checked;
    if (input instanceof HTMLInputElement && !chosen) input.click();
    setTimeout(() => chooseData(step, told, chosen ? looks - 1 : looks), 100);
  }

  // ---------------------------------------------------------------- the code

  /** @type {{ value: "tutorial" | "ours", text: string }[]} */
  const kinds = [
    { value: "tutorial", text: "PyTorch" },
    { value: "ours", text: "This project" },
  ];
  choice(find("#lesson-code .choice"), kinds, (chosen) => {
    code = chosen;
    showCode();
  });
  find("#lesson-code pre").tabIndex = 0; // it scrolls

  function showCode() {
    setText(find("#lesson-code pre"), steps[open - 1][code]);
    setText(find("#lesson-copy"), "Copy");
  }

  find("#lesson-copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(steps[open - 1][code]);
      setText(find("#lesson-copy"), "Copied");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(find("#lesson-code pre"));
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      setText(find("#lesson-copy"), "Selected: copy it");
    }
  });

  // ---------------------------------------------------------------- from an address

  if (alone) page.dataset.alone = "";
  const linked = stepOf(location.hash, steps.length);
  if (linked) show(linked);
  else if (alone) show(stepOf(`#lesson-${progress.step}`, steps.length) ?? 1);
}
