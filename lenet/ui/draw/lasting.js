// The drawing in the history of its tab, where it survives a reload. The browser's storage would not
// do: it is closed to a page that stands within another one, as on a Space.

/** @import { Content } from "./drawing.js" */

const EVERY = 350; // milliseconds: Safari allows 100 changes of the history in 30 seconds

/** What was drawn before the page was loaded again. @returns {Content} */
export function lastDrawing() {
  return history.state?.drawing ?? { strokes: [], picture: null };
}

/**
 * Keep what is drawn.
 *
 * @param {() => Content} content what is drawn now
 * @returns {() => void} has to be called when that has changed
 */
export function lasting(content) {
  let waits = false;
  const keep = () => {
    waits = false;
    const { strokes, picture } = content();
    history.replaceState({ ...history.state, drawing: { strokes, picture } }, "");
  };
  return () => {
    if (waits) return;
    waits = true;
    setTimeout(keep, EVERY); // as the page is left it would be too late
  };
}
