import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOf, toldOf, unitAt } from "../../lenet/ui/draw/silencing.js";

test("a pixel belongs to its map, in fc1 and fc2 to a unit, and elsewhere to nothing", () => {
  assert.deepEqual(unitAt({ name: "conv1", map: 3, width: 28 }, 5, 6), ["conv1", 3]);
  assert.deepEqual(unitAt({ name: "pool2", map: 11, width: 5 }, 0, 0), ["conv2", 11]);
  assert.deepEqual(unitAt({ name: "fc1", width: 20 }, 3, 2), ["fc1", 43]);
  assert.deepEqual(unitAt({ name: "fc2", width: 14 }, 13, 5), ["fc2", 83]);
  for (const name of ["frame", "input", "why"])
    assert.equal(unitAt({ name, width: 28 }, 0, 0), null);
});

test("units are named as the view names them", () => {
  assert.equal(nameOf(["conv1", 0]), "map 1 of conv1");
  assert.equal(nameOf(["fc2", 83]), "unit 84 of fc2");
});

test("the accuracy with and without a unit, in words", () => {
  const accuracy = { data: "mnist", count: 10000, whole: 9948, without: 9012 };
  assert.equal(
    toldOf(accuracy),
    "Of 10,000 test images 90.12% are read right without it, 99.48% with it.",
  );
  assert.match(toldOf({ ...accuracy, data: "synthetic" }), /^Of 10,000 synthetic test images/);
});
