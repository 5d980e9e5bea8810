"""The Train tab in a real Chromium: a run belongs to the server, not to a page."""

import re
from collections.abc import Iterator

import pytest
from browsing import TOLD, choose_synthetic, status
from playwright.sync_api import Browser, Page, expect
from support import Server

from lenet.synthetic import example_strokes


@pytest.fixture
def train(page: Page) -> Iterator[Page]:
    """The page with the Train tab open; a run that is left over is stopped."""
    page.get_by_role("tab", name="Train").click()
    yield page
    stop = page.locator("#train-stop")
    if page.locator("#train-start").is_disabled() and stop.is_enabled():
        stop.click()
        expect(page.locator("#train-start")).to_be_enabled()


def test_train_reload_stop_resume_and_draw(train: Page, browser: Browser):
    """The whole story: train on synthetic digits to the end, and draw with the result."""
    choose_synthetic(train, 2)
    train.locator("#train-start").click()
    status(train, "running")
    log = train.locator("#train-log")
    expect(log).to_contain_text("[1,   100] loss:")

    # A reload and another browser see the run from its first line.
    train.reload()
    train.get_by_role("tab", name="Train").click()
    status(train, "running")
    expect(log).to_contain_text("Training: recipe fast, data synthetic, 2 epochs")
    expect(log).to_contain_text("[1,   100] loss:")
    with browser.new_context() as other:
        second = other.new_page()
        second.goto(train.url)
        second.get_by_role("tab", name="Train").click()
        status(second, "running")
        expect(second.locator("#train-log")).to_contain_text("[1,   100] loss:")
        expect(second.locator("#train-start")).to_be_disabled()
        second.locator("#train-stop").click()
        status(second, "stopped")

    status(train, "stopped")
    train.locator("#train-resume").click()
    status(train, "finished")
    lines = log.inner_text()
    assert "Resuming" in lines and "changed: nothing" in lines
    batches = re.findall(r"\[(\d+), +(\d+)\] loss", lines)
    assert batches == [(str(epoch), str(batch)) for epoch in (1, 2) for batch in TOLD]
    assert float(re.search(r"([\d.]+)% of the test", lines.split("Epoch 2:")[1])[1]) > 90
    assert train.locator(".chart .training polyline").get_attribute("points").count(",") == 2 * len(
        TOLD
    )

    train.get_by_role("button", name="Draw with this network").click()
    expect(train.locator("#checkpoint input")).to_have_value(re.compile("fast-synthetic"))
    train.locator("#pad-examples button").nth(3).click()
    expect(train.locator("#answer")).to_have_text("3")
    assert example_strokes()[3]


def test_settings_out_of_range_start_nothing(train: Page, server: Server, problems: list[str]):
    runs = set(server.checkpoints.glob("*.jsonl"))
    choose_synthetic(train, 0)
    train.locator("#train-start").click()
    words = "Epochs 0 is out of range: choose 1 to 200."
    expect(train.locator("#train-epochs").get_by_text(words)).to_be_visible()
    expect(train.locator("#train-start")).to_be_enabled()
    assert set(server.checkpoints.glob("*.jsonl")) == runs
    assert all("422" in problem for problem in problems)  # Chromium notes the refusal
    problems.clear()
