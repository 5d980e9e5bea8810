import assert from "node:assert/strict";
import { test } from "node:test";
import * as events from "../../lenet/ui/shared/events.js";

Object.assign(globalThis, { document: new EventTarget() });

test("an event reaches those who listen to it, and nobody else", () => {
  /** @type {unknown[]} */
  const heard = [];
  events.onAnswer(({ digit }) => heard.push(["answer", digit]));
  events.onAskInside((question) => heard.push(["ask", question]));
  events.onOpenFrame((frame) => heard.push(["open", frame]));
  const four = { digit: 4, is_digit: true, probabilities: [], sure: true, pixels: "" };
  events.tellAnswer({ ...four, number: "4" });
  events.askInside({ why: 3 });
  events.askInside(null);
  events.openFrame("AAAA");
  assert.deepEqual(heard, [
    ["answer", 4],
    ["ask", { why: 3 }],
    ["ask", null],
    ["open", "AAAA"],
  ]);
});

test("the last drawing is there for a view that comes later", () => {
  assert.equal(events.lastDrawing(), null);
  events.tellDrawing({ strokes: [[[1, 2]]], digit: 1 });
  assert.deepEqual(events.lastDrawing(), { strokes: [[[1, 2]]], digit: 1 });
});
