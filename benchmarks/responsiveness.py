"""How fast the answer follows the pen: our pad, and Gradio's own Sketchpad with the same network.

`python -m benchmarks.responsiveness [--drawings N] [--json]` starts both pages on this machine,
draws digits with the mouse in a headless Chromium, and on our pad numbers of six digits, too. The
pages take turns. Printed are for each the milliseconds from the last movement of the pen to the
answer on the screen, and the answers a second while the pen moves. Needs `tests/requirements.txt`
and a Chromium.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PAUSE = 1.5  # seconds: enough for the slower page to start, and to answer
STEP = 0.016  # seconds between two movements of the mouse: a screen's 60 a second
DENSITY = 4  # every fourth point of an example is drawn, which takes half a second

# Both note in the page when the pen moved and when each answer was on the screen.
LISTEN = """
window.moves = []; window.answers = [];
const painted = () => requestAnimationFrame(() => setTimeout(
  () => window.answers.push(performance.now())));
addEventListener("pointermove", () => window.moves.push(performance.now()), true);
"""
LISTEN_PAD = LISTEN + 'document.addEventListener("lenet:answer", painted);'
LISTEN_SKETCHPAD = (
    LISTEN
    + 'new MutationObserver(painted).observe(document.getElementById("read"),'
    + " {childList: true, characterData: true, subtree: true});"
)


def sketchpad() -> None:
    """Serve Gradio's Sketchpad and the shipped network, as a short demo would."""
    import gradio as gr
    import torch

    from lenet import Recognizer

    torch.set_num_threads(1)
    recognizer = Recognizer.load()
    count = 0

    def read(value: dict) -> str:
        nonlocal count
        if value["composite"] is None:
            return ""
        count += 1
        return f"{recognizer.recognize_image(value['composite']).digit} ({count})"

    with gr.Blocks() as page:
        pad = gr.Sketchpad(type="pil", canvas_size=(480, 480), elem_id="sketch")
        read_digit = gr.HTML(elem_id="read")
        pad.change(read, pad, read_digit, show_progress="hidden")
    page.launch(ssr_mode=False)


@contextmanager
def served(*command: str) -> Iterator[tuple[str, Path]]:
    """Serve a page on a free port of this machine; yield its address and checkpoint folder."""
    with started(*command) as (_, address, folder):
        yield address, folder


@contextmanager
def started(*command: str, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """Serve a page on a free port of this machine, with variables of its environment; yield its
    process, address and folder.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "LENET_CHECKPOINTS": folder,
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        address = f"http://127.0.0.1:{port}"
        try:
            while process.poll() is None:
                try:
                    urllib.request.urlopen(address)
                    break
                except urllib.error.URLError:
                    time.sleep(0.05)
            yield process, address, Path(folder)
        finally:
            process.terminate()
            process.wait()


def chromium_path() -> str:
    """Where Chromium or Chrome is installed."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        sys.exit("No Chromium found: looked for chromium, google-chrome.")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        yield browser
        browser.close()


def open_pad(browser: Browser, address: str, **options: Any) -> Page:
    """A page with the pad, on which `draw` can measure."""
    page = browser.new_page(**options)
    page.goto(address)
    page.wait_for_selector("#pad-examples button")
    page.evaluate(LISTEN_PAD)
    return page


def draw(
    page: Page, canvas: str, strokes: list[list[list[float]]], distance: float = 0
) -> dict[str, float]:
    """Draw strokes with the mouse; the milliseconds from its last movement to the last answer, and
    the answers a second to what was drawn while it moved.

    Args:
        canvas: the selector of the element to draw on.
        strokes: in a box of 1.
        distance: the milliseconds of a round trip to the server.
    """
    box = page.locator(canvas).first.bounding_box()
    assert box, f"{canvas} is not on the page"
    side = 0.6 * min(box["width"], box["height"])
    left, top = (box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2)
    page.evaluate("moves.length = answers.length = 0")
    for stroke in strokes:
        places = [(left + side * x, top + side * y) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
            time.sleep(STEP)
        page.mouse.up()
    time.sleep(PAUSE)
    moves, answers = page.evaluate("[moves, answers]")
    after = [answer for answer in answers if answer >= moves[-1]]
    during = [answer for answer in answers if moves[0] <= answer - distance <= moves[-1]]
    return {
        "delay_ms": after[-1] - moves[-1] if after else float("inf"),
        "answers_per_second": 1000 * len(during) / (moves[-1] - moves[0]),
    }


def quick_examples(density: int = DENSITY) -> list[list[list[list[float]]]]:
    """An example of each digit, 0 to 9, with every `density`th of its points."""
    from lenet.synthetic import example_strokes

    examples = example_strokes()
    return [[stroke[::density] for stroke in examples[digit]] for digit in range(10)]


def six_digits(examples: list[list[list[list[float]]]], first: int) -> list[list[list[float]]]:
    """The strokes of six examples beside each other, as wide as the pad."""
    return [
        [[0.3 * x - 0.55 + 0.37 * place, 0.25 + 0.5 * y] for x, y in stroke]
        for place in range(6)
        for stroke in examples[(first + place) % 10]
    ]


def measure(drawings: int) -> dict[str, dict[str, float]]:
    """Draw on both pages in turn; the medians of each."""
    examples = quick_examples()
    kinds = ("our pad", "our pad, inside view open", "our pad, six digits", "gr.Sketchpad")
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    with (
        served("app.py") as (ours, _),
        served("-m", "benchmarks.responsiveness", "--sketchpad") as (gradios, _),
        chromium() as browser,
    ):
        pad, sketch = open_pad(browser, ours), browser.new_page()
        for number in range(drawings):
            strokes = examples[number % 10]
            pad.bring_to_front()
            for kind in kinds[:2]:
                pad.click("#pad-clear")
                found[kind].append(draw(pad, "#pad", strokes))
                pad.evaluate("document.getElementById('inside').toggleAttribute('open')")
            pad.click("#pad-clear")
            found[kinds[2]].append(draw(pad, "#pad", six_digits(examples, number)))
            sketch.bring_to_front()
            sketch.goto(gradios)  # clearing it would put the brush away again
            sketch.wait_for_selector("#sketch canvas")
            time.sleep(PAUSE)
            sketch.click('#sketch button[aria-label="Brush"]')
            sketch.evaluate(LISTEN_SKETCHPAD)
            found[kinds[3]].append(draw(sketch, "#sketch canvas", strokes))
    return {
        name: {key: median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--drawings", type=int, default=20, metavar="N", help="on each page")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--sketchpad", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sketchpad:
        sketchpad()
        return
    result = measure(options.drawings)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print("| pad | ms from the last movement to the answer | answers a second while drawing |")
    print("|---|---|---|")
    for name, row in result.items():
        print(f"| {name} | {row['delay_ms']:.0f} | {row['answers_per_second']:.0f} |")


if __name__ == "__main__":
    main()
