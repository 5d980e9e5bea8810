import assert from "node:assert/strict";
import { test } from "node:test";
import { doubt, NOTHING } from "../../lenet/ui/draw/reading.js";
import { SECTIONS } from "../../lenet/ui/draw/sections.js";
import { count, decimal, percent } from "../../lenet/ui/shared/formats.js";
import { BLUE, decode, gray, ORANGE, readableOn, twoSided } from "../../lenet/ui/shared/pixels.js";

test("numbers are written as the page writes them", () => {
  assert.equal(count(60000), "60,000");
  assert.equal(percent(0.995), "100%");
  assert.equal(percent(0.9952, 2), "99.52%");
  assert.equal(decimal(-1.234), "−1.23");
  assert.equal(decimal(0.005), "0.01");
});

test("bytes come out of base64", () => {
  assert.deepEqual([...decode("AAH/")], [0, 1, 255]);
  assert.deepEqual([...decode("")], []);
});

test("colours go from blue over white to orange, and no further", () => {
  assert.deepEqual(gray(7), [7, 7, 7]);
  assert.deepEqual(twoSided(0), [255, 255, 255]);
  assert.deepEqual(twoSided(1), [...ORANGE]);
  assert.deepEqual(twoSided(-3), [...BLUE]);
  assert.deepEqual(twoSided(-0.5), [127.5, 184.5, 216.5]);
});

test("text is black or white, whichever stands out from its ground", () => {
  assert.equal(readableOn([255, 255, 255]), "black");
  assert.equal(readableOn(ORANGE), "black"); // 5.3 to 1; white would be 3.9
  assert.equal(readableOn(BLUE), "white"); // 5.2 to 1; black would be 4.1
  assert.equal(readableOn(gray(117)), "white"); // 4.61 to 1; black would be 4.56
  assert.equal(readableOn(gray(118)), "black");
});

test("an unsure reading names the two most probable digits, one of no digit the nearest", () => {
  const probabilities = [0, 0.1, 0, 0, 0.4, 0, 0, 0, 0, 0.5];
  const reading = { digit: 9, is_digit: true, sure: false, probabilities };
  assert.equal(doubt(reading, true), "not sure: 9 or 4");
  assert.equal(doubt({ ...reading, sure: true }, false), "");
  const sentence = "This does not look like a digit; nearest: 9";
  assert.equal(doubt({ ...reading, is_digit: false }, false), sentence);
  assert.equal(doubt({ ...reading, is_digit: false }, true), "");
  assert.equal(doubt(NOTHING, false), "");
});

test("the inside view shows every map of every layer", () => {
  const pictures = SECTIONS.flatMap(({ pictures }) => pictures);
  const names = ["frame", "input", "why", "conv1", "pool1", "conv2", "pool2", "fc1", "fc2"];
  const numbers = names.map((name) =>
    pictures
      .filter((each) => each.name === name)
      .reduce((sum, { width, height }) => sum + width * height, 0),
  );
  assert.deepEqual(numbers, [784, 1024, 1024, 4704, 1176, 1600, 400, 120, 84]);
});
