import assert from "node:assert/strict";
import { test } from "node:test";
import {
  convolve,
  layersOf,
  normalized,
  pushes,
  sides,
  square,
  weightsOf,
} from "../../lenet/ui/draw/layers.js";
import { largest, maxPool, unpack, unpackFloats } from "../../lenet/ui/shared/tensors.js";

/** @param {Iterable<number>} bytes */
const base64 = (bytes) => Buffer.from([...bytes]).toString("base64");

/** @param {number[]} shape @param {number[]} values */
const tensor = (shape, values) => ({ shape, scale: 1, values: Float32Array.from(values) });

test("a byte stands for its share of the scale", () => {
  const packed = { name: "conv1", shape: [1, 2, 2], scale: 5.1, zero: 0 };
  const { shape, scale, values } = unpack({ ...packed, bytes: base64([0, 50, 100, 255]) });
  assert.deepEqual([shape, scale], [[1, 2, 2], 5.1]);
  assert.deepEqual(
    [...values].map((value) => value.toFixed(4)),
    ["0.0000", "1.0000", "2.0000", "5.1000"],
  );
});

test("bytes below the zero are negative", () => {
  const packed = { name: "why", shape: [3], scale: 12.7, zero: 128 };
  const { values } = unpack({ ...packed, bytes: base64([1, 128, 255]) });
  assert.deepEqual(
    [...values].map((value) => value.toFixed(3)),
    ["-12.700", "0.000", "12.700"],
  );
});

test("pixels stay whole numbers", () => {
  const bytes = Array.from({ length: 256 }, (_, i) => i);
  const packed = { name: "frame", shape: [1, 16, 16], scale: 255, zero: 0 };
  assert.deepEqual([...unpack({ ...packed, bytes: base64(bytes) }).values], bytes);
});

test("bytes that do not fill the shape are an error that names the layer", () => {
  const packed = { name: "conv2", shape: [2, 2], scale: 1, zero: 0, bytes: base64([1, 2, 3]) };
  assert.throws(() => unpack(packed), /conv2 has 3 numbers; its shape 2×2 needs 4/);
});

test("floats are unpacked as they are", () => {
  const floats = base64(new Uint8Array(Float32Array.of(1.5, -2.25).buffer));
  const { values, scale } = unpackFloats({ name: "conv1.bias", shape: [2], floats });
  assert.deepEqual([[...values], scale], [[1.5, -2.25], 2.25]);
  assert.deepEqual(Object.keys(weightsOf([{ name: "fc3.bias", shape: [2], floats }])), [
    "fc3.bias",
  ]);
});

test("pooling keeps the largest of each block, map by map", () => {
  const maps = tensor([2, 2, 4], [1, 2, 0, 0, 3, 4, 0, 9, 8, 7, 1, 1, 6, 5, 1, 2]);
  const { shape, values } = maxPool(maps);
  assert.deepEqual(
    [shape, [...values]],
    [
      [2, 1, 2],
      [4, 9, 8, 2],
    ],
  );
  assert.equal(largest([-3, 2]), 3);
});

test("an answer holds every layer that the view shows", () => {
  /** @param {string} name @param {number[]} shape */
  const packed = (name, shape) => {
    const bytes = base64(Array(shape.reduce((a, b) => a * b)).fill(255));
    return { name, shape, scale: 2, zero: 0, bytes };
  };
  const layers = [packed("conv1", [6, 28, 28]), packed("conv2", [16, 10, 10])];
  const found = layersOf(base64(Array(1024).fill(7)), { layers });
  const shapes = Object.fromEntries(
    Object.entries(found).map(([name, { shape }]) => [name, shape]),
  );
  assert.deepEqual(shapes, {
    conv1: [6, 28, 28],
    conv2: [16, 10, 10],
    input: [1, 32, 32],
    pool1: [6, 14, 14],
    pool2: [16, 5, 5],
  });
  assert.deepEqual([found.input.values[1023], found.pool2.values[399]], [7, 2]);
});

test("inputs are pixels minus the mean, divided by the deviation", () => {
  const { values } = normalized(tensor([1, 1, 2], [0, 255]), 0.25, 0.5);
  assert.deepEqual([...values], [-0.5, 1.5]);
});

test("a square is cut from one map, row by row", () => {
  const maps = tensor(
    [2, 3, 3],
    Array.from({ length: 18 }, (_, i) => i),
  );
  assert.deepEqual(square(maps, 1, 1, 0, 2), [10, 11, 13, 14]);
  assert.deepEqual(square(maps, 0, 2, 2, 1), [8]);
});

test("a convolution multiplies the patch of every map with a kernel of its own", () => {
  const maps = tensor([2, 2, 3], [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60]);
  const kernels = tensor([2, 2, 2, 2], [...Array(8).fill(0), 1, 0, 0, 1, 0, 1, 0, 0]);
  const pairs = convolve(maps, kernels, 1, 1, 0);
  assert.deepEqual(
    pairs.map(({ source, patch, sum }) => ({ source, patch, sum })),
    [
      { source: 0, patch: [2, 3, 5, 6], sum: 8 },
      { source: 1, patch: [20, 30, 50, 60], sum: 30 },
    ],
  );
  assert.deepEqual(pairs[1].kernel, [0, 1, 0, 0]);
});

test("units push for an output or against it, and the strongest come first", () => {
  const units = tensor([4], [1, 2, 3, 4]);
  const weights = tensor([2, 4], [0, 0, 0, 0, 1, -1, 0, 2]);
  const each = pushes(units, weights, 1);
  assert.deepEqual(each, [1, -2, 0, 8]);
  assert.deepEqual(sides(each), {
    pro: [
      { push: 8, unit: 3 },
      { push: 1, unit: 0 },
    ],
    contra: [{ push: -2, unit: 1 }],
  });
});
