// Asking about a drawing that changes faster than answers come. Where the way to the server is long,
// several calls are under way at once; where the server is busy, one.

const AT_ONCE = 4; // calls under way: a browser opens six connections, and others need some
const SPACE = 33; // milliseconds between two calls at least
const FILLED = 3.3; // calls under way on a slow line: below AT_ONCE, so that one may go on pen-up
const WEIGHT = 0.25; // of the latest answer in the moving average of their times
const FORGET = 1.001; // factor by which the shortest time grows with each answer: lines change
const PATIENCE = 3000; // milliseconds without an answer before somebody is told
const RETRY = 1000; // milliseconds from a failed call to the next one

/** @typedef {{ took: number }} Timed how many milliseconds the server took for an answer */

/**
 * What is asked about, and who hears the answers.
 *
 * @template {Timed} Answer
 * @typedef {object} Subject
 * @property {() => Promise<Answer | null | undefined>} ask about what there is now
 * @property {() => boolean} isEmpty there is nothing to ask about
 * @property {(answer: Answer) => void} take an answer
 * @property {() => void} complain that no answer comes
 */

/**
 * Asks for as long as the subject is newer than what was asked about. Answers may overtake each
 * other: an older one is not taken after a newer one.
 *
 * @template {Timed} Answer
 */
export class Asking {
  /** Of the subject, goes up with every change. */
  version = 0;
  /** The version that was asked about last. */
  #asked = 0;
  /** Answers about this version and older ones are not taken any more. */
  #past = 0;
  #underWay = 0;
  #began = 0; // when the last call began, in milliseconds
  #rests = false; // after a failed call
  #hurries = false; // the last state is asked about as soon as it can be
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #next;
  #pace = new Pace();
  /** @type {Subject<Answer>} */
  #subject;

  /** @param {Subject<Answer>} subject */
  constructor(subject) {
    this.#subject = subject;
  }

  /** The subject has changed; `anew` where answers about what it was must not be taken any more. */
  changed(anew = false) {
    if (anew) this.#past = this.version;
    this.version += 1;
    this.#hurries = false;
    this.#ask();
  }

  /** The subject will not change for a while: its last state is asked about without delay. */
  settled() {
    this.#hurries = true;
    this.#ask();
  }

  #ask() {
    clearTimeout(this.#next);
    if (this.#rests || this.#asked === this.version || this.#subject.isEmpty()) return;
    if (this.#underWay >= this.#pace.atOnce) return; // the next answer asks again
    const pauses = this.#underWay > 0 && !this.#hurries;
    const wait = pauses ? this.#began + this.#pace.space - performance.now() : 0;
    if (wait > 0) this.#next = setTimeout(() => this.#ask(), wait);
    else this.#call();
  }

  async #call() {
    const version = this.version;
    const { ask, take, complain } = this.#subject;
    const isPast = () => version <= this.#past;
    const began = performance.now();
    this.#asked = version;
    this.#began = began;
    this.#underWay += 1;
    const late = setTimeout(() => isPast() || complain(), PATIENCE);
    const answer = await ask();
    clearTimeout(late);
    this.#underWay -= 1;
    if (answer) this.#pace.took(performance.now() - began, answer.took);
    if (!isPast()) {
      if (answer) {
        this.#past = version;
        take(answer);
      } else this.#fail();
    }
    this.#ask();
  }

  /** No answer has come: the next call is made after a while. */
  #fail() {
    this.#subject.complain();
    this.#asked = NaN;
    if (this.#rests) return;
    this.#rests = true;
    setTimeout(() => {
      this.#rests = false;
      this.#ask();
    }, RETRY);
  }
}

/**
 * How many calls may be under way, and how far apart they begin.
 *
 * An answer that takes longer than the quickest did has waited, at a busy server or on a busy line.
 * More calls would only wait longer, so at most so many are under way that half a call waits (as in
 * TCP Vegas: Brakmo, O'Malley, Peterson, "TCP Vegas: new techniques for congestion detection and
 * avoidance", SIGCOMM 1994).
 */
class Pace {
  /** Milliseconds on the way, without the server, of the quickest answer; Infinity before the first. */
  #shortestWay = Infinity;
  #usually = 0; // milliseconds that an answer takes on average

  /** @param {number} time that an answer took @param {number} there of it at the server */
  took(time, there) {
    this.#usually = this.#usually ? this.#usually + WEIGHT * (time - this.#usually) : time;
    this.#shortestWay = Math.min(this.#shortestWay * FORGET, time - there);
  }

  get atOnce() {
    if (this.#shortestWay === Infinity) return 1;
    const waiting = Math.max(this.#usually - this.#shortestWay, 1);
    return Math.max(1, Math.min(Math.floor(this.#usually / (2 * waiting)), AT_ONCE));
  }

  get space() {
    return Math.max(SPACE, this.#usually / FILLED);
  }
}
