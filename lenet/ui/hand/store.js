// A visitor's hand: the drawings with their labels, the networks that were taught with them, and the
// teaching that is under way. Views change it here and hear of changes, also of other tabs'.

import { areSame, fault, MOST, normalize } from "./examples.js";
import { Full, openStorage } from "./storage.js";

/** @import { Strokes } from "../shared/events.js" */
/** @import { Example, Label, Labelled, Limits } from "./examples.js" */
/** @import { Storage } from "./storage.js" */
/** @import { Told } from "./words.js" */

/**
 * A network that was taught this hand. Its name is a secret of this browser.
 *
 * @typedef {object} Taught
 * @property {string} name
 * @property {string} from the network that the teaching started from
 * @property {number} drawings that it was taught
 * @property {number} made in milliseconds since 1970
 * @property {Told | null} told what it changed
 */

/** A run that teaches. @typedef {{ run: string, from: string, drawings: number }} Teaching */
/** A drawing that was just kept, and what stood in its place. @typedef {{ example: Example, before: Example | null }} Kept */

const CHANNEL = "lenet-hand";
const NETWORKS = 5; // that are remembered: the server forgets the oldest, too
const NO_ROOM = "This browser has no room for more drawings: delete some first.";
export const ALL_KEPT = `${MOST} drawings are kept, and no more: delete some first.`;

export class Hand {
  /** Oldest first. @type {Example[]} */
  examples = [];
  /** Newest first. @type {Taught[]} */
  networks = [];
  /** @type {Teaching | null} */
  teaching = null;
  /** The taught network that was in use last, null where another one was. @type {string | null} */
  chosen = null;
  /** Whether what is kept is there when the page is opened again. */
  lasts = true;
  /** What went wrong with the storage, in a sentence; else empty. */
  notice = "";

  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {(storage: Storage) => void} */
  #open = () => {};
  /** @type {Promise<Storage>} */
  #storage = new Promise((resolve) => {
    this.#open = resolve;
  });
  /** @type {BroadcastChannel | null} */
  #others = null;
  /** @type {Limits} */
  #limits = { max_strokes: 0, max_points: 0 };
  #writing = 0; // how many writes are under way: what is shown is ahead of what is stored

  /**
   * Read what is kept. What was kept on this page before that is added.
   *
   * @param {Limits} limits
   * @param {Promise<Storage>} storage
   */
  async open(limits, storage = openStorage()) {
    this.#limits = limits;
    const opened = await storage;
    this.#open(opened);
    this.lasts = opened.lasts;
    if (opened.lasts && "BroadcastChannel" in globalThis) {
      this.#others = new BroadcastChannel(CHANNEL);
      this.#others.onmessage = () => this.#read();
    }
    await this.#read();
  }

  /** @param {() => void} listener hears of every change */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  get room() {
    return Math.max(MOST - this.examples.length, 0);
  }

  /**
   * Keep a drawing, or give the same one another label.
   *
   * @param {Label} label
   * @param {Strokes} strokes
   * @returns {Kept & { failure: Promise<string> }} the sentence that says why it is not kept; or ""
   */
  keep(label, strokes) {
    const own = normalize(strokes);
    const before = this.examples.find((example) => areSame(example.strokes, own)) ?? null;
    const { id, made } = before ?? { id: newId(), made: Date.now() };
    const example = { id, label, strokes: own, made };
    return { example, before, failure: this.put([example]) };
  }

  /** @param {Kept} kept */
  takeBack({ example, before }) {
    return before ? this.put([before]) : this.remove([example]);
  }

  /**
   * Add drawings of a file to what is kept, all that are new or none.
   *
   * @param {Labelled[]} drawings as they are kept
   * @returns {Promise<{ added: number, failure: string }>}
   */
  async add(drawings) {
    const known = new Set(this.examples.map(({ strokes }) => JSON.stringify(strokes)));
    const fresh = new Map(drawings.map((each) => [JSON.stringify(each.strokes), each]));
    for (const strokes of known) fresh.delete(strokes);
    if (fresh.size > this.room) {
      const failure =
        `The file holds ${fresh.size} drawings that are not kept yet; there is room for ` +
        `${this.room} of ${MOST}: delete some first, or choose a smaller file.`;
      return { added: 0, failure };
    }
    const made = Date.now();
    const added = [...fresh.values()].map((each, i) => ({ ...each, id: newId(i), made: made + i }));
    const failure = await this.put(added);
    return { added: failure ? 0 : added.length, failure };
  }

  /** @param {Example[]} examples @returns {Promise<string>} a failure's sentence, or "" */
  put(examples) {
    const ids = new Set(examples.map(({ id }) => id));
    this.#show([...this.examples.filter(({ id }) => !ids.has(id)), ...examples]);
    return this.#write((storage) => storage.put(examples, MOST));
  }

  /** @param {Example[]} examples */
  remove(examples) {
    const ids = new Set(examples.map(({ id }) => id));
    this.#show(this.examples.filter(({ id }) => !ids.has(id)));
    return this.#write((storage) => storage.remove([...ids]));
  }

  /** @param {Teaching | null} teaching */
  follow(teaching) {
    return this.#write((storage) => storage.update("teaching", () => teaching));
  }

  /**
   * A network was taught, or what that changed is known. A new one is chosen.
   *
   * @param {Taught} taught
   */
  async learn(taught) {
    const known = this.networks.find(({ name }) => name === taught.name);
    if (!known) await this.choose(taught.name);
    await this.#write((storage) =>
      storage.update("networks", (stored) => {
        const others = networksIn(stored).filter(({ name }) => name !== taught.name);
        return [{ ...taught, made: known?.made ?? taught.made }, ...others].slice(0, NETWORKS);
      }),
    );
  }

  /** Forget networks that the server no longer has. @param {string[]} names */
  forget(names) {
    return this.#write((storage) =>
      storage.update("networks", (stored) =>
        networksIn(stored).filter(({ name }) => !names.includes(name)),
      ),
    );
  }

  /** @param {string | null} name of the taught network that is in use */
  choose(name) {
    return this.#write((storage) => storage.update("chosen", () => name));
  }

  // ---------------------------------------------------------------- storage

  /** @param {(storage: Storage) => Promise<void>} step @returns {Promise<string>} */
  async #write(step) {
    const storage = await this.#storage;
    this.#writing += 1;
    let failure = "";
    try {
      await step(storage);
    } catch (error) {
      failure = error instanceof Full ? ALL_KEPT : NO_ROOM;
    }
    this.#writing -= 1;
    this.#others?.postMessage(null);
    await this.#read();
    return failure;
  }

  async #read() {
    if (this.#writing) return; // the last of them reads
    const storage = await this.#storage;
    try {
      const [stored, networks, teaching, chosen] = await Promise.all([
        storage.all(),
        storage.read("networks"),
        storage.read("teaching"),
        storage.read("chosen"),
      ]);
      if (this.#writing) return;
      this.networks = networksIn(networks);
      this.teaching = isTeaching(teaching) ? teaching : null;
      this.chosen = typeof chosen === "string" ? chosen : null;
      const examples = stored.filter((record) => isExample(record, this.#limits));
      if (examples.length < stored.length) this.#clean(storage, stored);
      this.#show(examples);
    } catch {
      this.notice = "What this browser keeps for this page cannot be read.";
      this.#tell();
    }
  }

  /** Remove what is no example, and say so. @param {Storage} storage @param {unknown[]} stored */
  async #clean(storage, stored) {
    const bad = stored.filter((record) => !isExample(record, this.#limits));
    this.notice =
      bad.length === 1
        ? "One of the drawings that this browser keeps was damaged; it is left out."
        : `${bad.length} of the drawings that this browser keeps were damaged; they are left out.`;
    await storage.remove(bad.map((record) => /** @type {{ id: IDBValidKey }} */ (record).id));
  }

  /** @param {Example[]} examples */
  #show(examples) {
    this.examples = examples.sort((a, b) => a.made - b.made);
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/** An id that no other tab makes. @param {number} [i] */
const newId = (i = 0) => `${Date.now()}-${i}-${Math.random().toString(36).slice(2)}`;

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isRecord = (value) => typeof value === "object" && value !== null;

/** @param {unknown} record @param {Limits} limits @returns {record is Example} */
const isExample = (record, limits) =>
  isRecord(record) &&
  typeof record.id === "string" &&
  Number.isFinite(record.made) &&
  fault(record, limits) === "";

/** @param {unknown} value @returns {Taught[]} */
const networksIn = (value) =>
  (Array.isArray(value) ? value : []).filter(
    (each) =>
      isRecord(each) &&
      typeof each.name === "string" &&
      typeof each.from === "string" &&
      Number.isInteger(each.drawings) &&
      Number.isFinite(each.made),
  );

/** @param {unknown} value @returns {value is Teaching} */
const isTeaching = (value) =>
  isRecord(value) &&
  typeof value.run === "string" &&
  typeof value.from === "string" &&
  Number.isInteger(value.drawings);

/** The visitor's hand, for all views. */
export const hand = new Hand();
