"""What the browser tests share: the served page and a Chromium to open it with."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from playwright.sync_api import Browser, Page, sync_playwright

from lenet.data import DataError, DataSet, Digits, load_mnist
from lenet.synthetic import synthetic_digits

ROOT = Path(__file__).parent.parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START = 120  # seconds: importing torch and gradio on a busy machine


@pytest.fixture(scope="session")
def mnist() -> DataSet:
    """MNIST from the cache or from `LENET_MNIST_URL`.

    Where neither has it the test is skipped, so that the others run on any machine; in `.ci/run` a
    skipped test is a failure.
    """
    from torchvision.datasets import MNIST

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody waits for the internet
        try:
            return load_mnist()
        except DataError:
            pytest.skip("no MNIST: it is not cached, and LENET_MNIST_URL names no mirror of it")


class Server(NamedTuple):
    """A running `python app.py` and the folders that it uses."""

    url: str
    checkpoints: Path
    data: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the page on a free port of this machine, with empty folders."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "checkpoints").mkdir()
    variables = {
        "LENET_CHECKPOINTS": str(folder / "checkpoints"),
        "LENET_DATA": str(folder / "data"),
    }
    with serving(folder / "log", variables) as url:
        yield Server(url, folder / "checkpoints", folder / "data")


@contextmanager
def serving(log: Path, variables: dict[str, str], **options: Any) -> Iterator[str]:
    """Run `python app.py` on a free port; yield its address.

    Args:
        log: the file that its output goes to.
        variables: of its environment, besides ours.
        options: of `subprocess.Popen`, such as another folder to run it in.
    """
    port = free_port()
    own = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            env={**os.environ, **own, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
            **{"cwd": ROOT, **options},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health", process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def small_set() -> DataSet:
    """The data set of the small server."""
    frames, labels = synthetic_digits(60, seed=4)
    labels[:30] = (labels[:30] + 1 + torch.arange(30) % 3) % 10
    return DataSet("synthetic", Digits(*synthetic_digits(40, seed=3)), Digits(frames, labels))


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page in this process with small data sets: what it imports, a test can replace.

    The synthetic digits are 40 for training and 60 for the test, the labels of the first 30 of
    these wrong by one to three; MNIST is not to be had.
    """
    import gradio as gr

    from lenet.ui import data, frames, page, results

    def load(name: str) -> DataSet:
        if name == "mnist":
            raise DataError("MNIST could not be loaded: there is <no> mirror.")
        return small_set()

    folder = tmp_path_factory.mktemp("small")
    cached = (frames._load, results._evaluate, data._means)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "load", load)
        patch.setenv("LENET_CHECKPOINTS", str(folder / "checkpoints"))
        patch.setenv("LENET_DATA", str(folder / "data"))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        (folder / "checkpoints").mkdir()
        for function in cached:
            function.cache_clear()
        blocks: gr.Blocks = page.build()
        _, url, _ = blocks.launch(
            **page.LOOK,
            server_name="127.0.0.1",
            server_port=free_port(),
            prevent_thread_lock=True,
            run_history=False,
            ssr_mode=False,
            quiet=True,
        )
        yield Server(url, folder / "checkpoints", folder / "data")
        blocks.close()
        for function in cached:
            function.cache_clear()


@pytest.fixture
def small_page(browser: Browser, small_server: Server, problems: list[str]) -> Iterator[Page]:
    """The open page of the small server on a desktop; errors on it fail the test."""
    yield from _open(browser, small_server, problems, viewport={"width": 1280, "height": 900})


@pytest.fixture
def small_phone(browser: Browser, small_server: Server, problems: list[str]) -> Iterator[Page]:
    """The same on a phone."""
    viewport = {"width": 390, "height": 844}
    yield from _open(
        browser, small_server, problems, viewport=viewport, has_touch=True, is_mobile=True
    )


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, from a loop in another thread: the browser has one in this."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def pixels(page: Page, selector: str) -> list[list[int]]:
    """The brightness of every pixel of each canvas that the selector finds, row by row."""
    return page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return [...data].filter((_, i) => i % 4 == 0);
        })""",
        selector,
    )


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url)
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"app.py did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without a window; as with MNIST, its tests are skipped where there is none."""
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        pytest.skip(f"no Chromium found: looked for {', '.join(CHROMIUMS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """The errors on the page; a test that provokes some clears the list."""
    return []


@pytest.fixture
def page(browser: Browser, server: Server, problems: list[str]) -> Iterator[Page]:
    """The open page on a desktop; errors on it fail the test."""
    yield from _open(browser, server, problems, viewport={"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Browser, server: Server, problems: list[str]) -> Iterator[Page]:
    """The open page on a phone; errors on it fail the test."""
    yield from _open(
        browser,
        server,
        problems,
        viewport={"width": 390, "height": 844},
        device_scale_factor=3,
        has_touch=True,
        is_mobile=True,
    )


def _open(browser: Browser, server: Server, problems: list[str], **device) -> Iterator[Page]:
    with browser.new_context(**device) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.goto(server.url)
        page.wait_for_selector("#pad-examples button")
        yield page
    assert not problems
