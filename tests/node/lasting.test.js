import assert from "node:assert/strict";
import { test } from "node:test";
import { lasting } from "../../lenet/ui/draw/lasting.js";

test("what is drawn at last is kept when the page is left, and not again with each leaving", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const replaceState = t.mock.fn((state) => {
    history.state = state;
  });
  const history = { state: null, replaceState };
  const window = new EventTarget();
  Object.assign(globalThis, { history, window });
  const drawing = { strokes: [[[1, 2]]], picture: null, isEmpty: false };
  const changed = lasting(/** @type {any} */ (drawing));

  window.dispatchEvent(new Event("beforeunload"));
  assert.equal(history.state, null);
  changed();
  assert.equal(history.state, null);
  window.dispatchEvent(new Event("beforeunload"));
  assert.deepEqual(history.state, { drawing: { strokes: drawing.strokes, picture: null } });
  t.mock.timers.tick(1000);
  const { length } = replaceState.mock.calls;
  window.dispatchEvent(new Event("pagehide"));
  assert.equal(replaceState.mock.calls.length, length);
});
