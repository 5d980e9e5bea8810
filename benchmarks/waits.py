"""How long a visitor waits for a step of the lesson, and from Teach to a pad that reads their hand.

`python -m benchmarks.waits [--rounds N]` starts the app anew in each round, opens the nine steps in
a headless Chromium, the first time when nobody has seen them, and teaches the shipped network fifty
drawings. It prints the milliseconds from a press on a step to its live part on the screen, and the
seconds from a press on Teach until the pad reads with the new network, and until the page says what
has changed. `taskset -c 0` before it is one core for all of it.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from playwright.sync_api import Page

from benchmarks.responsiveness import chromium, served
from lenet.drawings import Drawing, write_drawings
from lenet.synthetic import example_strokes

# The live part of each step.
LIVE = {
    1: "#data-images figure",
    2: "#draw .sheet",
    3: "#inside .maps.conv1",
    4: "#data-images figure",
    5: "#train-start",
    6: "#draw .sheet",
    7: "#results-nine figure",
    8: "#results-nine figure",
    9: "#train-start",
}
EACH = 5  # drawings of each digit that are taught
LONGEST = 120_000  # milliseconds
REST = 1_200  # milliseconds between two presses: what a step loads besides ends meanwhile
SETTLE = 5_000  # milliseconds in which a server that was just started comes to rest

# Presses a step; the milliseconds until the frame after its title and its live part are shown.
OPEN = """([number, live]) => new Promise((done) => {
  const begin = performance.now();
  document.querySelector(`#lesson nav a[href="#lesson-${number}"]`).click();
  const look = () => {
    const titled = document.querySelector("#lesson-title").textContent.startsWith(`${number}.`);
    const parts = [...document.querySelectorAll(live)];
    if (titled && parts.some((part) => part.checkVisibility()))
      requestAnimationFrame(() => done(performance.now() - begin));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def open_steps(page: Page) -> dict[int, float]:
    """Press each step of the lesson; the milliseconds that it took to be shown."""
    found = {}
    for number, live in LIVE.items():
        found[number] = page.evaluate(OPEN, [number, live])
        page.wait_for_timeout(REST)
    return found


def write_hand(path: Path) -> None:
    """Write a drawings file of a trembling hand."""
    random = np.random.default_rng(0)
    drawings = [
        Drawing(digit, [np.array(s) + random.normal(0, 0.02, (len(s), 2)) for s in strokes])
        for digit, strokes in example_strokes().items()
        for _ in range(EACH)
    ]
    with path.open("w") as file:
        write_drawings(drawings, file)


def teach(page: Page, drawings: Path) -> tuple[float, float]:
    """Bring drawings and press Teach; the seconds until the pad reads with the taught network, and
    until the page says what has changed.
    """
    page.click("#pad-examples button")
    page.click("#hand-open")
    page.set_input_files("#hand-file", drawings)
    page.wait_for_selector("#hand-examples figure")
    page.evaluate("window.begin = performance.now(); document.querySelector('#hand-start').click()")
    since = "(performance.now() - begin) / 1000"
    taught = "document.querySelector('#checkpoint input').value.startsWith('Your hand')"
    # Not at every frame, as it would by default: that takes a tenth of a core.
    page.wait_for_function(taught, polling=50, timeout=LONGEST)
    reads = page.evaluate(since)
    page.wait_for_selector("#hand-result", timeout=LONGEST)
    return reads, page.evaluate(since)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    rounds = parser.parse_args().rounds
    first, again, taught = [], [], []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        drawings = Path(folder) / "hand.jsonl"
        write_hand(drawings)
        for _ in range(rounds):
            with served("app.py") as (address, _), browser.new_context() as context:
                page = context.new_page()
                page.goto(address)
                page.wait_for_selector("#pad-examples button")
                page.wait_for_timeout(SETTLE)
                page.get_by_role("tab", name="Lesson").click()  # the list of the steps
                page.wait_for_timeout(REST)
                first.append(open_steps(page))
                again.append(open_steps(page))
                page.goto("about:blank")  # leaves the lesson
                page.goto(address)
                page.wait_for_selector("#pad-examples button")
                taught.append(teach(page, drawings))
    print("| step | ms to its live part | the first time on this server |")
    print("|---|---|---|")
    for number in LIVE:
        seen, unseen = (median(one[number] for one in ones) for ones in (again, first))
        print(f"| {number} | {seen:.0f} | {unseen:.0f} |")
    print()
    reads, told = (median(seconds) for seconds in zip(*taught, strict=True))
    print(f"Teach: {reads:.1f} s to a pad that reads the hand, {told:.1f} s to what has changed")


if __name__ == "__main__":
    main()
