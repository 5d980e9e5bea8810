// The Results tab. `props.value` is what the fields say: the networks' names and the
// data set; each call sends it. What is shown is of one `report`: answers about earlier fields, or of
// a file that has changed since, are not mixed with it.

import { count, DIGITS, digitView, percent } from "../shared/digits.js";
import { make } from "../shared/dom.js";

const MISTAKES = { show: "mistakes" };

export function mount(view) {
  const { element, props, watch } = view;
  const { find, ask, askWithProgress, succeeded, figure, insideButton, openLarge } =
    digitView(view);

  let report = null; // the figures on the page, and the `choice` that they are about
  let asked = 0; // goes up with every change of the fields
  let shown = MISTAKES; // what the gallery shows, as the server takes it
  let openings = 0; // of the gallery, goes up with each
  let firstOfNine = 0;

  const choiceNow = () => {
    const { network, other, data } = props.value;
    return { network, other, data };
  };
  const comparing = () => report.networks.length === 2;
  const place = (i) => (comparing() ? ["first ", "second "][i] : "answer ");
  const title = (i) =>
    (comparing() ? ["First network: ", "Second network: "][i] : "") + report.networks[i].name;
  const bestOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

  // ---------------------------------------------------------------- the report

  async function refresh(show) {
    if (!props.value) return;
    const mine = ++asked;
    const choice = choiceNow();
    find(".report").inert = true;
    const answer = await askWithProgress("evaluate_networks", "evaluation_progress", choice);
    if (mine !== asked) return;
    find(".report").inert = false;
    if (!succeeded(answer)) return;
    if (isAbout(choice) && isOfReport(answer)) return; // the tab was opened again
    openings += 1;
    report = { ...answer, choice };
    find("#results-accuracy").replaceChildren(...report.networks.map(accuracy));
    find("#results-shape").textContent =
      `${count(report.count)} test images of 28×28 pixels that no network learns from. It gets them ` +
      `in batches of the shape N×1×32×32. Below each stands ` +
      `${comparing() ? "the first network's" : "the"} answer; wrong ones are marked.`;
    showGroups();
    find("#results-errors").classList.toggle("two", comparing());
    find("#results-errors").replaceChildren(...DIGITS.map(errorsOf));
    find("#results-confusion").replaceChildren(confusion(report.networks[0].confusion));
    showNine(0);
    openGallery(show, false);
  }

  const isAbout = (choice) => JSON.stringify(report?.choice) === JSON.stringify(choice);
  const isOfReport = ({ versions }) => `${versions}` === `${report.versions}`;

  function accuracy({ accuracy, right, wrong }, i) {
    return make(
      "div",
      {},
      make("h2", {}, title(i)),
      make(
        "p",
        {},
        make("strong", {}, percent(accuracy, 2)),
        ` of the ${count(report.count)} test images read right: ` +
          `${count(right)} right, ${count(wrong)} wrong.`,
      ),
    );
  }

  function showGroups() {
    const names = {
      both: "both read",
      first: "only the first reads",
      second: "only the second reads",
      neither: "neither reads",
    };
    find("#results-groups").hidden = !comparing();
    const buttons = Object.entries(report.groups ?? {}).map(([group, number]) =>
      opener({ show: group }, "", make("b", {}, count(number)), ` ${names[group]}`),
    );
    find("#results-groups > div").replaceChildren(...buttons);
  }

  function errorsOf(digit) {
    const shares = report.networks.map(({ errors, counts }) =>
      counts[digit] ? errors[digit] / counts[digit] : 0,
    );
    const all = report.networks.flatMap((n) => n.errors.map((e, d) => e / (n.counts[d] || 1)));
    const highest = Math.max(...all) || 1;
    const rows = report.networks.map(({ errors, counts }, i) => {
      const bar = make("span", { className: "bar" });
      bar.style.width = percent(shares[i] / highest, 1);
      const text = `${percent(shares[i], 1)}, ${count(errors[digit])} of ${count(counts[digit])}`;
      return make(
        "span",
        { className: "row" },
        make("span", { className: "track" }, bar),
        make("span", { className: "number" }, comparing() ? place(i) + text : text),
      );
    });
    const button = opener({ show: "digit", truth: digit }, "", make("b", {}, `${digit}`), ...rows);
    return make("li", {}, button);
  }

  // ---------------------------------------------------------------- the confusion matrix

  function confusion(matrix) {
    const highest = Math.max(
      1,
      ...matrix.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)),
    );
    const head = (properties, text) => make("th", properties, text);
    const table = make("table", {}, make("caption", {}, title(0)));
    const column = (_, i) => make("col", { className: i < 2 ? "head" : "" });
    table.append(
      make("colgroup", {}, ...Array.from({ length: 12 }, column)),
      make(
        "tr",
        {},
        corner(),
        head({ colSpan: 10, scope: "colgroup", className: "axis" }, "answer"),
      ),
      make("tr", {}, ...DIGITS.map((digit) => head({ scope: "col" }, `${digit}`))),
      ...matrix.map((row, truth) => {
        const total = row.reduce((sum, number) => sum + number, 0);
        const cells = row.map((number, answer) => {
          const right = truth === answer;
          const share = right ? number / Math.max(1, total) : Math.sqrt(number / highest);
          return cell(truth, answer, number, share);
        });
        return make("tr", {}, head({ scope: "row" }, `${truth}`), ...cells);
      }),
    );
    const side = { rowSpan: 10, scope: "rowgroup", className: "axis" };
    table.rows[2].prepend(head(side, make("span", {}, "truth")));
    return table;
  }

  const corner = () => make("td", { colSpan: 2, rowSpan: 2 });

  function cell(truth, answer, number, share) {
    const kind = number === 0 ? "none" : truth === answer ? "right" : "wrong";
    const td = make("td", { className: kind });
    td.style.setProperty("--share", share.toFixed(3));
    const label = `${count(number)} with the truth ${truth} and the answer ${answer}`;
    td.append(number ? opener({ show: "cell", truth, answer }, label, `${number}`) : "0");
    return td;
  }

  // ---------------------------------------------------------------- the gallery

  // A button that opens the gallery; the one whose digits are shown is pressed.
  function opener(what, label, ...content) {
    const button = make("button", { type: "button", ariaPressed: "false" }, ...content);
    if (label) button.ariaLabel = button.title = label;
    button.dataset.what = JSON.stringify(what);
    button.addEventListener("click", () => openGallery(what, true));
    return button;
  }

  async function openGallery(what, goThere) {
    const mine = ++openings;
    const answer = await digits({ ...what, start: 0 });
    if (mine !== openings || !isUsable(answer, what)) return;
    shown = what;
    for (const button of element.querySelectorAll("[data-what]")) {
      button.ariaPressed = String(button.dataset.what === JSON.stringify(what));
    }
    const [heading, order] = describe(what, answer.total);
    find("#results-gallery h2").textContent = heading;
    find("#results-gallery p").textContent = answer.total
      ? `${order} first. Press one to see it large, with all ten probabilities.`
      : "There is none.";
    find("#results-gallery .digits").replaceChildren();
    addToGallery(answer);
    if (!goThere) return;
    const { top } = find("#results-gallery").getBoundingClientRect();
    if (top < 0 || top > innerHeight * 0.7) find("#results-gallery").scrollIntoView();
  }

  async function more() {
    const mine = openings;
    const button = find("#results-more");
    button.disabled = true;
    const answer = await digits({
      ...shown,
      start: find("#results-gallery .digits").children.length,
    });
    button.disabled = false;
    if (mine === openings && isUsable(answer, shown)) addToGallery(answer);
  }

  const digits = (what) => ask("test_digits", { ...report.choice, ...what });

  // An answer of a network that has been trained on since is not shown beside the old figures.
  function isUsable(answer, what) {
    if (answer.error) find("#results-gallery p").textContent = answer.error;
    else if (isOfReport(answer)) return true;
    else refresh(what);
    return false;
  }

  function addToGallery({ digits, total }) {
    const grid = find("#results-gallery .digits");
    grid.append(...digits.map(inGallery));
    const left = total - grid.children.length;
    find("#results-more").hidden = left === 0;
    find("#results-more").textContent = `More of these: ${count(left)} left`;
    find("#results-mistakes").hidden = shown.show === "mistakes";
  }

  function describe({ show, truth, answer }, total) {
    const whose = comparing() ? " of the first network" : "";
    const images = `${count(total)} test image${total === 1 ? "" : "s"}`;
    const mistakes = `${count(total)} mistake${total === 1 ? "" : "s"}${whose}`;
    const surest = "The surest mistakes come";
    const doubtful = "The least sure come";
    if (show === "mistakes") return [mistakes, surest];
    if (show === "digit") return [`${mistakes} with the truth ${truth}`, surest];
    if (show === "both") return [`${images} that both read`, doubtful];
    if (show === "neither") return [`${images} that neither reads`, surest];
    if (show !== "cell") return [`${images} that only the ${show} reads`, surest];
    const order = truth === answer ? doubtful : surest;
    return [`${images} with the truth ${truth} and the answer ${answer}${whose}`, order];
  }

  function inGallery(digit) {
    const lines = digit.probabilities.map((probabilities, i) => {
      const answer = bestOf(probabilities);
      const className = answer === digit.truth ? "" : "wrong";
      return make("b", { className }, `${place(i)}${answer} · ${percent(probabilities[answer])}`);
    });
    const [first] = digit.probabilities;
    const truth = `truth ${digit.truth}` + (comparing() ? "" : ` · ${percent(first[digit.truth])}`);
    const node = figure(digit.frame, name(digit), [...lines, truth], () => openDigit(digit));
    node.append(insideButton(digit.frame, "inside"));
    return node;
  }

  // ---------------------------------------------------------------- nine, and one

  async function showNine(start) {
    firstOfNine = start;
    const answer = await digits({ show: "all", start });
    if (start !== firstOfNine || !isUsable(answer, shown)) return;
    const figures = answer.digits.map((digit) => {
      const read = bestOf(digit.probabilities[0]);
      const right = read === digit.truth;
      const caption = right ? `${read}` : `${read}, is a ${digit.truth}`;
      const node = figure(digit.frame, name(digit), [caption], () => openDigit(digit));
      node.classList.toggle("wrong", !right);
      return node;
    });
    find("#results-nine").replaceChildren(...figures);
  }

  function name({ index, truth, probabilities }) {
    const answers = probabilities.map(bestOf).join(" and ");
    return `Test image ${count(index)}, a ${truth} read as ${answers}`;
  }

  function openDigit(digit) {
    const lists = digit.probabilities.map((probabilities, i) =>
      make("div", {}, make("h4", {}, title(i)), bars(probabilities, digit.truth)),
    );
    openLarge(name(digit), digit.frame, make("div", {}, ...lists));
  }

  function bars(probabilities, truth) {
    const answer = bestOf(probabilities);
    const rows = probabilities.map((share, digit) => {
      const bar = make("span", { className: "bar" });
      bar.style.width = percent(share, 1);
      const roles = [digit === answer && "answer", digit === truth && "truth"].filter(Boolean);
      return make(
        "li",
        { className: digit === truth ? "right" : digit === answer ? "wrong" : "" },
        make("b", {}, `${digit}`),
        make("span", { className: "track" }, bar),
        make("span", { className: "number" }, percent(share, 1)),
        make("span", {}, roles.join(", ")),
      );
    });
    return make("ol", { className: "bars", ariaLabel: "How probable each digit is" }, ...rows);
  }

  // ---------------------------------------------------------------- wiring

  find("#results-more").addEventListener("click", more);
  find("#results-mistakes").addEventListener("click", () => openGallery(MISTAKES, true));
  find("#results-again").addEventListener("click", () => {
    const next = firstOfNine + props.nine;
    showNine(next < report.count ? next : 0);
  });
  watch("value", () => refresh(isAbout(choiceNow()) ? shown : MISTAKES));
  refresh(MISTAKES);
}
