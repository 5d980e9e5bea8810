// How far a visitor has come in the lesson, kept in the browser; and the links to its steps.

const KEY = "lenet-lesson";

/**
 * @typedef {object} Progress
 * @property {number} step that was open last, counted from 1
 * @property {Record<string, number>} guesses by the step, counted from 0
 */

/**
 * The step that a link names: the first one where there is no such step, null where it is no link
 * to the lesson.
 *
 * @param {string} hash of an address
 * @param {number} steps how many there are
 */
export function stepOf(hash, steps) {
  const found = /^#lesson(?:-(.*))?$/.exec(hash);
  if (!found) return null;
  const step = /^[0-9]{1,2}$/.test(found[1] ?? "") ? Number(found[1]) : 1;
  return step >= 1 && step <= steps ? step : 1;
}

/**
 * What was kept, or a new beginning where the text is nothing of ours.
 *
 * @param {string | null} text
 * @returns {Progress}
 */
export function parse(text) {
  try {
    const { step, guesses } = JSON.parse(text ?? "");
    const entries = Object.entries(guesses).filter(([, guess]) => Number.isInteger(guess));
    return {
      step: Number.isInteger(step) ? step : 1,
      guesses: Object.fromEntries(entries),
    };
  } catch {
    return { step: 1, guesses: {} };
  }
}

/** What was kept; a browser may keep nothing, as of a page within another one. @returns {Progress} */
export function loadProgress() {
  try {
    return parse(localStorage.getItem(KEY));
  } catch {
    return parse(null);
  }
}

/** @param {Progress} progress */
export function keepProgress(progress) {
  try {
    localStorage.setItem(KEY, JSON.stringify(progress));
  } catch {
    // Then it lasts as long as the page.
  }
}
