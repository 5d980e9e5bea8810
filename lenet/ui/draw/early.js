// Reads what is drawn on the pad of early.html, until pad.js takes it over.

import { openStorage } from "../hand/storage.js";
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

/** @typedef {{ id: number, props: { elem_id?: string, value?: string } }} Component of Gradio's config */

const CALLS = "gradio_api/component_server/"; // where Gradio's own scripts send calls of server functions

/** @type {{ early: Early, gradio_config: { components: Component[] } }} */
const { early, gradio_config } = /** @type {any} */ (window);
const place = document.querySelector("#early");
if (place) read(place);

/** @param {Element} place the pad's */
function read(place) {
  const pad = gradio_config.components.find(({ props }) => props.elem_id === "drawing");
  const call = { component_id: pad?.id, fn_name: "read_drawing", session_hash: "early" };
  const chosen = ownNetwork();
  const asking = new Asking({
    isEmpty: () => !place.isConnected || early.drawing().length === 0,
    ask: async () => {
      const data = { checkpoint: (await chosen) ?? pad?.props.value, strokes: early.drawing() };
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ ...call, data });
      const answer = await fetch(CALLS, { method: "POST", headers, body }).catch(() => null);
      return answer?.ok ? answer.json() : null;
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
