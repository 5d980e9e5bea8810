// Asks the server whether there is anything new of the run, and lets Gradio bring what has changed.

/** @import { View } from "../shared/dom.js" */

/** What news.py answers. @typedef {{ state: string, progress: string, wait: number, shown?: unknown[] }} News */
/** What the page shows of it. @typedef {{ state: string, progress: string }} Shown */

const RETRY = 2000; // milliseconds from a failed question to the next one

/** The values of the views that show the progress. @type {unknown[]} */
let values = [];

/** Gives Gradio what its event `progressed` shows. */
export const shownNow = () => values;

/**
 * The events for what the page does not show yet.
 *
 * @param {Shown} shown becomes what the page then shows
 * @param {News} news
 */
export function unseen(shown, news) {
  const events = [];
  if (news.state !== shown.state) {
    shown.state = news.state;
    events.push("stated");
  }
  if (news.shown) {
    shown.progress = news.progress;
    events.push("progressed");
  }
  return events;
}

const isSeen = () => Boolean(document.querySelector("#train")?.getClientRects().length);

/** @param {View<{ value: string }, unknown>} view */
export function mount({ trigger, watch }) {
  const shown = { state: "", progress: "" };
  let timer = 0;
  let asked = 0; // goes up with every question: of two answers the later one counts

  async function ask(more = {}) {
    clearTimeout(timer);
    const mine = ++asked;
    let wait = RETRY;
    if (!document.hidden) {
      try {
        const query = new URLSearchParams(more);
        if (isSeen()) query.set("progress", shown.progress);
        const answer = await fetch(new URL(`news?${query}`, document.baseURI));
        const news = /** @type {News} */ (await answer.json());
        if (mine !== asked) return;
        if (answer.ok) {
          wait = news.wait;
          values = news.shown ?? values;
          for (const event of unseen(shown, news)) trigger(event);
        }
      } catch {
        // The server does not answer: it is asked again.
      }
      if (mine !== asked) return;
    }
    timer = window.setTimeout(ask, wait);
  }

  watch("value", () => ask({ now: "" }));
  document.addEventListener("visibilitychange", () => ask());
  ask();
}
