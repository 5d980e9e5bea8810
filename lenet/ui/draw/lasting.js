// The drawing in the history of its tab, where it survives a reload. The browser's storage would not
// do: it may be closed to a page within another one, as on a Space.

/** @import { Content, Drawing } from "./drawing.js" */

const EVERY = 350; // milliseconds: Safari allows 100 changes of the history in 30 seconds

/** What was drawn before the page was loaded again. @returns {Content} */
export function lastDrawing() {
  return history.state?.drawing ?? { strokes: [], picture: null };
}

/**
 * Keep what is drawn, and forget at once what was cleared or told.
 *
 * @param {Drawing} drawing
 * @returns {() => void} to be called whenever it has changed
 */
export function lasting(drawing) {
  let waits = false;
  const keep = () => {
    const { strokes, picture, isEmpty } = drawing;
    if (isEmpty && !history.state?.drawing) return;
    const content = isEmpty ? null : { strokes, picture };
    history.replaceState({ ...history.state, drawing: content }, "");
  };
  const keepAtLast = () => waits && keep();
  // Safari on a phone does not tell of the first; for a reload in the others the second is too late.
  for (const leaving of ["beforeunload", "pagehide", "visibilitychange"])
    window.addEventListener(leaving, keepAtLast);
  return () => {
    if (drawing.isEmpty) keep();
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      keep();
    }, EVERY);
  };
}
