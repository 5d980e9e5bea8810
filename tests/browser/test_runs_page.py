"""The table of all runs in a real Chromium: comparing, naming, deleting, waiting."""

import re
from collections.abc import Iterator

import pytest
from browsing import answered, choose_synthetic, open_accordion, status
from playwright.sync_api import Browser, Locator, Page, expect
from support import Server, start_event

from lenet.events import Batch, Done, Epoch, Event, to_json


@pytest.fixture
def small(small_page: Page, small_server: Server) -> Iterator[Page]:
    """The small server's page with the Train tab open; afterwards its runs are deleted."""
    small_page.get_by_role("tab", name="Train").click()
    yield small_page
    (small_server.checkpoints / ".queue").unlink(missing_ok=True)
    for path in small_server.checkpoints.iterdir():
        if path.suffix in (".jsonl", ".pt", ".title"):
            path.unlink()


def leave(server: Server, name: str, rate: float, accuracy: float, seed: int = 0) -> None:
    """A finished run of two epochs."""
    start = start_event(epochs=2, learning_rate=rate, seed=seed)
    events: list[Event] = [start]
    for number in (1, 2):
        at = {"epoch": number, "elapsed": 10.0 * number}
        told = {"loss": 1 / number, "learning_rate": rate, "images_per_second": 1.0}
        events.append(Batch(batch=100, **at, **told))
        events.append(Epoch(**at, train_loss=0.5, test_loss=0.25, test_accuracy=accuracy))
    events.append(Done(elapsed=20.0, test_accuracy=accuracy, checkpoint=f"{name}.pt"))
    text = "".join(to_json(event) + "\n" for event in events)
    (server.checkpoints / f"{name}.jsonl").write_text(text)
    (server.checkpoints / f"{name}.pt").touch()


def row(page: Page, title: str) -> Locator:
    return page.locator("#all-runs tbody tr").filter(has=page.get_by_role("rowheader", name=title))


def reopen(page: Page) -> None:
    """Open the tab anew, which asks for the table."""
    page.get_by_role("tab", name="Draw").click()
    page.get_by_role("tab", name="Train").click()


def test_where_nothing_ever_ran_nothing_is_shown(small: Page):
    expect(small.locator("#train-status")).to_contain_text("idle")
    expect(small.locator("#all-runs")).to_be_hidden()


def test_rates_are_compared_with_one_tick_each(small: Page, small_server: Server):
    for rate, accuracy in ((0.005, 0.95), (0.05, 0.99), (0.5, 0.6)):
        leave(small_server, f"rate {rate}", rate, accuracy)
    reopen(small)
    expect(small.locator("#all-runs tbody tr")).to_have_count(3)
    for rate in (0.005, 0.05, 0.5):
        small.get_by_label(f"compare rate {rate}", exact=True).check()
    charts = small.locator("#train-charts figure")
    expect(charts).to_have_count(3)
    for slot in range(3):
        lines = charts.first.locator(f".run-{slot}.training polyline")
        expect(lines).to_have_attribute("points", re.compile(r"^[\d.]+,[\d.]+ [\d.]+,[\d.]+$"))
    expect(small.locator("#train-charts .keys .key")).to_have_text(
        ["rate 0.5", "rate 0.05", "rate 0.005"]
    )
    expect(charts.first.locator(".epochs")).to_have_text("0epoch2")
    small.get_by_label("over seconds").check()
    expect(charts.first.locator(".epochs")).to_have_text("0seconds20.0")
    small.get_by_label("only what differs").check()
    heads = small.locator("#all-runs thead th:not(.tick, .do)")
    expect(heads).to_have_text(["Name", "Rate", "Test", "Seconds", "State", "When"])

    link = small.locator("#runs-csv").get_attribute("href")
    table = small.request.get(f"{small_server.url}{link}").text().splitlines()
    assert table[0].startswith("step,") and "rate 0.05/loss" in table[0].split(",")
    assert [line.split(",")[0] for line in table[1:]] == ["100", "200", "300", "400"]
    small.get_by_role("button", name="Untick").click()
    expect(small.locator("#train-charts .keys")).to_be_hidden()
    expect(heads).to_have_count(11)


def test_two_settings_with_several_seeds_are_two_rows_that_open_and_a_sentence(
    small: Page, small_server: Server
):
    for name, rate, accuracy in (
        ("fast-mnist-20261126-1200-aaaa", 0.05, 0.99),
        ("b", 0.5, 0.95),
    ):
        for seed in range(3):
            leave(small_server, f"{name}-seed{seed}", rate, accuracy + seed / 1000, seed)
    reopen(small)
    lines = small.locator("#all-runs tbody tr")
    expect(lines).to_have_count(2)
    for box in small.locator("#all-runs .tick input").all():
        box.check()
    expect(small.locator("#train-charts .run-1 polygon").first).to_be_visible()
    expect(small.locator("#runs-verdict")).to_contain_text(
        "4.00 points more of the test images than"
    )
    expect(small.locator("#runs-verdict")).to_contain_text("larger than the spread of the seeds.")
    small.locator("#all-runs tbody .do button").first.click()
    expect(small.locator("#all-runs .member th")).to_have_text(["seed 2", "seed 1", "seed 0"])


def test_a_run_is_renamed_and_deleted_and_another_page_sees_it(
    small: Page, small_server: Server, browser: Browser
):
    leave(small_server, "run", 0.05, 0.99)
    leave(small_server, "other", 0.05, 0.98)
    reopen(small)
    with browser.new_context() as context:
        second = context.new_page()
        second.goto(small_server.url)
        second.get_by_role("tab", name="Train").click()
        expect(row(second, "run")).to_be_visible()
        small.get_by_label("actions for run").click()
        small.get_by_role("button", name="Rename").click()
        field = small.get_by_label("name", exact=True)
        expect(field).to_be_focused()
        field.fill("<b>steep</b> " + "x" * 100)
        field.press("Enter")
        title = ("<b>steep</b> " + "x" * 100)[:60]
        expect(small.get_by_role("rowheader", name=title, exact=True)).to_be_visible()
        expect(small.get_by_label(f"actions for {title}")).to_be_focused()
        expect(second.get_by_role("rowheader", name=title, exact=True)).to_be_visible()
        small.get_by_role("button", name="Delete").click()
        expect(small.locator("#all-runs tr.open")).to_contain_text("its network and its log?")
        small.keyboard.press("Escape")
        expect(small.get_by_role("button", name="Cancel")).to_be_hidden()
        assert (small_server.checkpoints / "run.jsonl").exists()
        small.get_by_role("button", name="Delete").click()
        with answered(small, "delete_run"):
            small.locator("#all-runs tr.open").get_by_role("button", name="Delete").click()
        for page in (small, second):
            expect(page.get_by_role("rowheader")).to_have_text(["other"])
        assert not (small_server.checkpoints / "run.jsonl").exists()


def test_what_is_trained_while_a_run_goes_waits_and_can_be_taken_out(small: Page):
    choose_synthetic(small, 200)
    small.locator("#train-batch-size input").fill("8")
    start = small.locator("#train-start")
    start.click()
    status(small, "running")
    expect(start).to_have_text("Train next")
    small.locator("#train-epochs input").fill("1")
    start.click()
    expect(small.locator("#train-status")).to_contain_text("; 1 run waits")
    start.click()
    expect(small.locator("#train-status")).to_contain_text("; 2 runs wait")
    waiting = small.locator("#all-runs .is-waiting")
    expect(waiting).to_have_count(2)
    small.reload()
    small.get_by_role("tab", name="Train").click()
    expect(waiting).to_have_count(2)
    waiting.first.get_by_role("button").click()
    expect(waiting).to_have_count(1)
    small.locator("#train-stop").click()
    expect(waiting).to_have_count(0)
    status(small, "finished")
    expect(start).to_have_text("Train")
    expect(small.locator("#all-runs tbody tr")).to_have_count(2)

    # And the stopped one: its row says from where it would go on, and draws.
    small.locator("#all-runs .is-stopped .do button").click()
    buttons = small.locator("#all-runs tr.open")
    expect(buttons.get_by_role("button", name="Resume from epoch")).to_be_visible()
    network = small.locator("#all-runs .is-stopped th").get_attribute("title")
    buttons.get_by_role("button", name="Draw with it").click()
    expect(small.locator("#checkpoint input")).to_have_value(f"{network}.pt")
    expect(small.locator("#pad")).to_be_visible()
    small.get_by_role("tab", name="Train").click()
    finished = small.locator("#all-runs .is-finished")
    finished.locator(".tick input").check()
    buttons.get_by_role("button", name="Results beside").click()
    expect(small.locator("#results-network input")).to_have_value(f"{network}.pt")
    other = finished.locator("th").get_attribute("title")
    expect(small.locator("#results-other input")).to_have_value(f"{other}.pt")


def test_five_seeds_are_one_row_that_waits_for_its_runs(small: Page):
    choose_synthetic(small, 1)
    open_accordion(small, "Settings of a new run", "#train-seeds")
    small.locator("#train-seeds").click()
    expect(small.locator("#all-runs tbody tr").filter(has_text="5 of 5 finished")).to_be_visible()
    expect(small.locator("#all-runs tbody tr")).to_have_count(1)


def test_on_a_phone_a_run_has_two_lines_and_nothing_sticks_out(
    small_phone: Page, small_server: Server
):
    leave(small_server, "run", 0.05, 0.99)
    small_phone.get_by_role("tab", name="Train").click()
    line = small_phone.locator("#all-runs tbody tr")
    expect(line).to_be_visible()
    assert line.evaluate("(row) => row.offsetHeight") < 80
    assert small_phone.evaluate("document.documentElement.scrollWidth") <= 390
    for suffix in (".jsonl", ".pt"):
        (small_server.checkpoints / f"run{suffix}").unlink()
