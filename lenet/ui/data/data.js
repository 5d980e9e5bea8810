// The Data tab. `props.value` is the data set; each call sends it, and an answer is
// shown only while it is about what is chosen now.

import { choice, count, DIGITS, digitView, picture } from "../shared/digits.js";
import { make } from "../shared/dom.js";

const HALVES = { train: "Training", test: "Test" };

export function mount(view) {
  const { props, watch } = view;
  const { find, ask, askWithProgress, succeeded, figure, openLarge } = digitView(view);

  let sizes = null; // how many images each half has
  let half = "train";
  let digit = props.all;
  let at = 0; // the index of the first image on the page
  let asked = 0; // goes up with every question about images

  // ---------------------------------------------------------------- the data set

  async function refresh() {
    const name = props.value;
    asked += 1;
    find(".report").inert = true;
    const answer = await askWithProgress("describe_data", "loading_progress", { data: name });
    if (name !== props.value) return;
    find(".report").inert = false;
    if (!succeeded(answer)) return;
    sizes = { train: answer.train, test: answer.test };
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

  function mean({ count: number, mean }, digit) {
    const image = picture(mean, `The mean of the training images of a ${digit}`);
    const caption = make(
      "figcaption",
      {},
      make("b", {}, `${digit}`),
      make("span", {}, count(number)),
    );
    return make("figure", {}, image, caption);
  }

  // ---------------------------------------------------------------- browsing

  async function browse(from, step) {
    const mine = ++asked;
    const answer = await ask("browse_digits", { data: props.value, half, digit, at: from, step });
    if (mine !== asked || !succeeded(answer)) return;
    const { images, position, total } = answer;
    at = images[0].index;
    find("#data-images").replaceChildren(...images.map(image));
    find("#data-previous").disabled = position === 0;
    find("#data-next").disabled = position + images.length >= total;
    find("#data-number").max = sizes[half] - 1;
    const what = digit === props.all ? "images" : `images of a ${digit}`;
    find("#data-position").textContent =
      `${count(position + 1)} to ${count(position + images.length)} of ` +
      `${count(total)} ${HALVES[half].toLowerCase()} ${what}`;
  }

  function image({ index, frame, label }) {
    const name = `${HALVES[half]} image ${count(index)}, a ${label}`;
    const of = { data: props.value, half, index };
    const open = () => openVariations(name, frame, of);
    const node = figure(frame, name, [make("b", {}, `${label}`), `no. ${count(index)}`], open);
    return node;
  }

  choice(
    find("#data-half"),
    [
      ["train", "Training"],
      ["test", "Test"],
    ],
    (chosen) => {
      half = chosen;
      browse(0, 0);
    },
  );
  const one = (digit) => [digit, `${digit}`, `Only images of a ${digit}`];
  choice(find("#data-digit"), [[props.all, "all", "All digits"], ...DIGITS.map(one)], (chosen) => {
    digit = chosen;
    browse(0, 0);
  });
  find("#data-previous").addEventListener("click", () => browse(at, -1));
  find("#data-next").addEventListener("click", () => browse(at, 1));
  find("form").addEventListener("submit", (event) => {
    event.preventDefault();
    browse(find("#data-number").valueAsNumber, 0);
  });

  // ---------------------------------------------------------------- variations

  function openVariations(name, frame, of) {
    let seed = 0;
    const grid = make("div", { className: "variations" });
    const error = make("p", { className: "error", hidden: true });
    const others = make("button", { type: "button" }, "Twelve others");
    const show = async () => {
      others.disabled = true;
      const { frames = [], error: sentence } = await ask("vary_digit", { ...of, seed });
      others.disabled = false;
      seed += 1;
      error.hidden = !sentence;
      error.textContent = sentence ?? "";
      grid.replaceChildren(
        ...frames.map((each, i) => picture(each, `Variation ${i + 1} of ${name}`)),
      );
    };
    others.addEventListener("click", show);
    const text =
      `Recipe best never shows an image twice the same: each time it is turned by up to ` +
      `${props.rotation}°, its width and its height are changed by up to ${props.size}, it is slanted ` +
      `by up to ${props.slant}° and moved by up to ${props.shift} pixels, all at random, so that the ` +
      `network learns the digit and not its place.`;
    openLarge(name, frame, make("div", {}, make("p", {}, text), grid, error, others));
    show();
  }

  watch("value", refresh);
  refresh();
}
