"""Take the README's picture of the page: a 9 drawn with the mouse, and read.

`python -m benchmarks.screenshots` writes docs/page.png. Needs `tests/requirements.txt` and a
Chromium.
"""

import time
from pathlib import Path

from benchmarks.responsiveness import chromium, draw, open_pad, served
from lenet.synthetic import example_strokes

PICTURE = Path(__file__).parent.parent / "docs" / "page.png"


def main() -> None:
    """Serve the page, draw, and take the picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    with served("app.py") as (address, _), chromium() as browser:
        size = {"width": 1200, "height": 800}
        page = open_pad(browser, address, viewport=size, device_scale_factor=1.5)
        draw(page, "#pad", example_strokes()[9])
        time.sleep(1)
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
