"""The Train tab in a real Chromium: a run belongs to the server, not to a page."""

import re
from collections.abc import Iterator

import pytest
import torch
from browsing import LOGGED, LONG, choose, choose_synthetic, look_twice, open_accordion, status
from playwright.sync_api import Browser, Page, expect
from support import Server

from lenet import LeNet
from lenet.recipes import RECIPES
from lenet.ui.train.resume import MORE_EPOCHS


def opened(page: Page) -> Iterator[Page]:
    """The page with the Train tab open; a run that is left over is stopped."""
    page.get_by_role("tab", name="Train").click()
    yield page
    # Without a wait for the button: where the run has just ended by itself, it stays disabled.
    page.locator("#train-stop").evaluate("(button) => button.click()")
    expect(page.locator("#train-stop")).to_be_disabled()


@pytest.fixture
def train(page: Page) -> Iterator[Page]:
    """The page of `python app.py` with the Train tab open."""
    yield from opened(page)


def test_train_reload_stop_resume_and_draw(train: Page, browser: Browser):
    """The whole story: train on synthetic digits to the end, and draw with the result."""
    choose_synthetic(train, 2)  # so long that a slow machine opens the pages meanwhile
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
        expect(second.locator("#train-start")).to_have_text("Train next")
        second.locator("#train-stop").click()
        status(second, "stopped")

    status(train, "stopped")
    train.locator("#train-resume").click()
    status(train, "finished")
    lines = log.inner_text()
    assert "Resuming" in lines and "changed: nothing" in lines
    batches = re.findall(r"\[(\d+), +(\d+)\] loss", lines)
    assert batches == [(str(epoch), str(batch)) for epoch in (1, 2) for batch in LOGGED]
    assert float(re.search(r"([\d.]+)% of the test", lines.split("Epoch 2:")[1])[1]) > 90
    assert train.locator(".chart .training polyline").get_attribute("points").count(",") == 2 * len(
        LOGGED
    )

    train.get_by_role("button", name="Draw with this network").click()
    expect(train.locator("#checkpoint input")).to_have_value(re.compile("fast-synthetic"))
    train.locator("#pad-examples button").nth(3).click()
    expect(train.locator("#answer")).to_have_text("3")


def test_stop_while_digits_are_drawn(train: Page, server: Server):
    for drawn in (server.data / "synthetic").glob("*"):
        drawn.unlink()  # by a run before this one
    choose_synthetic(train, 1)
    train.locator("#train-start").click()
    line = train.locator("#train-status")
    drawing = re.compile(r"^starting: drawing synthetic digits, [1-9]\d? %")
    expect(line).to_have_text(drawing, timeout=LONG)
    train.locator("#train-stop").click()
    expect(line).to_have_text("stopped: nothing was learnt yet")
    expect(train.locator("#train-start")).to_be_enabled()


# ---------------------------------------------------------------- on a server with small data


@pytest.fixture
def small(small_page: Page) -> Iterator[Page]:
    """The small server's page with the Train tab open, where MNIST cannot be loaded."""
    yield from opened(small_page)


def test_a_recipe_brings_its_epochs_batch_size_and_learning_rate(small: Page):
    open_accordion(small, "Settings of a new run", "#train-data")
    for name in ("best", "tutorial", "fast"):
        choose(small, "#train-recipe", name)
        recipe = RECIPES[name]
        expect(small.locator("#train-epochs input")).to_have_value(str(recipe.epochs))
        expect(small.locator("#train-batch-size input")).to_have_value(str(recipe.batch_size))
        expect(small.locator("#train-lr input")).to_have_value(f"{recipe.learning_rate:g}")


def test_where_mnist_cannot_be_loaded_a_button_trains_on_synthetic_digits(small: Page):
    instead = small.locator("#train-synthetic")
    expect(instead).to_be_hidden()
    small.locator("#train-start").click()
    words = "failed: MNIST could not be loaded: there is <no> mirror."
    expect(small.locator("#train-status")).to_have_text(words)
    instead.click()
    expect(instead).to_be_hidden()
    status(small, "finished")
    expect(small.locator("#train-log")).to_contain_text("data synthetic")
    charts = small.locator("#train-charts")
    expect(charts.locator("figure")).to_have_count(3)
    tops = charts.evaluate(  # in one step, for they are drawn anew whenever their values come
        "(all) => [...all.querySelectorAll('figure')].map((one) => one.getBoundingClientRect().top)"
    )
    assert tops == [tops[0]] * 3 and tops[0] > 0  # side by side


def test_a_stopped_run_goes_on_to_its_end_and_a_finished_one_is_offered_more(small: Page):
    choose_synthetic(small, 200)
    small.locator("#train-batch-size input").fill("8")  # a long run, for it is to be stopped
    small.locator("#train-start").click()
    status(small, "running")
    small.locator("#train-start").hover()
    small.mouse.down(click_count=2)  # the second press of a double click
    small.mouse.up(click_count=2)
    look_twice(small)
    expect(small.locator("#train-status")).not_to_contain_text("waits")
    small.locator("#train-stop").press("Enter")
    status(small, "stopped")
    expect(small.locator("#train-resume")).to_be_focused()
    open_accordion(small, "What to resume", "#train-more")
    source, more = small.locator("#train-resume-from input"), small.locator("#train-more input")
    expect(source).to_have_value(re.compile("^fast-synthetic-"))
    expect(more).to_have_value("")
    stopped = source.input_value()
    small.locator("#train-resume").click()
    status(small, "running")
    expect(small.locator("#train-log")).to_contain_text(f"Resuming {stopped}, changed: nothing")
    small.locator("#train-stop").click()
    status(small, "stopped")

    small.locator("#train-epochs input").fill("1")
    small.locator("#train-batch-size input").fill("64")
    small.locator("#train-start").click()
    status(small, "finished")
    expect(source).not_to_have_value(stopped)
    expect(more).to_have_value(str(MORE_EPOCHS))
    finished = source.input_value()
    small.locator("#train-resume").click()
    status(small, "finished")
    expect(small.locator("#train-log")).to_contain_text(
        f"Resuming {finished}, changed: epochs 1 → 4"
    )
    status(small, "finished")  # again: it was so before
    choose(small, "#train-resume-from", stopped)
    expect(more).to_have_value("")


def test_a_network_without_a_run_is_trained_as_a_new_one_would_be(
    small: Page, small_server: Server
):
    bare = small_server.checkpoints / "bare.pth"
    torch.save(LeNet().state_dict(), bare)
    look_twice(small)  # a list that changes while it is open is closed
    open_accordion(small, "What to resume", "#train-more")
    choose(small, "#train-resume-from", bare.name)
    expect(small.locator("#train-resume")).to_contain_text("bare")  # the offer has come
    expect(small.locator("#train-more input")).to_have_value(str(MORE_EPOCHS))
    small.locator("#train-more input").fill("1")
    open_accordion(small, "Settings of a new run", "#train-data")
    choose(small, "#train-recipe", "tutorial")
    small.locator("#train-data").get_by_text("Synthetic digits").click()
    small.locator("#train-resume").click()
    words = f"Resuming {bare.name}, changed: nothing; recipe tutorial, data synthetic, 1 epoch"
    expect(small.locator("#train-log")).to_contain_text(words)
    status(small, "finished")
    assert bare.exists()


def test_a_link_brings_settings_that_train_when_the_button_is_pressed(
    browser: Browser, small_server: Server, small: Page
):
    """A teacher makes it, a second browser opens it: few images with wrong labels."""
    open_accordion(small, "Settings of a new run", "#train-data")
    choose(small, "#train-recipe", "tutorial")
    expect(small.locator("#train-lr input")).to_have_value("0.001")
    small.locator("#train-data").get_by_text("Synthetic digits").click()
    for field, value in {"epochs": "2", "images": "100", "wrong": "20", "seed": "3"}.items():
        small.locator(f"#train-{field} input").fill(value)
    small.get_by_role("button", name="Copy link").click()
    settings = "?recipe=tutorial&data=synthetic&epochs=2&seed=3&images=100&wrong=20#train"
    link = small.get_by_label("Link to these settings")
    expect(link).to_have_value(f"{small_server.url}{settings}")

    runs = set(small_server.checkpoints.glob("*.jsonl"))
    with browser.new_context() as other:
        second = other.new_page()
        second.goto(link.input_value())
        words = "The link has filled in recipe tutorial, data synthetic, epochs 2, seed 3, "
        expect(second.locator("#train-linked")).to_contain_text(words)
        expect(second.locator("#train-lr input")).to_have_value("0.001")  # the recipe's own
        expect(second.locator("#train-wrong input")).to_have_value("20")
        assert set(small_server.checkpoints.glob("*.jsonl")) == runs
        second.locator("#train-start").click()
        status(second, "finished")
        words = "data synthetic (100 images, 20 % of the labels wrong), 2 epochs"
        expect(second.locator("#train-log")).to_contain_text(words)
        titles = second.locator("#train-charts figcaption b")
        expect(titles).to_have_text(["Loss", "Images read right", "Learning rate"])
        # A sample of the test set is read between the epochs.
        points = second.locator("#train-charts .sample polyline")
        expect(points).to_have_attribute(
            "points", re.compile(r"^0\.00,\S+ 50\.00,\S+ 100\.00,\S+$")
        )

        second.goto(f"{small_server.url}?epochs=500&images=many#train")
        for field, words in [
            ("epochs", "Epochs 500 is out of range: choose 1 to 200."),
            ("images", "Give a number."),
        ]:
            expect(second.locator(f"#train-{field}").get_by_text(words)).to_be_visible()


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
