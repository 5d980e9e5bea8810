"""What tests of several folders use: servers to ask, small data, pages to read."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from playwright.sync_api import Page

from lenet.data import DataError, DataSet, Digits
from lenet.events import Batch, Epoch, Start
from lenet.server import visitors
from lenet.server.runs import Run, Runs, warm_up
from lenet.server.shares import Allowance
from lenet.synthetic import synthetic_digits

ROOT = Path(__file__).parent.parent
WAIT = 120  # seconds for another process on a busy machine
SOON = 60_000  # milliseconds for what a page does at once, on a busy machine

# How Gradio serves a page of a test: on this machine, and the test goes on.
IN_BACKGROUND: dict[str, Any] = {
    "server_name": "127.0.0.1",
    "prevent_thread_lock": True,
    "quiet": True,
    "ssr_mode": False,
}


class Server(NamedTuple):
    """A running `python app.py` and the folders that it uses."""

    url: str
    checkpoints: Path
    data: Path


@contextmanager
def serving(log: Path, variables: dict[str, str], **options: Any) -> Iterator[str]:
    """Run `python app.py` on a free port; yield its address.

    Args:
        log: the file that its output goes to.
        variables: of its environment, besides the test's own.
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
        process.wait(WAIT)


@contextmanager
def small_serving(folder: Path, variables: dict[str, str] | None = None) -> Iterator[Server]:
    """Serve the page in this process with small data sets: a test can replace what it imports.

    The synthetic digits are 40 for training and 60 for the test, the labels of the first 30 of
    these wrong by one to three; MNIST cannot be loaded. A training run gets 512 pictures of noise.

    Args:
        folder: an empty one.
        variables: of the environment, meanwhile.
    """
    import gradio as gr
    from runs_on_noise import run_without_mnist

    from lenet.server import data_sets, evaluation_cache
    from lenet.server.queue import Queue
    from lenet.ui import page

    def load(name: str) -> DataSet:
        if name == "mnist":
            raise DataError("MNIST could not be loaded: there is <no> mirror.")
        return small_set()

    cached = (data_sets._load, evaluation_cache.evaluation_of, data_sets.means)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_sets, "load", load)
        patch.setenv("LENET_CHECKPOINTS", str(folder / "checkpoints"))
        patch.setenv("LENET_DATA", str(folder / "data"))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        for name, value in (variables or {}).items():
            patch.setenv(name, value)
        (folder / "checkpoints").mkdir()
        warm_up()
        for function in cached:
            function.cache_clear()
        runs = Runs(run_without_mnist)
        waiting = Queue(runs)
        blocks: gr.Blocks = page.build(waiting)
        _, url, _ = blocks.launch(
            **page.LOOK,
            **IN_BACKGROUND,
            server_port=free_port(),
            run_history=False,
            app_kwargs={"routes": page.routes(waiting)},
        )
        yield Server(url, folder / "checkpoints", folder / "data")
        runs.stop()
        blocks.close()
        for function in cached:
            function.cache_clear()


@contextmanager
def another_server(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """A server without a page: a script in a process of its own, and the words of the line that it
    prints once it has started. It ends in good order at the end of its input, or is killed here.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process:
        try:
            yield process, process.stdout.readline().split()
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def small_set() -> DataSet:
    """The data set of the small server."""
    frames, labels = synthetic_digits(60, seed=4)
    labels[:30] = (labels[:30] + 1 + torch.arange(30) % 3) % 10
    return DataSet("synthetic", Digits(*synthetic_digits(40, seed=3)), Digits(frames, labels))


def start_event(**changes: Any) -> Start:
    """The start of a run of four epochs of 200 batches, changed."""
    fields: dict[str, Any] = {
        "elapsed": 0.0,
        "recipe": "fast",
        "data": "mnist",
        "drawings": (),
        "epochs": 4,
        "batch_size": 80,
        "learning_rate": 0.1,
        "seed": 0,
        "epoch": 0,
        "batch": 0,
        "pid": 1,
        "device": "cpu",
        "parameters": 61_706,
        "images": 16_000,
        "batches": 200,
        "resumed_from": None,
        "changed": (),
    }
    return Start(**(fields | changes))


def batch_event(epoch: int, batch: int, elapsed: float, **changes: Any) -> Batch:
    """What a run logs after so many batches of an epoch."""
    fields = {"loss": 0.5, "learning_rate": 0.1, "images_per_second": 1.0}
    return Batch(epoch=epoch, batch=batch, elapsed=elapsed, **(fields | changes))


def epoch_event(epoch: int, elapsed: float, **changes: Any) -> Epoch:
    """What a run logs after an epoch."""
    fields = {"train_loss": 0.5, "test_loss": 0.25, "test_accuracy": 0.9}
    return Epoch(epoch=epoch, elapsed=elapsed, **(fields | changes))


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run in another thread: in this one Playwright has a loop."""
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


def on_own_machine(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let the server be one's own, with this folder of checkpoints and no wrong passwords yet."""
    monkeypatch.setenv("LENET_CHECKPOINTS", str(folder))
    monkeypatch.setattr(visitors, "_wrong", Allowance(each=1000))
    limits = ("LENET_MAX_EPOCHS", "LENET_MAX_MINUTES")
    for variable in ("SPACE_ID", "LENET_TRAINING", "LENET_PASSWORD", *limits):
        monkeypatch.delenv(variable, raising=False)
    return folder


def full_disk(*_: Any, **__: Any) -> None:
    """What a function of `os` or `shutil` does where there is no room, to be put in its place."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def wait_until(true: Callable[[], object]) -> None:
    """Look again and again until something is true."""
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def wait_for_run(runs: Runs, true: Callable[[Run], bool]) -> Run:
    """Follow a server's run until something is true of it."""
    end = time.monotonic() + WAIT
    while not true(run := runs.current()):
        assert time.monotonic() < end, f"waited in vain: {run.state} {run.message}"
        time.sleep(0.02)
    return run


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url)
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"app.py did not start:\n{log.read_text()}")
