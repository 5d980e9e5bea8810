import assert from "node:assert/strict";
import { test } from "node:test";
import { Drawing, enlarge, firstPoints, toPoint } from "../../lenet/ui/draw/drawing.js";

/** @typedef {import("../../lenet/ui/draw/drawing.js").Point} Point */

const limits = { max_strokes: 3, max_points: 6 };

/** A drawing with these strokes, made as a pen makes them. @param {Point[][]} strokes */
function drawn(...strokes) {
  const drawing = new Drawing(limits);
  for (const [first, ...rest] of strokes) {
    drawing.begin(first);
    drawing.extend(rest, 0);
  }
  return drawing;
}

test("points that tremble are left out, and what to paint begins at the last point", () => {
  const drawing = drawn([[0, 0]]);
  const added = drawing.extend(
    [
      [1, 1],
      [3, 0],
      [4, 1],
      [3, 3],
    ],
    3,
  );
  assert.deepEqual(added, [
    [0, 0],
    [3, 0],
    [3, 3],
  ]);
  assert.deepEqual(drawing.strokes, [added]);
  assert.deepEqual(drawing.extend([[4, 4]], 3), []);
});

test("no more points and strokes are taken than the server reads", () => {
  const drawing = drawn([[0, 0]]);
  drawing.extend(
    Array.from({ length: 20 }, (_, i) => [10 * i + 10, 0]),
    1,
  );
  assert.equal(drawing.strokes[0].length, limits.max_points);
  assert.equal(drawing.isFull, true);
  drawing.undo();
  assert.equal(drawing.isFull, false);
  assert.equal(drawn([[0, 0]], [[1, 1]], [[2, 2]]).isFull, true);
  assert.equal(drawn([[0, 0]], [[1, 1]], [[2, 2]]).room, 3);
});

test("undo takes strokes back one by one, and does nothing on an empty pad", () => {
  const drawing = drawn(
    [
      [0, 0],
      [5, 5],
    ],
    [[1, 1]],
  );
  drawing.undo();
  assert.deepEqual(drawing.strokes, [
    [
      [0, 0],
      [5, 5],
    ],
  ]);
  drawing.undo();
  drawing.undo();
  assert.equal(drawing.isEmpty, true);
});

test("undo brings back what was cleared or replaced", () => {
  const drawing = drawn([[0, 0]]);
  drawing.clear();
  assert.equal(drawing.isEmpty, true);
  drawing.clear(); // is no step: there is nothing to clear
  drawing.undo();
  assert.deepEqual(drawing.strokes, [[[0, 0]]]);
  drawing.replace([[[7, 7]]]);
  drawing.replace([], "picture");
  assert.deepEqual([drawing.strokes, drawing.picture], [[], "picture"]);
  drawing.undo();
  assert.deepEqual([drawing.strokes, drawing.picture], [[[[7, 7]]], null]);
  drawing.undo();
  assert.deepEqual(drawing.strokes, [[[0, 0]]]);
});

test("the pen takes the place of a picture, and gives it back", () => {
  const drawing = new Drawing(limits);
  drawing.replace([], "picture");
  drawing.begin([1, 2]);
  assert.deepEqual([drawing.strokes, drawing.picture], [[[[1, 2]]], null]);
  drawing.undo();
  assert.deepEqual([drawing.strokes, drawing.picture], [[], "picture"]);
});

test("each stroke of a restored drawing can be taken back, and a picture as a whole", () => {
  const drawing = new Drawing(limits);
  drawing.restore({ strokes: [[[0, 0]], [[1, 1]]], picture: null });
  drawing.undo();
  assert.deepEqual(drawing.strokes, [[[0, 0]]]);
  drawing.undo();
  assert.equal(drawing.isEmpty, true);
  drawing.restore({ strokes: [], picture: "picture" });
  assert.equal(drawing.picture, "picture");
  drawing.undo();
  assert.equal(drawing.isEmpty, true);
});

test("a place on the screen is a point in 1,400 × 1,000, and never outside", () => {
  const box = { left: 100, top: 50, width: 400, height: 400 };
  assert.deepEqual(toPoint({ clientX: 300, clientY: 150 }, box), [700, 250]);
  assert.deepEqual(toPoint({ clientX: 101 / 3 + 100, clientY: 50 }, box), [117.8, 0]);
  assert.deepEqual(toPoint({ clientX: 0, clientY: 9999 }, box), [0, 1000]);
});

test("an example is drawn in the middle of the pad", () => {
  assert.deepEqual(
    enlarge([
      [
        [0, 0.5],
        [1, 1],
      ],
    ]),
    [
      [
        [400, 500],
        [1000, 800],
      ],
    ],
  );
});

test("the first points of an example go from stroke to stroke", () => {
  /** @type {Point[][]} */
  const strokes = [
    [
      [0, 0],
      [1, 1],
    ],
    [
      [2, 2],
      [3, 3],
    ],
  ];
  assert.deepEqual(firstPoints(strokes, 1), [[[0, 0]]]);
  assert.deepEqual(firstPoints(strokes, 3), [
    [
      [0, 0],
      [1, 1],
    ],
    [[2, 2]],
  ]);
  assert.deepEqual(firstPoints(strokes, 9), strokes);
  assert.deepEqual(firstPoints(strokes, 0), []);
});
