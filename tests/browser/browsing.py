"""What a visitor does on the page: drawing, training, waiting."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from playwright.sync_api import Page, Request, Response, expect
from support import SOON

from lenet.recipes import RECIPES
from lenet.synthetic import example_strokes

LONG = 300_000  # milliseconds: a run on a busy machine
# The batches of an epoch at which recipe fast logs its loss.
LOGGED = range(100, 60_000 // RECIPES["fast"].batch_size + 1, 100)


def arrive(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#pad-examples button")


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#pad-examples button")


def an(digit: int) -> str:
    """A digit with its article: a 7, an 8."""
    return f"an {digit}" if digit == 8 else f"a {digit}"


def to_screen(page: Page, strokes) -> list:
    """Strokes in a box of 1 as places on the screen, in the middle of the pad."""
    box = page.locator("#pad").bounding_box()
    side = box["height"] * 0.6
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + 0.2 * box["height"]
    return [[(left + x * side, top + y * side) for x, y in stroke] for stroke in strokes]


def draw(page: Page, strokes) -> None:
    for stroke in to_screen(page, strokes):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def strokes_in(request: Request) -> list | None:
    """The strokes that a request sends, where it asks for them to be read."""
    if "component_server" not in request.url:
        return None
    body = request.post_data_json
    return body["data"].get("strokes") if body["fn_name"] == "read_drawing" else None


def sent_strokes(page: Page) -> list:
    """The strokes of every call from here on, as they are sent."""
    sent = []

    def note(request: Request) -> None:
        strokes = strokes_in(request)
        if strokes is not None:
            sent.append(strokes)

    page.on("request", note)
    return sent


def has_ink(page: Page, side: int) -> bool:
    """Whether something is drawn in the upper left square of the pad with this side, in pixels."""
    return page.evaluate(
        """(side) => document.querySelector("#pad").getContext("2d")
            .getImageData(0, 0, side, side).data.some((value) => value > 0)""",
        side,
    )


@contextmanager
def answered(page: Page, text: str) -> Iterator[None]:
    """Wait until a request with this text, which the block causes, is answered and the page shows
    the answer.
    """
    with page.expect_response(lambda r: text in (r.request.post_data or "")) as waiting:
        yield
    waiting.value.finished()
    settle(page)


@contextmanager
def read_to_the_end(page: Page, strokes) -> Iterator[None]:
    """Wait until the drawing that the block begins is read with its last point."""

    def is_whole(response: Response) -> bool:
        sent = strokes_in(response.request)
        return sent is not None and list(map(len, sent)) == list(map(len, strokes))

    with page.expect_response(is_whole) as waiting:
        yield
    waiting.value.finished()
    settle(page)


def draw_example(page: Page, digit: int) -> None:
    """Press an example in the Draw tab and wait until it is read."""
    page.get_by_role("tab", name="Draw").click()
    with read_to_the_end(page, example_strokes()[digit]):
        page.locator("#pad-examples button").nth(digit).click()
    expect_answer(page, str(digit))


def open_frame(page: Page, frame: torch.Tensor) -> None:
    """Put a frame, uint8 28×28, on the pad, as the tabs with digits do."""
    page.evaluate(
        "detail => document.dispatchEvent(new CustomEvent('lenet:open', { detail }))",
        base64.b64encode(frame.numpy().tobytes()).decode(),
    )


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page go on, frame by frame, until the condition holds."""
    end = time.monotonic() + SOON / 1000
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.evaluate("() => new Promise(requestAnimationFrame)")


def settle(page: Page) -> None:
    """Wait until the page has sent what it was about to ask, and shows the answers that have come.

    A request of the test's own is sent after the page's and answered, and two frames are painted.
    """
    page.evaluate(
        """async () => {
            await fetch(location.href, { method: "HEAD" });
            await new Promise((painted) =>
                requestAnimationFrame(() => requestAnimationFrame(painted)));
        }"""
    )


def look_twice(page: Page) -> None:
    """Wait until the page has asked twice more for the server's run, and shows the answers."""
    for _ in range(2):
        with page.expect_response(re.compile(r"/news\b")):
            pass
    settle(page)


def expect_answer(page: Page, text: str) -> None:
    expect(page.locator("#answer")).to_have_text(text)


def choose(page: Page, field: str, name: str) -> None:
    """Choose from a dropdown what begins with this name.

    A list of Gradio's fails where its choices change just as it is opened.
    """
    settle(page)
    page.locator(f"{field} input").click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(name)}")).click()


def status(page: Page, state: str) -> None:
    """Wait for a state of the run."""
    expect(page.locator("#train-status")).to_have_text(re.compile(f"^{state}"), timeout=LONG)


def open_accordion(page: Page, name: str, content: str) -> None:
    """Open an accordion, clicking again where a click is lost while Gradio first shows its tab."""
    header, inside = page.get_by_role("button", name=name), page.locator(content)

    def is_open() -> bool:
        if "open" not in header.get_attribute("class").split():
            header.click()
        return inside.is_visible()

    until(page, is_open)


def choose_synthetic(page: Page, epochs: int) -> None:
    open_accordion(page, "Settings of a new run", "#train-data")
    page.locator("#train-data").get_by_text("Synthetic digits").click()
    page.locator("#train-epochs input").fill(str(epochs))


def touch(phone: Page, strokes) -> None:
    """Draw with a finger what `draw` draws with the mouse."""
    finger = phone.context.new_cdp_session(phone)
    for stroke in to_screen(phone, strokes):
        kinds = ["touchStart"] + ["touchMove"] * (len(stroke) - 1)
        for kind, (x, y) in zip(kinds, stroke, strict=True):
            finger.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            )
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def boxes(page: Page):
    return page.locator("#pad-digits button:visible")
