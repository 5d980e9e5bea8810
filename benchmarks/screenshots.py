"""Take the README's pictures of the page.

`python -m benchmarks.screenshots` writes docs/page.png, a 9 drawn with the mouse and read, and
docs/experiments.png, three learning rates compared. Needs `tests/requirements.txt`, a Chromium and
a minute.
"""

import re
import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from benchmarks.responsiveness import chromium, draw, open_pad, served
from lenet.synthetic import example_strokes

FOLDER = Path(__file__).parent.parent / "docs"
RATES = (0.005, 0.05, 0.2)
LONG = 300_000  # milliseconds for a run
DETAIL = {"viewport": {"width": 1200, "height": 800}, "device_scale_factor": 1.5}


def picture_drawing(browser: Browser, address: str) -> None:
    """A 9 on the pad, and the answer."""
    page = open_pad(browser, address, **DETAIL)
    draw(page, "#pad", example_strokes()[9])
    expect(page.locator("#answer")).to_have_text("9")
    page.screenshot(path=FOLDER / "page.png")


def picture_experiments(browser: Browser, address: str) -> None:
    """Three runs that differ in their rate, with their curves over each other."""
    page = open_pad(browser, address, **DETAIL)
    for rate in RATES:
        page.goto(f"{address}?epochs=2&lr={rate}#train")
        expect(page.locator("#train-lr input")).to_have_value(f"{rate}")
        page.locator("#train-start").click()
        finished = re.compile("^finished")
        expect(page.locator("#train-status")).not_to_have_text(finished, timeout=LONG)
        expect(page.locator("#train-status")).to_have_text(finished, timeout=LONG)
    page.goto(f"{address}#train")
    ticks = page.locator("#all-runs .tick input")
    expect(ticks).to_have_count(len(RATES))
    for tick in ticks.all():
        tick.check()
    page.locator("#runs-differing").check()
    time.sleep(2)  # the curves are fetched and drawn
    top = page.locator("#train-charts").bounding_box()
    end = page.locator("#all-runs").bounding_box()
    assert top and end
    page.screenshot(
        path=FOLDER / "experiments.png",
        full_page=True,
        clip={
            "x": top["x"] - 16,
            "y": top["y"] - 16,
            "width": top["width"] + 32,
            "height": end["y"] + end["height"] - top["y"] + 32,
        },
    )


def main() -> None:
    """Serve the page and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with served("app.py") as (address, _), chromium() as browser:
        picture_drawing(browser, address)
        picture_experiments(browser, address)


if __name__ == "__main__":
    main()
