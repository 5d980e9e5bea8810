// Asking about a drawing that changes faster than a server answers.

const PATIENCE = 3000; // milliseconds without an answer before somebody is told
const RETRY = 1000; // milliseconds from a failed call to the next one

/**
 * What is asked about, and who hears the answers.
 *
 * @template Answer
 * @typedef {object} Subject
 * @property {() => Promise<Answer | null | undefined>} ask about what there is now
 * @property {() => boolean} isEmpty there is nothing to ask about
 * @property {(answer: Answer) => void} take an answer
 * @property {() => void} complain that no answer comes
 */

/**
 * Asks one call at a time, for as long as the subject is newer than the answer.
 *
 * @template Answer
 */
export class Asking {
  /** Of the subject, goes up with every change. */
  version = 0;
  /** An answer about an earlier version is about a subject that is gone. */
  #oldest = 0;
  #busy = false;
  /** @type {Subject<Answer>} */
  #subject;

  /** @param {Subject<Answer>} subject */
  constructor(subject) {
    this.#subject = subject;
  }

  /** The subject has changed; `anew` where answers about what it was must not come any more. */
  changed(anew = false) {
    this.version += 1;
    if (anew) this.#oldest = this.version;
    this.#ask();
  }

  async #ask() {
    if (this.#busy) return;
    this.#busy = true;
    const { ask, isEmpty, take, complain } = this.#subject;
    for (let read = NaN; read !== this.version && !isEmpty(); ) {
      read = this.version;
      const late = setTimeout(complain, PATIENCE);
      const answer = await ask();
      clearTimeout(late);
      if (!answer) {
        complain();
        await new Promise((resolve) => setTimeout(resolve, RETRY));
        read = NaN;
      } else if (read >= this.#oldest) take(answer);
    }
    this.#busy = false;
  }
}
