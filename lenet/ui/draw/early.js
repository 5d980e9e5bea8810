// Reads what is drawn on the pad of early.html, until pad.js takes it over.

import { openStorage } from "../hand/storage.js";
import { call, initialValue } from "../shared/gradio.js";
import { Asking } from "./asking.js";

/** @import { Reading, Strokes } from "../shared/events.js" */

/**
 * The pad of early.html.
 *
 * @typedef {object} Early
 * @property {() => Strokes} drawing all that is on it
 * @property {() => void} [changed] is called when there is more
 * @property {Reading} [reading] the latest of it
 * @property {(take: (strokes: Strokes) => void) => void} giveTo what was drawn since the page was
 *   opened, once the pen is up; then it is gone
 */

const PAD = "drawing"; // the element's id of the pad that takes over

/** @type {{ early: Early }} */
const { early } = /** @type {any} */ (window);
const place = document.querySelector("#early");
if (place) read(place);

/** @param {Element} place the pad's */
function read(place) {
  const chosen = ownNetwork();
  const asking = new Asking({
    isEmpty: () => !place.isConnected || early.drawing().length === 0,
    ask: async () => {
      const checkpoint = (await chosen) ?? initialValue(PAD);
      return call(PAD, "read_drawing", { checkpoint, strokes: early.drawing() });
    },
    take: (/** @type {Reading & { took: number }} */ reading) => {
      if ("error" in reading) return; // pad.js will say it
      early.reading = reading;
      const { number, digits = [reading] } = reading;
      const answer = /** @type {HTMLElement} */ (place.querySelector("output"));
      answer.textContent = number;
      answer.style.setProperty("--length", `${number.length}`);
      answer.classList.toggle("number", number.length > 1);
      answer.classList.toggle("unsure", !digits.every(({ sure }) => sure));
    },
    complain: () => {},
  });
  early.changed = () => asking.changed();
  early.changed();
}

/** The network of their own that the visitor chose the last time. */
async function ownNetwork() {
  const storage = await openStorage();
  return storage.read("chosen").catch(() => null);
}
