"""What all tests share: their marks, MNIST, two served pages, and a Chromium to open them with."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support import SOON, Server, serving, small_serving

from lenet.data import DataError, DataSet, load_mnist

# Chromium's headless shell first: the same engine, and a page costs half as much.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


expect.set_options(timeout=SOON)

# Hypothesis makes up the same examples each time; with `--hypothesis-profile long` it makes up new
# ones until it is stopped.
COMMON = {"deadline": None, "database": None}
settings.register_profile("short", max_examples=150, derandomize=True, **COMMON)
settings.register_profile("long", max_examples=1_000_000, **COMMON)
settings.load_profile("short")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two, as a small machine has cores; and since a page's test waits half of its time, three."""
    return 2 if config.option.markexpr == "unit" else 3


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m unit` the other folders are not even read."""
    other = collection_path.is_dir() and collection_path.name in ("processes", "server", "browser")
    return True if other and config.option.markexpr == "unit" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder: unit, processes, server or browser."""
    for item in items:
        item.add_marker(item.path.parent.name)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """On busy cores the threads of such small work only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def warm() -> None:
    """Runs start in milliseconds."""
    from lenet.server.runs import warm_up

    warm_up()


@pytest.fixture(scope="session")
def mnist() -> DataSet:
    """MNIST from the cache or from `LENET_MNIST_URL`.

    Where neither has it the test is skipped, so that the others run on any machine; in `.ci/run` a
    skipped test is a failure.
    """
    from torchvision.datasets import MNIST

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # no waiting for the internet
        try:
            return load_mnist()
        except DataError:
            pytest.skip("no MNIST: it is not cached, and LENET_MNIST_URL names no mirror of it")


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


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page with small data sets in this process, as `support.small_serving` describes it."""
    with small_serving(tmp_path_factory.mktemp("small")) as server:
        yield server


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
        context.set_default_timeout(SOON)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.goto(server.url)
        page.wait_for_selector("#pad-examples button")
        expect(page.locator(".loading")).to_have_count(0)  # shown while Gradio loads a part
        yield page
    assert not problems
