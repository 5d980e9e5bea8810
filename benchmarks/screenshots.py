"""Take the README's picture of the page: a 9 drawn with the mouse, and read.

`python -m benchmarks.screenshots` writes docs/page.png. Needs `tests/requirements.txt` and a
Chromium.
"""

import shutil
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.responsiveness import CHROMIUM, LISTEN_PAD, draw, served
from lenet.synthetic import example_strokes

PICTURE = Path(__file__).parent.parent / "docs" / "page.png"


def main() -> None:
    """Serve the page, draw, and take the picture."""
    executable = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    with served("app.py") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1200, "height": 760}, device_scale_factor=1.5)
        page.goto(address)
        page.wait_for_selector("#pad-examples button")
        page.evaluate(LISTEN_PAD)
        draw(page, "#pad", example_strokes()[9])
        time.sleep(1)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
