// Asks the server whether there is anything new of the run, and lets Gradio bring what has changed.

/** @import { View } from "../shared/dom.js" */

/** What news.py answers. @typedef {{ state: string, progress: string, wait: number }} News */
/** What the page shows of it. @typedef {{ state: string, progress: string }} Shown */

const RETRY = 2000; // milliseconds from a failed question to the next one

/**
 * The events for what the page does not show yet. The progress waits until its tab is seen.
 *
 * @param {Shown} shown becomes what the page then shows
 * @param {Shown} news
 * @param {boolean} seen
 */
export function unseen(shown, news, seen) {
  const events = [];
  if (news.state !== shown.state) events.push("stated");
  if (seen && news.progress !== shown.progress) events.push("progressed");
  shown.state = news.state;
  if (seen) shown.progress = news.progress;
  return events;
}

const isSeen = () => Boolean(document.querySelector("#train")?.getClientRects().length);

/** @param {View<{ value: string }, unknown>} view */
export function mount({ trigger, watch }) {
  const shown = { state: "", progress: "" };
  let timer = 0;
  let asked = 0; // goes up with every question: of two answers the later one counts

  async function ask(query = "") {
    clearTimeout(timer);
    const mine = ++asked;
    let wait = RETRY;
    if (!document.hidden) {
      try {
        const answer = await fetch(new URL(`news${query}`, document.baseURI));
        const news = /** @type {News} */ (await answer.json());
        if (mine !== asked) return;
        if (answer.ok) {
          wait = news.wait;
          for (const event of unseen(shown, news, isSeen())) trigger(event);
        }
      } catch {
        // The server does not answer: it is asked again.
      }
      if (mine !== asked) return;
    }
    timer = window.setTimeout(ask, wait);
  }

  watch("value", () => ask("?now"));
  document.addEventListener("visibilitychange", () => ask());
  ask();
}
