// "Your hand": the drawings that a visitor kept, by digit, and teaching a network with them.
//
// A taught network's name is a secret of this browser: the view keeps the names and tells the
// server, in its value, which ones this visitor may choose.

import { finder, make, makeButton, setText } from "../shared/dom.js";
import { onAnswer, onNetwork, onOpenHand, startRound } from "../shared/events.js";
import { count, when } from "../shared/formats.js";
import { ask, failed } from "../shared/report.js";
import {
  advice,
  countEach,
  EACH,
  goalOf,
  LABELS,
  readFile,
  toSend,
  writeFile,
} from "./examples.js";
import { picture } from "./picture.js";
import { hand } from "./store.js";
import { Teaching } from "./teaching.js";
import { drawings, misreadAs, wordsOf } from "./words.js";

/** @import { Call, View } from "../shared/dom.js" */
/** @import { Example, Label } from "./examples.js" */
/** @import { Server as Teacher } from "./teaching.js" */

/**
 * @typedef {object} Props
 * @property {{ own: { name: string, text: string }[], choose: string | null }} value the networks
 *   that were taught in this browser, and the one that the pad shall read with
 * @property {string} network that the pad reads with when the page is opened
 * @property {"anyone" | "owner" | "off"} training who may teach
 * @property {number} max_strokes
 * @property {number} max_points
 */

/**
 * @typedef {object} Reader
 * @property {Call<{ checkpoint: string, drawings: string }, { read: Label[] }>} read_hand
 * @property {Call<{ names: string[] }, { there: string[] }>} still_there
 */

const FILE = "my-hand.jsonl";
const FIRST = "Write each digit five times";
const MORE = "Write five more of each digit";
const NONE = "Nothing to teach yet: write some digits first, or bring a file of them.";
const OFF =
  "Training is off on this server: download your drawings, and teach a network on a machine of " +
  "your own.";

/** @param {View<Props, Reader & Teacher>} view */
export function mount({ element, props, server, trigger }) {
  const find = finder(element);
  const view = find("#hand-view", HTMLDialogElement);
  const file = find("#hand-file", HTMLInputElement);
  const password = find("#hand-password", HTMLInputElement);
  const teaching = new Teaching(
    server,
    () => password.value,
    update,
    ({ told }) => {
      if (told && !view.open) beside = wordsOf(told).result;
    },
  );

  const isOff = props.training === "off";
  let network = props.network;
  let drawn = false; // whether anything was, since the page was opened
  /** What the network in use reads, by the drawings' ids. @type {Map<string, Label>} */
  let readings = new Map();
  let asked = 0; // goes up with every question about readings
  /** What was deleted last. @type {Example[]} */
  let deleted = [];
  let isOpen = false; // what is kept has been read
  /** The names of the networks that the server was told of. @type {string | null} */
  let offered = null;
  let beside = ""; // what is said beside the pad, until the view is opened

  // ---------------------------------------------------------------- what is kept

  function update() {
    const { examples, networks, notice } = hand;
    const line = find("#hand-open");
    line.hidden = !drawn && !examples.length && !networks.length && !teaching.isUnderWay;
    setText(line, examples.length ? `Your hand: ${drawings(examples.length)}` : "Your hand");
    if (isOpen && networks.map(({ name }) => name).join() !== offered) offer();
    if (notice) {
      complain(notice);
      beside = notice;
      hand.notice = "";
    }
    showTeaching();
    if (view.open) showExamples();
    teaching.follow();
  }

  function showExamples() {
    const { examples } = hand;
    setText(find("#hand-summary"), summary(examples.length));
    const sections = LABELS.map((label) => section(label)).filter((each) => each !== null);
    find("#hand-examples").replaceChildren(...sections);
    setText(find("#hand-round"), goalOf(countEach(examples)) > EACH ? MORE : FIRST);
    for (const name of ["#hand-download", "#hand-delete"])
      find(name, HTMLButtonElement).disabled = !examples.length;
    read();
  }

  /** @param {number} many */
  function summary(many) {
    if (!many)
      return (
        "The network can learn what it misreads: press the right digit beside a drawing, or write " +
        "each digit five times."
      );
    return hand.lasts
      ? `${drawings(many)}, kept in this browser. The server gets them only to read and to teach them.`
      : `${drawings(many)}, kept until you leave this page, as this browser stores nothing for it: ` +
          "download them to keep them.";
  }

  /** @param {Label} label */
  function section(label) {
    const examples = hand.examples.filter((example) => example.label === label);
    if (!examples.length) return null;
    const wrong = examples.filter((example) => misreading(example)).length;
    const title = make("h3", {}, label === null ? "No digit" : `${label}`);
    const much = make("p", { className: "much" }, drawings(examples.length));
    if (wrong) much.append(" ", make("b", {}, `${count(wrong)} misread`));
    const heading = make("div", {}, title, much);
    const figures = make("div", { className: "examples" }, ...examples.map(figure));
    return make("section", {}, heading, figures);
  }

  /** @param {Example} example */
  function figure(example) {
    const wrong = misreading(example);
    const name = example.label === null ? "drawing that is no digit" : `${example.label}`;
    const remove = makeButton("✕", () => discard([example]), {
      title: "Delete",
      ariaLabel: `Delete this ${name}`,
    });
    const caption = make("figcaption", {}, wrong);
    const className = wrong ? "wrong" : "";
    return make("figure", { className }, picture(example.strokes), remove, caption);
  }

  /** @param {Example} example */
  function misreading({ id, label }) {
    return readings.has(id) ? misreadAs(label, readings.get(id) ?? null) : "";
  }

  /** Ask what the network reads of drawings that it was not asked about. */
  async function read() {
    const fresh = hand.examples.filter(({ id }) => !readings.has(id));
    if (!fresh.length) return;
    const mine = ++asked;
    const text = writeFile(toSend(fresh));
    const answer = await ask(server.read_hand, { checkpoint: network, drawings: text });
    if (mine !== asked) return;
    if (failed(answer)) return complain(answer.error);
    for (const [i, { id }] of fresh.entries()) readings.set(id, answer.read[i]);
    showExamples();
  }

  /** @param {Example[]} examples */
  async function discard(examples) {
    deleted = examples;
    const failure = await hand.remove(examples);
    complain(failure);
    say(failure ? "" : `${count(examples.length)} deleted.`, true);
  }

  // ---------------------------------------------------------------- sentences

  /** @param {string} sentence what went wrong, or "" */
  function complain(sentence) {
    const notice = find("#hand-notice");
    notice.hidden = !sentence;
    setText(notice, sentence);
  }

  /** @param {string} sentence @param {boolean} [undoable] */
  function say(sentence, undoable = false) {
    find("#hand-undo").hidden = !sentence;
    find("#hand-undo button").hidden = !undoable;
    setText(find("#hand-undo span"), sentence);
  }

  // ---------------------------------------------------------------- teaching

  function showTeaching() {
    const { news, failure, isUnderWay, isStopped } = teaching;
    const taught = hand.networks.find(({ name }) => name === network);
    const words = taught?.told && !isUnderWay ? wordsOf(taught.told) : null;
    find("#hand-result").hidden = words === null;
    setText(find("#hand-result b"), words?.result ?? "");
    setText(find("#hand-result span"), words?.how ?? "");
    find("#hand-teach .waiting").hidden = !isUnderWay && !isStopped;
    const { text = "", share = null } = news ?? {};
    const state = isStopped ? "Stopped." : "Teaching…";
    setText(find("#hand-teach .waiting p"), text || state);
    const bar = find("#hand-teach progress", HTMLProgressElement);
    bar.hidden = isStopped;
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    setText(find("#hand-advice"), isUnderWay ? "" : isOff ? OFF : advice(countEach(hand.examples)));
    find("#hand-start").hidden = isUnderWay || isOff;
    find("#hand-stop").hidden = !isUnderWay;
    find("#hand-stop", HTMLButtonElement).disabled = news?.state === "stopping";
    find("#hand-resume").hidden = !isStopped;
    setText(find("#hand-line"), lineNow());
    if (failure) complain(failure);
  }

  /** What is said beside the pad. */
  function lineNow() {
    const { news, isUnderWay, isStopped } = teaching;
    if (isUnderWay) return news?.text || "Teaching…";
    return isStopped ? "Stopped." : beside;
  }

  /** The network that a teaching starts from: never a taught one, which would drift farther each time. */
  const origin = () => hand.networks.find(({ name }) => name === network)?.from ?? network;

  function teach() {
    complain("");
    if (hand.examples.length) teaching.start(origin());
    else complain(NONE);
  }

  /** Tell the server which networks this visitor may choose, and which one is chosen. */
  function offer() {
    offered = hand.networks.map(({ name }) => name).join();
    const own = hand.networks.map(({ name, made }) => ({ name, text: `Your hand, ${when(made)}` }));
    props.value = { own, choose: hand.chosen };
    trigger("own");
  }

  // ---------------------------------------------------------------- files

  function download() {
    const url = URL.createObjectURL(new Blob([writeFile(hand.examples)]));
    make("a", { href: url, download: FILE }).click();
    setTimeout(() => URL.revokeObjectURL(url));
  }

  async function bring() {
    const [chosen] = file.files ?? [];
    if (!chosen) return;
    complain("");
    try {
      const found = readFile(new Uint8Array(await chosen.arrayBuffer()), props);
      const { added, failure } = await hand.add(found);
      complain(failure);
      const rest = found.length - added;
      const known = rest ? ` ${count(rest)} were kept already.` : "";
      say(failure ? "" : `${count(added)} added.${known}`);
    } catch (error) {
      complain(error instanceof Error ? error.message : "The file cannot be read.");
    }
    file.value = ""; // the same file may be chosen again
  }

  // ---------------------------------------------------------------- opening

  function open() {
    if (!view.open) view.showModal();
    beside = "";
    say("");
    sure(false);
    update();
    showExamples();
  }

  /** @param {boolean} asks whether all shall be deleted */
  function sure(asks) {
    const many = drawings(hand.examples.length);
    setText(find("#hand-question"), `Delete all that is kept, ${many}?`);
    find("#hand-sure").hidden = !asks;
    if (asks) say("");
    find("footer").hidden = asks;
    if (asks) find("#hand-no").focus();
  }

  const close = () => view.close();
  const pressed = {
    "#hand-open": open,
    "#hand-close": close,
    "#hand-start": teach,
    "#hand-stop": () => teaching.stop(),
    "#hand-resume": () => teaching.resume(),
    "#hand-round": () => {
      close();
      startRound();
    },
    "#hand-undo button": () => {
      hand.put(deleted).then(complain);
      say("");
    },
    "#hand-download": download,
    "#hand-bring": () => file.click(),
    "#hand-delete": () => sure(true),
    "#hand-no": () => sure(false),
    "#hand-yes": () => {
      sure(false);
      discard(hand.examples);
    },
  };
  for (const [selector, press] of Object.entries(pressed))
    find(selector).addEventListener("click", press);
  file.addEventListener("change", bring);
  view.addEventListener("close", () => complain(""));
  view.addEventListener("click", (event) => {
    if (event.target === view) close();
  });
  find("#hand-owner").hidden = props.training !== "owner";

  onOpenHand(open);
  onAnswer(({ digit }) => {
    if (drawn || digit === null) return;
    drawn = true;
    update();
  });
  onNetwork((name) => {
    network = name;
    readings = new Map();
    hand.choose(hand.networks.some((taught) => taught.name === name) ? name : null);
  });
  hand.onChange(update);
  begin();

  async function begin() {
    await hand.open(props);
    isOpen = true;
    update();
    const names = hand.networks.map(({ name }) => name);
    if (!names.length) return;
    const answer = await ask(server.still_there, { names });
    if (failed(answer)) return;
    const gone = names.filter((name) => !answer.there.includes(name));
    if (gone.length) hand.forget(gone);
  }
}
