"""What a training run, visitors who draw and visitors who watch it cost each other.

`python -m benchmarks.while_training [--rounds N]` serves the page with MNIST in the cache and
prints, in turn without and with a run: the milliseconds from the last movement of the pen to the
answer; the milliseconds from a click on Train to the first loss line; and the images a second of a
run that nobody watches and of one that ten watch. The watchers send the requests that a page was
seen to send while it watched, at its pace; they draw nothing, since browsers have machines of their
own.
Needs `tests/requirements.txt` and a Chromium.
"""

import argparse
import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, Request, expect

from benchmarks.responsiveness import chromium, draw, open_pad, quick_examples, served
from lenet.events import Batch, read_log

DRAWINGS = 10  # a round
WATCHERS = 10
BATCHES = 600  # of a run whose speed is measured
EPOCHS = "100"
LONG = 120_000  # milliseconds

# The time from the click to the first line with a loss, as the page shows it.
CLICK = r"""async () => {
  const text = (id) => document.querySelector(id).innerText;
  const frame = () => new Promise(requestAnimationFrame);
  const begin = performance.now();
  document.querySelector("#train-start").click();
  while (!/^(starting|running)/.test(text("#train-status"))) await frame();
  while (!/\[1, +100\] loss/.test(text("#train-log"))) await frame();
  return performance.now() - begin;
}"""


def start(page: Page) -> float:
    """Press Train for a run that outlasts the measurement; the milliseconds to the first loss."""
    page.get_by_role("tab", name="Train").click()
    epochs = page.locator("#train-epochs input")
    if not epochs.is_visible():
        page.get_by_text("Settings of a new run").click()
    epochs.fill(EPOCHS)
    epochs.blur()
    return page.evaluate(CLICK)


def stop(page: Page) -> None:
    """Press Stop and wait for the end."""
    page.get_by_role("tab", name="Train").click()
    if page.locator("#train-stop").is_enabled():
        page.locator("#train-stop").click()
    done = re.compile("^(stopped|finished)")
    expect(page.locator("#train-status")).to_have_text(done, timeout=LONG)


def delays(page: Page) -> list[float]:
    """Draw; the milliseconds that each answer took."""
    page.get_by_role("tab", name="Draw").click()
    found, examples = [], quick_examples()
    for number in range(DRAWINGS):
        page.click("#pad-clear")
        found.append(draw(page, "#pad", examples[number % 10])["delay_ms"])
    return found


def speed(page: Page, folder: Path) -> float:
    """Train for some batches; the median of the images a second."""
    start(page)
    log = max(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    rates: list[float] = []
    while len(rates) < BATCHES // 100:
        time.sleep(0.2)
        rates = [e.images_per_second for e in read_log(log) if isinstance(e, Batch)]
    stop(page)
    return median(rates)


Question = tuple[str, bytes | None]  # an address, and the body where it is a POST


def questions(browser: Browser, address: str) -> list[Question]:
    """What a page asks the server in a second of a run that it watches."""
    asked = []
    watcher = browser.new_page()
    watcher.goto(address)
    start(watcher)
    watcher.wait_for_timeout(1000)

    def note(request: Request) -> None:
        asked.append((request.url, request.post_data_buffer))

    watcher.on("request", note)
    watcher.wait_for_timeout(1000)
    in_a_second = asked.copy()
    stop(watcher)
    watcher.close()
    return in_a_second


@contextmanager
def watching(asked: list[Question]) -> Iterator[None]:
    """Ask as ten pages do, every second."""
    end = threading.Event()

    def watch() -> None:
        while not end.is_set():
            begin = time.monotonic()
            for url, body in asked:
                headers = {"Content-Type": "application/json"}
                with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
                    answer.read()
                end.wait(max(0, begin + (1 / len(asked)) - time.monotonic()))
                begin = time.monotonic()

    watchers = [threading.Thread(target=watch) for _ in range(WATCHERS)]
    for watcher in watchers:
        watcher.start()
    try:
        yield
    finally:
        end.set()
        for watcher in watchers:
            watcher.join()


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=4, metavar="N")
    rounds = parser.parse_args().rounds
    idle, beside, clicks, alone, watched = [], [], [], [], []
    with served("app.py") as (address, folder), chromium() as browser:
        asked = questions(browser, address)
        page = open_pad(browser, address)
        for _ in range(rounds):
            idle += delays(page)
            clicks.append(start(page))
            beside += delays(page)
            stop(page)
            alone.append(speed(page, folder))
            with watching(asked):
                watched.append(speed(page, folder))
    for name, times in {"no run": idle, "a run": beside}.items():
        p95 = quantiles(times, n=20)[-1]
        print(f"answer with {name}: median {median(times):.0f} ms, 95th percentile {p95:.0f} ms")
    print(f"click to first loss line: median {median(clicks):.0f} ms, all {_whole(clicks)}")
    ratio = median(b / a for a, b in zip(alone, watched, strict=True))
    print(f"images a second alone {_whole(alone)}, watched by {WATCHERS} {_whole(watched)}")
    print(f"speed of the watched run: {ratio:.3f} of the other")


def _whole(numbers: list[float]) -> str:
    return ", ".join(f"{number:.0f}" for number in numbers)


if __name__ == "__main__":
    main()
