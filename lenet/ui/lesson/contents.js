// The list of the lesson's steps, with a tick at those that were done. The panel follows its links.

import { onLesson } from "../shared/events.js";
import { loadProgress } from "./progress.js";

/** @import { View } from "../shared/dom.js" */

/** @param {View<unknown, unknown>} view */
export function mount({ element }) {
  function tick() {
    const { guesses } = loadProgress();
    for (const [i, link] of [...element.querySelectorAll("li a")].entries())
      link.classList.toggle("done", `${i + 1}` in guesses);
  }
  onLesson(tick);
  tick();
}
