// A tab that fills itself from the server: its questions, its progress and its failures.

import { finder, setText } from "./dom.js";

/** @import { Call } from "./dom.js" */

/** @typedef {{ error: string }} Failure */
/** How far something is that takes a while. @typedef {{ text: string, share: number | null }} Progress */

const PATIENCE = 150; // milliseconds before progress is shown, and between two questions about it

/**
 * Ask the server; that it does not answer is a failure too.
 *
 * @template Request, Answer
 * @param {Call<Request, Answer>} call
 * @param {Request} request
 * @returns {Promise<Answer | Failure>}
 */
export async function ask(call, request) {
  return (await call(request)) ?? { error: "The server does not answer: try it again." };
}

/**
 * Whether an answer is a failure.
 *
 * @param {object} answer
 * @returns {answer is Failure}
 */
export const failed = (answer) => "error" in answer;

/** The part of a view that its template calls `.report`, its progress and its error. */
export class Report {
  #find;
  /** Of the calls that take a while, only the latest one's progress is shown. */
  #calls = 0;

  /** @param {Element} element holds the view */
  constructor(element) {
    this.#find = finder(element);
  }

  /** Nobody may use figures that are about to change. @param {boolean} waits */
  set waits(waits) {
    this.#find(".report").inert = waits;
  }

  /**
   * Ask what may take a second; until the answer comes, show what `progress` says about it.
   *
   * @template Request, Answer
   * @param {Call<Request, Answer>} call
   * @param {Call<Request, Progress>} progress
   * @param {Request} request
   */
  async ask(call, progress, request) {
    const mine = ++this.#calls;
    this.#follow(mine, progress, request);
    const answer = await ask(call, request);
    if (mine === this.#calls) {
      this.#calls += 1;
      this.#find(".waiting").hidden = true;
    }
    return answer;
  }

  /**
   * @template Request
   * @param {number} mine
   * @param {Call<Request, Progress>} progress
   * @param {Request} request
   */
  async #follow(mine, progress, request) {
    const pause = () => new Promise((resolve) => setTimeout(resolve, PATIENCE));
    for (await pause(); mine === this.#calls; await pause()) {
      const told = await ask(progress, request);
      if (mine !== this.#calls || failed(told) || !told.text) return;
      const bar = this.#find("progress", HTMLProgressElement);
      this.#find(".waiting").hidden = false;
      setText(this.#find(".waiting p"), told.text);
      bar.hidden = told.share === null;
      bar.value = told.share ?? 0;
    }
  }

  /**
   * Show the report, or in its place the sentence that says why not; whether there is a report.
   *
   * @template {object} Answer
   * @param {Answer | Failure} answer
   * @returns {answer is Exclude<Answer, Failure>}
   */
  succeeded(answer) {
    const error = failed(answer) ? answer.error : "";
    this.#find(".report").hidden = Boolean(error);
    this.#find(".error").hidden = !error;
    setText(this.#find(".error"), error);
    return !error;
  }
}
