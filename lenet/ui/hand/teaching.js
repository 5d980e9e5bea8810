// Teaching a network a visitor's hand: started, followed to its end, stopped, resumed. The run goes
// on when the page is closed; the store remembers its name.

import { ask, failed } from "../shared/report.js";
import { toSend, writeFile } from "./examples.js";
import { hand } from "./store.js";

/** @import { Call } from "../shared/dom.js" */
/** @import { Taught } from "./store.js" */
/** @import { Told } from "./words.js" */

/**
 * How far a teaching is: `Teaching` of hand.py.
 *
 * @typedef {object} News
 * @property {string} state waiting, starting, running, stopping, stopped, finished, failed or gone
 * @property {string} text
 * @property {number | null} share that is done
 * @property {string | null} network the name of the one that was taught, as soon as it is there
 * @property {Told | null} told what it changed
 */

/**
 * @typedef {object} Server
 * @property {Call<{ checkpoint: string, drawings: string, password: string }, { run: string }>} teach
 * @property {Call<{ run: string }, News>} taught
 * @property {Call<{ run: string, password: string }, object>} stop_teaching
 * @property {Call<{ run: string, password: string }, object>} resume_teaching
 */

const EVERY = 500; // milliseconds between two looks at a run
const ENDED = ["stopped", "finished", "failed", "gone"];

export class Teaching {
  /** What was heard last of the run that is under way, or was stopped. @type {News | null} */
  news = null;
  /** Why it failed or was refused, in one sentence; else empty. */
  failure = "";
  #server;
  #changed;
  #ended;
  #password;
  /** The run that is followed. @type {string | null} */
  #followed = null;

  /**
   * @param {Server} server
   * @param {() => string} password the owner's, where this server wants it
   * @param {() => void} changed hears of news
   * @param {(taught: Taught) => void} ended hears of the network at the end
   */
  constructor(server, password, changed, ended) {
    this.#server = server;
    this.#password = password;
    this.#changed = changed;
    this.#ended = ended;
  }

  get isUnderWay() {
    return this.news !== null && !ENDED.includes(this.news.state);
  }

  get isStopped() {
    return this.news?.state === "stopped";
  }

  /** Teach a network all that is kept. @param {string} from the network's name */
  async start(from) {
    const drawings = hand.examples;
    this.#say({ state: "starting", text: "", share: null, network: null, told: null });
    const asked = {
      checkpoint: from,
      drawings: writeFile(toSend(drawings)),
      password: this.#password(),
    };
    const answer = await ask(this.#server.teach, asked);
    if (failed(answer)) return this.#say(null, answer.error);
    await hand.follow({ run: answer.run, from, drawings: drawings.length });
    this.follow();
  }

  async stop() {
    await this.#tell(this.#server.stop_teaching);
  }

  /** Go on where it was stopped. */
  async resume() {
    if (!(await this.#tell(this.#server.resume_teaching))) return;
    this.#say({ state: "starting", text: "", share: null, network: null, told: null });
    this.#followed = null;
    this.follow();
  }

  /** Follow the run that the store names to its end, where there is one. */
  async follow() {
    const run = hand.teaching?.run;
    if (!run || this.#followed === run) return;
    this.#followed = run;
    for (;;) {
      const answer = await ask(this.#server.taught, { run });
      const { teaching } = hand;
      if (teaching?.run !== run || this.#followed !== run) return; // another tab was first
      if (failed(answer)) this.#say(this.news, answer.error);
      else if (await this.#hear(teaching, answer)) return;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  /**
   * Whether it has ended.
   *
   * @param {{ from: string, drawings: number }} teaching
   * @param {News} news
   */
  async #hear({ from, drawings }, news) {
    const { state, network: name, told, text } = news;
    const hasEnded = ENDED.includes(state);
    if (name && (told || !hand.networks.some((known) => known.name === name))) {
      const taught = { name, from, drawings, made: Date.now(), told };
      await hand.learn(taught);
      if (told) this.#ended(taught);
    }
    const canGoOn = state === "stopped" && !name;
    if (hasEnded && !canGoOn) {
      await hand.follow(null);
      const wasTakenOut = state === "gone" && this.news?.state === "waiting";
      const failure = state === "failed" || (state === "gone" && !wasTakenOut);
      this.#say(null, failure ? text : "");
    } else this.#say(news);
    return hasEnded;
  }

  /** @param {Server["stop_teaching"]} call */
  async #tell(call) {
    const run = hand.teaching?.run;
    if (!run) return false;
    const answer = await ask(call, { run, password: this.#password() });
    if (failed(answer)) this.#say(this.news, answer.error);
    return !failed(answer);
  }

  /** @param {News | null} news @param {string} [failure] */
  #say(news, failure = "") {
    this.news = news;
    this.failure = failure;
    this.#changed();
  }
}
