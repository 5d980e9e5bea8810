"""What a training run, visitors who draw and visitors who watch it cost each other.

`python -m benchmarks.while_training [--rounds N]` serves the page with MNIST in the cache and
prints, in turn without and with a run: the milliseconds from the last movement of the pen to the
answer; the milliseconds from a click on Train to the first loss line; and the images a second of a
run, alone and while ten watch it, with the server's share of a core: in turn within the run, as
machines differ from minute to minute. The watchers send the requests that a page was seen to send
while it watched, at its pace; they draw nothing, since browsers have machines of their own.
Needs `tests/requirements.txt` and a Chromium.
"""

import argparse
import gzip
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median, quantiles
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect

from benchmarks.responsiveness import chromium, draw, open_pad, quick_examples, started
from benchmarks.serving import cpu
from lenet.events import Batch, Epoch, read_log

DRAWINGS = 10  # a round
WATCHERS = 10
SECONDS = 10  # of a page's questions
STREAMS = ("/gradio_api/queue/data", "/gradio_api/heartbeat")  # open as long as the page
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
WINDOWS = 3  # a round, alone and watched
BEGINNING = 4  # epochs
EPOCHS = "100"
LONG = 120_000  # milliseconds

Server = tuple[subprocess.Popen[bytes], str, Path]  # its process, address and folder
Question = tuple[str, bytes | None]  # a path with its query, and the body where it is a POST

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


class Pace(NamedTuple):
    """The images a second of some seconds of a run, and the server's share of a core."""

    speed: float
    cpu: float


def paces(page: Page, server: Server, asked: list[Question]) -> Iterator[tuple[Pace, Pace]]:
    """How one long run goes, alone and watched, in turn."""
    process, address, folder = server
    start(page)
    page.get_by_role("tab", name="Draw").click()  # its own page does not look at it
    log = max(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)

    def speeds() -> list[float]:
        return [e.images_per_second for e in read_log(log) if isinstance(e, Batch)]

    def pace(watched: bool) -> Pace:
        with watching(address, asked) if watched else nullcontext():
            time.sleep(1)
            before, begin, taken = len(speeds()) + 1, time.monotonic(), cpu(process)
            time.sleep(SECONDS)
            taken, lasted = cpu(process) - taken, time.monotonic() - begin
            return Pace(mean(speeds()[before:]), taken / lasted)

    # The first epochs of recipe fast are not alike.
    while not any(isinstance(e, Epoch) and e.epoch >= BEGINNING for e in read_log(log)):
        time.sleep(1)
    for number in range(WINDOWS):
        order = (False, True) if number % 2 == 0 else (True, False)
        found = {watched: pace(watched) for watched in order}
        yield found[False], found[True]
    stop(page)


def questions(browser: Browser, address: str) -> list[Question]:
    """What a page asks the server in some seconds of a run that it watches."""
    asked: list[Question] = []

    def note(request: Request) -> None:
        path = request.url.removeprefix(address)
        if not path.startswith(STREAMS):
            asked.append((path, request.post_data_buffer))

    watcher = browser.new_page()
    watcher.goto(address)
    start(watcher)
    watcher.wait_for_timeout(1000)
    watcher.on("request", note)
    watcher.wait_for_timeout(1000 * SECONDS)
    watcher.remove_listener("request", note)
    stop(watcher)
    watcher.close()
    return asked


@contextmanager
def watching(address: str, asked: list[Question]) -> Iterator[None]:
    """Ask as ten pages do, each at its own place in those seconds."""
    end = threading.Event()

    def watch(place: int) -> None:
        server, progress = HTTPConnection(urlsplit(address).netloc), ""
        while not end.is_set():
            begin = time.monotonic()
            path, body = asked[place % len(asked)]
            path = re.sub("progress=[^&]*", f"progress={progress}", path)  # that it shows by now
            server.request("POST" if body else "GET", path, body, HEADERS)
            answer = server.getresponse()
            content = answer.read()
            if path.startswith("/news"):
                packed = answer.getheader("Content-Encoding") == "gzip"
                progress = json.loads(gzip.decompress(content) if packed else content)["progress"]
            place += 1
            end.wait(max(0, begin + SECONDS / len(asked) - time.monotonic()))
        server.close()

    places = [number * len(asked) // WATCHERS for number in range(WATCHERS)]
    watchers = [threading.Thread(target=watch, args=(place,)) for place in places]
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
    with started("app.py") as server, chromium() as browser:
        _, address, _ = server
        asked = questions(browser, address)
        page = open_pad(browser, address)
        for _ in range(rounds):
            idle += delays(page)
            clicks.append(start(page))
            beside += delays(page)
            stop(page)
            for one, other in paces(page, server, asked):
                alone.append(one)
                watched.append(other)
    for name, times in {"no run": idle, "a run": beside}.items():
        p95 = quantiles(times, n=20)[-1]
        print(f"answer with {name}: median {median(times):.0f} ms, 95th percentile {p95:.0f} ms")
    print(f"click to first loss line: median {median(clicks):.0f} ms, all {_whole(clicks)}")
    for name, found in {"alone": alone, f"watched by {WATCHERS}": watched}.items():
        speeds = [pace.speed for pace in found]
        print(f"images a second {name}: mean {mean(speeds):.0f}, all {_whole(speeds)}")
        print(f"the server's share of a core: {mean(pace.cpu for pace in found):.3f}")
    ratio = mean(pace.speed for pace in watched) / mean(pace.speed for pace in alone)
    print(f"speed of the watched run: {ratio:.3f} of the other")


def _whole(numbers: list[float]) -> str:
    return ", ".join(f"{number:.0f}" for number in numbers)


if __name__ == "__main__":
    main()
