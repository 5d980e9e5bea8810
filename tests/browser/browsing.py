"""What a visitor does on the page: drawing, training, waiting for what comes."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from lenet.recipes import RECIPES

SOON = 60_000  # milliseconds: the machine may be busy
LONG = 300_000
# The batches of an epoch at which recipe fast says its loss.
TOLD = range(100, 60_000 // RECIPES["fast"].batch_size + 1, 100)


def to_screen(page: Page, strokes) -> list:
    """Strokes in a box of 1 as places on the screen, in the middle of the pad."""
    box = page.locator("#pad").bounding_box()
    side = box["width"] * 0.6
    left, top = box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"]
    return [[(left + x * side, top + y * side) for x, y in stroke] for stroke in strokes]


def draw(page: Page, strokes) -> None:
    for stroke in to_screen(page, strokes):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def sent_strokes(page: Page) -> list:
    """The strokes of every call from here on, as they are sent."""
    sent = []

    def note(request) -> None:
        if "component_server" in request.url:
            body = request.post_data_json
            if body["fn_name"] == "read_drawing" and "strokes" in body["data"]:
                sent.append(body["data"]["strokes"])

    page.on("request", note)
    return sent


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page go on until the condition holds; five seconds are enough for anything."""
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(50)
    assert condition()


def expect_answer(page: Page, text: str) -> None:
    expect(page.locator("#answer")).to_have_text(text)


def status(page: Page, state: str, timeout: int = SOON) -> None:
    """Wait for a state of the run."""
    expect(page.locator("#train-status")).to_have_text(re.compile(f"^{state}"), timeout=timeout)


def choose_synthetic(page: Page, epochs: int) -> None:
    page.get_by_role("button", name="Settings of a new run").click()
    page.locator("#train-data").get_by_text("Synthetic digits").click()
    page.locator("#train-epochs input").fill(str(epochs))
