// The Results tab: how well networks read a test set, which of its digits they misread, and which
// other drawings they take for digits.
//
// `props.value` is what the fields say: the networks' names and the data set; each call sends it.
// All that is shown belongs to one `report`: answers about earlier fields, or about a file that has
// changed since, are not mixed with it.

import { DIGITS, figure, LargeDigit } from "../shared/digits.js";
import { finder, make, makeButton, setText } from "../shared/dom.js";
import { an, count, percent } from "../shared/formats.js";
import { ask, failed, Report } from "../shared/report.js";
import { bestOf, cellShares, describe, describeOthers, errorShares } from "./report.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Failure, Progress } from "../shared/report.js" */
/** @import { Network, Selection } from "./report.js" */

/** What the fields say. @typedef {{ network: string, other: string, data: string }} Choice */
/** The same, the visitor's own networks, and once the tab was opened, when. @typedef {Choice & { own: Own, opened?: number }} Value */
/** The visitor's own networks, each with the text of the fields. @typedef {{ name: string, text: string }[]} Own */

/**
 * What results/tab.py answers.
 *
 * @typedef {object} Figures
 * @property {number} count of the test images
 * @property {Network[]} networks
 * @property {Digit[]} nine the first test images
 * @property {Record<string, number>} [groups] how many images are in each, of two networks
 * @property {string[]} versions of the networks' files
 *
 * @typedef {{ index: number, frame: string, truth: number, probabilities: number[][] }} Digit
 * @typedef {{ total: number, digits: Digit[], versions: string[] }} Digits
 * @typedef {{ frame: string, digit: number, is_digit: boolean, digit_probability: number }} Other
 * @typedef {{ count: number, taken: number[], surest: Other[], versions: string[] }} Others
 *
 * @typedef {object} Server
 * @property {Call<Choice, Figures>} evaluate_networks
 * @property {Call<Choice, Progress>} evaluation_progress
 * @property {Call<Choice & Selection & { start: number }, Digits>} test_digits
 * @property {Call<Choice, Others>} evaluate_others
 */

/** @type {Selection} */
const MISTAKES = { show: "mistakes" };

/** @type {Record<string, string>} */
const GROUPS = {
  both: "both read",
  first: "only the first reads",
  second: "only the second reads",
  neither: "neither reads",
};

const UNOPENED = 300; // milliseconds that an open tab waits for what it is to show

/** @param {View<{ value: Value | null, nine: number }, Server>} view */
export function mount({ element, props, server, trigger, watch }) {
  const find = finder(element);
  const page = new Report(element);
  const large = new LargeDigit(element, () => trigger("draw"));
  const gallery = find("#results-gallery .digits");
  const moreButton = find("#results-more", HTMLButtonElement);

  /** The figures on the page. @type {Figures} */
  let report = { count: 0, networks: [], nine: [], versions: [] };
  /** What they are about. @type {Choice | null} */
  let about = null;
  let asked = 0; // goes up with every change of the fields
  let shown = MISTAKES; // in the gallery
  let openings = 0; // of the gallery, goes up with each
  let firstOfNine = 0;

  const comparing = () => report.networks.length === 2;
  /** @param {number} i */
  const place = (i) => (comparing() ? ["first ", "second "][i] : "answer ");
  /** @param {number} i */
  const title = (i) => {
    const { name } = report.networks[i];
    const text = props.value?.own.find((own) => own.name === name)?.text ?? name;
    return (comparing() ? ["First network: ", "Second network: "][i] : "") + text;
  };

  // ---------------------------------------------------------------- the report

  /** @param {Selection} selection for the gallery */
  async function refresh(selection) {
    const choice = choiceNow();
    if (!choice) return;
    const mine = ++asked;
    page.waits = true;
    const { evaluate_networks, evaluation_progress } = server;
    const answer = await page.ask(evaluate_networks, evaluation_progress, choice);
    if (mine !== asked) return;
    page.waits = false;
    if (!page.succeeded(answer)) return;
    if (isAbout(choice) && isOfReport(answer)) return; // the tab was opened again
    openings += 1;
    report = answer;
    about = choice;
    find("#results-accuracy").replaceChildren(...report.networks.map(accuracy));
    setText(
      find("#results-shape"),
      `${count(report.count)} test images of 28×28 pixels that no network learns from. A network gets ` +
        `them in batches of the shape N×1×32×32. Below each is ` +
        `${comparing() ? "the first network's" : "the"} answer; wrong answers are marked.`,
    );
    showGroups();
    showErrors();
    find("#results-confusion").replaceChildren(confusion(report.networks[0].confusion));
    firstOfNine = 0;
    showNine(report.nine);
    openGallery(selection, false);
    showOthers(choice);
  }

  function choiceNow() {
    if (!props.value) return null;
    const { network, other, data } = props.value;
    return { network, other, data };
  }

  /** @param {Choice | null} choice */
  const isAbout = (choice) => JSON.stringify(about) === JSON.stringify(choice);
  /** @param {{ versions: string[] }} answer */
  const isOfReport = ({ versions }) => `${versions}` === `${report.versions}`;

  /** @param {Network} network @param {number} i */
  function accuracy({ accuracy, right, wrong }, i) {
    const figures = `${count(right)} right, ${count(wrong)} wrong.`;
    return make(
      "div",
      {},
      make("h2", {}, title(i)),
      make(
        "p",
        {},
        make("strong", {}, percent(accuracy, 2)),
        ` of the ${count(report.count)} test images read right: ${figures}`,
      ),
    );
  }

  function showGroups() {
    find("#results-groups").hidden = !comparing();
    const buttons = Object.entries(report.groups ?? {}).map(([group, number]) =>
      opener({ show: group }, "", make("b", {}, count(number)), ` ${GROUPS[group]}`),
    );
    find("#results-groups > div").replaceChildren(...buttons);
  }

  function showErrors() {
    const shares = report.networks.map(errorShares);
    const highest = Math.max(...shares.flat()) || 1;
    const rows = DIGITS.map((digit) => {
      const lines = report.networks.map(({ errors, counts }, i) => {
        const share = shares[i][digit];
        const text = `${percent(share, 1)}, ${count(errors[digit])} of ${count(counts[digit])}`;
        return make(
          "span",
          { className: "row" },
          bar(share / highest),
          make("span", { className: "number" }, comparing() ? place(i) + text : text),
        );
      });
      const selection = { show: "digit", truth: digit };
      return make("li", {}, opener(selection, "", make("b", {}, `${digit}`), ...lines));
    });
    find("#results-errors").classList.toggle("two", comparing());
    find("#results-errors").replaceChildren(...rows);
  }

  // ---------------------------------------------------------------- the confusion matrix

  /** @param {number[][]} matrix */
  function confusion(matrix) {
    const shares = cellShares(matrix);
    const columns = Array.from({ length: 12 }, (_, i) =>
      make("col", { className: i < 2 ? "head" : "" }),
    );
    const answers = { colSpan: 10, scope: "colgroup", className: "axis" };
    const truths = { rowSpan: 10, scope: "rowgroup", className: "axis" };
    const rows = matrix.map((row, truth) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, `${truth}`),
        ...row.map((number, answer) => cell(truth, answer, number, shares[truth][answer])),
      ),
    );
    rows[0].prepend(make("th", truths, make("span", {}, "truth")));
    return make(
      "table",
      {},
      make("caption", {}, title(0)),
      make("colgroup", {}, ...columns),
      make("tr", {}, make("td", { colSpan: 2, rowSpan: 2 }), make("th", answers, "answer")),
      make("tr", {}, ...DIGITS.map((digit) => make("th", { scope: "col" }, `${digit}`))),
      ...rows,
    );
  }

  /** @param {number} truth @param {number} answer @param {number} number @param {number} share */
  function cell(truth, answer, number, share) {
    const className = number === 0 ? "none" : truth === answer ? "right" : "wrong";
    const label = `${count(number)} with the truth ${truth} and the answer ${answer}`;
    const content = number ? opener({ show: "cell", truth, answer }, label, `${number}`) : "0";
    const td = make("td", { className }, content);
    td.style.setProperty("--share", share.toFixed(3));
    return td;
  }

  // ---------------------------------------------------------------- what is no digit

  /** @param {Choice} choice */
  async function showOthers(choice) {
    const answer = await ask(server.evaluate_others, choice);
    if (!isAbout(choice)) return;
    const usable = !failed(answer) && isOfReport(answer);
    find("#results-others").hidden = !usable;
    if (!usable) return;
    setText(find("#results-others p"), describeOthers(answer.count, answer.taken));
    find("#results-others .digits").replaceChildren(...answer.surest.map(inStrip));
  }

  /** @param {Other} other */
  function inStrip({ frame, digit, is_digit, digit_probability }) {
    const share = percent(digit_probability);
    const label = `Nearest to ${an(digit)} ${digit}; a digit with a probability of ${share}. Press to look inside.`;
    const node = figure(frame, label, [`${digit} · ${share}`], () => large.lookInside(frame));
    node.classList.toggle("taken", is_digit);
    return node;
  }

  // ---------------------------------------------------------------- the gallery

  /**
   * A button that opens the gallery; the one whose digits are shown is pressed.
   *
   * @param {Selection} selection
   * @param {string} label
   * @param {(Node | string)[]} content
   */
  function opener(selection, label, ...content) {
    const press = () => openGallery(selection, true);
    const button = makeButton(content, press, { ariaPressed: "false" });
    if (label) button.ariaLabel = button.title = label;
    button.dataset.what = JSON.stringify(selection);
    return button;
  }

  /** @param {Selection} selection @param {boolean} goThere */
  async function openGallery(selection, goThere) {
    const mine = ++openings;
    const answer = await digits({ ...selection, start: 0 });
    if (mine !== openings || !isUsable(answer, selection)) return;
    shown = selection;
    const what = JSON.stringify(selection);
    for (const button of element.querySelectorAll("[data-what]")) {
      button.ariaPressed = String(button.getAttribute("data-what") === what);
    }
    const [heading, order] = describe(selection, answer.total, comparing());
    const hint = `${order} first. Press one to see it large, with all ten probabilities.`;
    setText(find("#results-gallery h2 span"), heading);
    setText(find("#results-gallery p"), answer.total ? hint : "There is none.");
    gallery.replaceChildren();
    addToGallery(answer);
    if (!goThere) return;
    const { top } = find("#results-gallery").getBoundingClientRect();
    if (top < 0 || top > innerHeight * 0.7) find("#results-gallery").scrollIntoView();
  }

  async function more() {
    const mine = openings;
    moreButton.disabled = true;
    const answer = await digits({ ...shown, start: gallery.children.length });
    moreButton.disabled = false;
    if (mine === openings && isUsable(answer, shown)) addToGallery(answer);
  }

  /** @param {Selection & { start: number }} selection */
  const digits = (selection) =>
    ask(server.test_digits, { .../** @type {Choice} */ (about), ...selection });

  /**
   * Whether to show an answer: not one of a network that has been trained on since the report.
   *
   * @param {Digits | Failure} answer
   * @param {Selection} selection
   * @returns {answer is Digits}
   */
  function isUsable(answer, selection) {
    if (failed(answer)) setText(find("#results-gallery p"), answer.error);
    else if (isOfReport(answer)) return true;
    else refresh(selection);
    return false;
  }

  /** @param {Digits} digits */
  function addToGallery({ digits, total }) {
    gallery.append(...digits.map(inGallery));
    const left = total - gallery.children.length;
    moreButton.hidden = left === 0;
    setText(moreButton, `More of these: ${count(left)} left`);
    find("#results-mistakes").hidden = shown.show === "mistakes";
  }

  /** @param {Digit} digit */
  function inGallery(digit) {
    const lines = digit.probabilities.map((probabilities, i) => {
      const answer = bestOf(probabilities);
      const className = answer === digit.truth ? "" : "wrong";
      return make("b", { className }, `${place(i)}${answer} · ${percent(probabilities[answer])}`);
    });
    const [first] = digit.probabilities;
    const truth = `truth ${digit.truth}${comparing() ? "" : ` · ${percent(first[digit.truth])}`}`;
    const node = figure(digit.frame, name(digit), [...lines, truth], () => openDigit(digit));
    node.append(large.insideButton(digit.frame, "inside"));
    return node;
  }

  // ---------------------------------------------------------------- nine, and one

  async function nineOthers() {
    const next = firstOfNine + props.nine;
    const start = next < report.count ? next : 0;
    firstOfNine = start;
    const answer = await digits({ show: "all", start });
    if (start === firstOfNine && isUsable(answer, shown)) showNine(answer.digits);
  }

  /** @param {Digit[]} nine */
  function showNine(nine) {
    const figures = nine.map((digit) => {
      const read = bestOf(digit.probabilities[0]);
      const right = read === digit.truth;
      const caption = right ? `${read}` : `${read}, is ${an(digit.truth)} ${digit.truth}`;
      const node = figure(digit.frame, name(digit), [caption], () => openDigit(digit));
      node.classList.toggle("wrong", !right);
      return node;
    });
    find("#results-nine").replaceChildren(...figures);
  }

  /** @param {Digit} digit */
  function name({ index, truth, probabilities }) {
    const answers = probabilities.map(bestOf).join(" and ");
    return `Test image ${count(index)}, ${an(truth)} ${truth} read as ${answers}`;
  }

  /** @param {Digit} digit */
  function openDigit(digit) {
    const lists = digit.probabilities.map((probabilities, i) =>
      make("div", {}, make("h4", {}, title(i)), bars(probabilities, digit.truth)),
    );
    large.open(name(digit), digit.frame, make("div", {}, ...lists));
  }

  /** @param {number[]} probabilities @param {number} truth */
  function bars(probabilities, truth) {
    const answer = bestOf(probabilities);
    const rows = probabilities.map((share, digit) => {
      const roles = [digit === answer && "answer", digit === truth && "truth"].filter(Boolean);
      return make(
        "li",
        { className: digit === truth ? "right" : digit === answer ? "wrong" : "" },
        make("b", {}, `${digit}`),
        bar(share),
        make("span", { className: "number" }, percent(share, 1)),
        make("span", {}, roles.join(", ")),
      );
    });
    return make("ol", { className: "bars", ariaLabel: "How probable each digit is" }, ...rows);
  }

  /** A track that is filled so far. @param {number} share */
  function bar(share) {
    const filled = make("span");
    filled.style.width = percent(share, 1);
    return make("span", { className: "track" }, filled);
  }

  // ---------------------------------------------------------------- wiring

  moreButton.addEventListener("click", more);
  find("#results-mistakes").addEventListener("click", () => openGallery(MISTAKES, true));
  find("#results-again").addEventListener("click", nineOthers);
  watch("value", () => refresh(isAbout(choiceNow()) ? shown : MISTAKES));
  // Opening the tab changes the value; the lesson builds the tab before, and finds it filled. Where
  // it is opened just as it is built, the change may be lost.
  if (props.value?.opened || !element.checkVisibility()) refresh(MISTAKES);
  else setTimeout(() => about ?? refresh(MISTAKES), UNOPENED);
}
