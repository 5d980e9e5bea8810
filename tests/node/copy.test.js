import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "../../lenet/ui/train/copy.js";

const HERE = { origin: "https://you-lenet-live.hf.space", pathname: "/" };
const OWN = "https://you-lenet-live.hf.space/";
const SPACE = "https://huggingface.co/spaces/you/lenet.live";

for (const [outside, address] of [
  ["", OWN],
  [SPACE, SPACE],
  [`${SPACE}?seed=1#train`, SPACE],
  ["https://huggingface.co/", OWN],
  ["https://huggingface.co/spaces/you", OWN],
  ["https://example.com/https://huggingface.co/spaces/you/lenet", OWN],
  ["https://huggingface.co.example.com/spaces/you/lenet", OWN],
]) {
  test(`within ${outside || "no frame"} a link begins with ${address}`, () => {
    assert.equal(shared(HERE, outside), address);
  });
}

test("a page behind a path prefix keeps it", () => {
  assert.equal(shared({ origin: "http://a:1", pathname: "/lenet/" }, ""), "http://a:1/lenet/");
});
