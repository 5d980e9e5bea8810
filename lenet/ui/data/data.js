// The Data tab: a data set's facts, its images one by one, and how training varies them.
//
// `props.value` is the data set; each call sends it, and an answer is shown only while it is about
// what is chosen now.

import { choice, DIGITS, figure, LargeDigit, picture } from "../shared/digits.js";
import { finder, make, makeButton, setText } from "../shared/dom.js";
import { an, count } from "../shared/formats.js";
import { ask, failed, Report } from "../shared/report.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Progress } from "../shared/report.js" */

/**
 * @typedef {object} Props
 * @property {string} value the data set
 * @property {number} all in the place of a digit: all of them
 * @property {string} right how far training varies an image, as texts
 * @property {string} left
 * @property {string} size
 * @property {string} slant
 * @property {string} shift
 */

/** @typedef {"train" | "test"} Half */
/** @typedef {{ data: string, half: Half, index: number }} Place of an image */

/**
 * What data/tab.py answers.
 *
 * @typedef {object} Facts
 * @property {number} train how many images
 * @property {number} test
 * @property {number[]} images the shape of a batch
 * @property {number[]} labels
 * @property {{ count: number, mean: string }[]} digits
 *
 * @typedef {{ index: number, frame: string, label: number }} Image
 * @typedef {{ total: number, position: number, images: Image[] }} Images
 *
 * @typedef {object} Server
 * @property {Call<{ data: string }, Facts>} describe_data
 * @property {Call<{ data: string }, Progress>} loading_progress
 * @property {Call<{ data: string, half: Half, digit: number, at: number, step: number }, Images>} browse_digits
 * @property {Call<Place & { seed: number }, { frames: string[] }>} vary_digit
 */

/** @type {Record<Half, string>} */
const HALVES = { train: "Training", test: "Test" };

/** @param {View<Props, Server>} view */
export function mount({ element, props, server, trigger, watch }) {
  const find = finder(element);
  const report = new Report(element);
  const large = new LargeDigit(element, () => trigger("draw"));
  const number = find("#data-number", HTMLInputElement);
  const previous = find("#data-previous", HTMLButtonElement);
  const next = find("#data-next", HTMLButtonElement);

  let sizes = { train: 0, test: 0 }; // how many images each half has
  /** @type {Half} */
  let half = "train";
  let digit = props.all;
  let at = 0; // the index of the first image on the page
  let asked = 0; // goes up with every question about images

  // ---------------------------------------------------------------- the data set

  async function refresh() {
    const data = props.value;
    asked += 1;
    report.waits = true;
    const answer = await report.ask(server.describe_data, server.loading_progress, { data });
    if (data !== props.value) return;
    report.waits = false;
    if (!report.succeeded(answer)) return;
    sizes = answer;
    const facts = {
      "training images": count(answer.train),
      "test images": count(answer.test),
      "a batch of images": answer.images.join("×"),
      "its labels": answer.labels.join("×"),
    };
    const pairs = Object.entries(facts).map(([term, fact]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, fact)),
    );
    find("#data-facts").replaceChildren(...pairs);
    find("#data-means").replaceChildren(...answer.digits.map(mean));
    browse(0, 0);
  }

  /** @param {Facts["digits"][number]} of @param {number} digit */
  function mean({ count: number, mean }, digit) {
    const image = picture(mean, `The mean of the training images of ${an(digit)} ${digit}`);
    const many = make("span", {}, count(number));
    return make("figure", {}, image, make("figcaption", {}, make("b", {}, `${digit}`), many));
  }

  // ---------------------------------------------------------------- browsing

  /** @param {number} from the index of an image @param {number} step how many pages on from there */
  async function browse(from, step) {
    const mine = ++asked;
    const question = { data: props.value, half, digit, at: from, step };
    const answer = await ask(server.browse_digits, question);
    if (mine !== asked || !report.succeeded(answer)) return;
    const { images, position, total } = answer;
    at = images[0].index;
    find("#data-images").replaceChildren(...images.map(image));
    previous.disabled = position === 0;
    next.disabled = position + images.length >= total;
    number.max = `${sizes[half] - 1}`;
    const what = digit === props.all ? "images" : `images of ${an(digit)} ${digit}`;
    const range = `${count(position + 1)} to ${count(position + images.length)}`;
    const text = `${range} of ${count(total)} ${HALVES[half].toLowerCase()} ${what}`;
    setText(find("#data-position"), text);
  }

  /** @param {Image} image */
  function image({ index, frame, label }) {
    const name = `${HALVES[half]} image ${count(index)}, ${an(label)} ${label}`;
    const place = { data: props.value, half, index };
    const lines = [make("b", {}, `${label}`), `no. ${count(index)}`];
    return figure(frame, name, lines, () => openVariations(name, frame, place));
  }

  const halves = /** @type {Half[]} */ (["train", "test"]).map((value) => ({
    value,
    text: HALVES[value],
  }));
  choice(find("#data-half"), halves, (chosen) => {
    half = chosen;
    browse(0, 0);
  });

  const all = { value: props.all, text: "all", label: "All digits" };
  /** @param {number} digit */
  const one = (digit) => ({
    value: digit,
    text: `${digit}`,
    label: `Only images of ${an(digit)} ${digit}`,
  });
  choice(find("#data-digit"), [all, ...DIGITS.map(one)], (chosen) => {
    digit = chosen;
    browse(0, 0);
  });

  previous.addEventListener("click", () => browse(at, -1));
  next.addEventListener("click", () => browse(at, 1));
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    browse(number.valueAsNumber, 0);
  });

  // ---------------------------------------------------------------- variations

  /** @param {string} name @param {string} frame @param {Place} place */
  function openVariations(name, frame, place) {
    let seed = 0;
    const grid = make("div", { className: "variations" });
    const error = make("p", { className: "error", hidden: true });
    const show = async () => {
      others.disabled = true;
      const answer = await ask(server.vary_digit, { ...place, seed });
      others.disabled = false;
      seed += 1;
      error.hidden = !failed(answer);
      setText(error, failed(answer) ? answer.error : "");
      const frames = failed(answer) ? [] : answer.frames;
      const pictures = frames.map((each, i) => picture(each, `Variation ${i + 1} of ${name}`));
      grid.replaceChildren(...pictures);
    };
    const others = makeButton("Twelve others", show);
    const text =
      `Recipe best never shows an image twice the same: each time it is turned by up to ` +
      `${props.left}° to the left or ${props.right}° to the right, its width and its height are ` +
      `changed by up to ${props.size}, it is slanted by up to ${props.slant}° and moved by up to ` +
      `${props.shift} pixels, all at random, so that the network learns the digit and not its place.`;
    large.open(name, frame, make("div", {}, make("p", {}, text), grid, error, others));
    show();
  }

  watch("value", refresh);
  refresh();
}
