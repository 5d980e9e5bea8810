"""One journey through the whole page in Chromium, Firefox and WebKit; the other tests need Chromium
alone.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import SOON, Server
from webdriver import BROWSERS, Tab

from lenet.synthetic import example_strokes

ERRORS = """(() => {
    window.problems = [];
    addEventListener("error", ({ message }) => window.problems.push(message));
    addEventListener("unhandledrejection", ({ reason }) => window.problems.push(`${reason}`));
})()"""


@pytest.fixture(params=BROWSERS)
def tab(request: pytest.FixtureRequest, small_server: Server, tmp_path: Path) -> Iterator[Tab]:
    """The open page in each browser; errors on it fail the test. As with MNIST, those browsers are
    skipped that this machine cannot drive.
    """
    driver, start = BROWSERS[request.param]
    if shutil.which(driver) is None:
        pytest.skip(f"{request.param} cannot be driven: there is no {driver}")
    with start(tmp_path) as tab:
        tab.open(small_server.url)
        tab.evaluate(ERRORS)
        tab.wait("document.querySelector('#pad-examples button')")
        yield tab
        assert tab.evaluate("window.problems") == []


def element(selector: str) -> str:
    return f"document.querySelector({selector!r})"


def with_text(selector: str, text: str) -> str:
    """The visible element of a selector whose text begins so, to be clicked or waited for."""
    return (
        f"[...document.querySelectorAll({selector!r})]"
        f".find((each) => each.textContent.trim().startsWith({text!r}) && each.checkVisibility())"
    )


def draw(tab: Tab, strokes: list[list[tuple[float, float]]]) -> None:
    """Draw strokes in a box of 1 in the middle of the pad."""
    box = f"{element('#pad')}.getBoundingClientRect()"
    left, top, width, height = tab.evaluate(
        f"(({{ left, top, width, height }}) => [left, top, width, height])({box})"
    )
    side = 0.6 * height
    x0, y0 = left + (width - side) / 2, top + 0.2 * height
    tab.draw([[(x0 + side * x, y0 + side * y) for x, y in stroke] for stroke in strokes])


def answer(tab: Tab, number: str) -> None:
    tab.wait(f"{element('#answer')}.textContent === {number!r}")


def status(tab: Tab, state: str) -> None:
    tab.wait(f"{element('#train-status')}.textContent.startsWith({state!r})")


def test_a_visit(tab: Tab):
    draw(tab, example_strokes()[7])
    answer(tab, "7")
    tab.evaluate("document.activeElement.blur()")
    tab.press("Control", "z")
    answer(tab, "")
    draw(tab, example_strokes()[3])
    answer(tab, "3")
    tab.wait(f"{element('#probabilities .best')}.textContent.includes('It is a 3')")

    tab.click(element("#inside summary"))
    tab.wait(f"{element('#inside-body')}.checkVisibility()")
    tab.wait(
        f"""((canvas) => canvas.getContext("2d").getImageData(0, 0, 28, 28).data
            .some((value, i) => i % 4 < 3 && value > 100))({element("canvas[data-layer=conv1]")})"""
    )
    tab.click(element("canvas[data-layer=conv1]"))
    tab.wait(f"{element('#lens')}.textContent.includes('with the bias')")

    tab.click(with_text("[role=tab]", "Train"))
    settings, data = with_text("button", "Settings of a new run"), element("#train-data")
    end = time.monotonic() + SOON / 1000
    while not tab.evaluate(f"Boolean({data}?.checkVisibility())"):
        assert time.monotonic() < end, "the settings do not open"
        tab.click(settings)  # a click just when Gradio first shows the tab is lost
        time.sleep(0.5)
    tab.click(with_text("#train-data label", "Synthetic digits"))
    tab.fill(element("#train-epochs input"), "200")
    tab.fill(element("#train-batch-size input"), "8")  # a long run, for it is to be stopped
    tab.click(element("#train-start"))
    status(tab, "running")
    tab.click(element("#train-stop"))
    status(tab, "stopped")
    tab.click(element("#train-resume"))
    status(tab, "running")
    tab.wait(f"{element('#train-log')}.textContent.includes('changed: nothing')")
    tab.click(element("#train-stop"))
    status(tab, "stopped")
    tab.wait(f"{element('#film figure canvas')}.checkVisibility()")

    tab.click(with_text("[role=tab]", "Results"))
    tab.click(with_text("#results-data label", "Synthetic digits"))
    tab.wait(element("#results-gallery figure"))

    tab.click(with_text("[role=tab]", "Data"))
    tab.click(with_text("#data-set label", "Synthetic digits"))
    tab.wait("document.querySelectorAll('#data-images figure').length === 9")
    tab.click(element("#data-images .digit"))
    tab.wait(f"{element('dialog[open] .variations canvas')}")
