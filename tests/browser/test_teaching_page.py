"""Teaching a network a visitor's drawings, in a real Chromium."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browsing import LONG, arrive, choose, draw, expect_answer, reload, settle
from drawings import EXAMPLES
from labelling import hand_of, open_hand, tell
from playwright.sync_api import Browser, Page, Route, expect
from support import SOON, small_serving

from lenet.checkpoint import SHIPPED, read

CALL = "**/component_server/"


# ---------------------------------------------------------------- teaching, with made-up answers


def news(state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "text": "", "share": None, "network": None, "told": None, **more}


def answer_calls(page: Page, **answers: Callable[[Any], Any]) -> list[tuple[str, Any]]:
    """Answer these server functions in the server's place; returns the calls, as they come."""
    asked = []

    def answer(route: Route) -> None:
        body = route.request.post_data_json
        name, data = body["fn_name"], body["data"]
        if name not in answers:
            return route.fallback()
        asked.append((name, data))
        route.fulfill(json=answers[name](data))

    page.route(CALL, answer)
    return asked


def test_without_drawings_teach_says_what_to_do_first(page: Page):
    draw(page, EXAMPLES[1])
    open_hand(page)
    page.locator("#hand-start").click()
    expect(page.locator("#hand-notice")).to_contain_text("Nothing to teach yet: write some digits")


def test_before_few_drawings_are_taught_there_is_advice(page: Page):
    tell(page, 7)
    asked = answer_calls(
        page, teach=lambda data: {"run": "r"}, taught=lambda data: news("running", share=0.4)
    )
    open_hand(page)
    expect(page.locator("#hand-advice")).to_contain_text("You have drawn the 7 only once")
    page.locator("#hand-start").click()
    expect(page.locator("#hand-teach progress")).to_have_attribute("value", "0.4")
    (name, sent), *_ = asked
    assert name == "teach"
    assert json.loads(sent["drawings"])["label"] == 7
    assert sent["checkpoint"] == "lenet.pt"


def test_a_teaching_goes_on_while_the_page_is_away_and_can_be_stopped(page: Page):
    tell(page, 7)
    state = {"run": "secret", "now": news("running", text="teaching: 3 s to go", share=0.5)}

    def stop(data: Any) -> dict[str, Any]:
        state["now"] = news("stopped")
        return {}

    def resume(data: Any) -> dict[str, Any]:
        state["now"] = news("running", text="teaching: 2 s to go")
        return {"run": data["run"]}

    asked = answer_calls(
        page,
        teach=lambda data: {"run": state["run"]},
        taught=lambda data: state["now"],
        stop_teaching=stop,
        resume_teaching=resume,
    )
    open_hand(page)
    page.locator("#hand-start").click()
    expect(page.locator("#hand-teach .waiting")).to_contain_text("teaching: 3 s to go")
    reload(page)
    expect(page.locator("#hand-line")).to_have_text("teaching: 3 s to go")
    open_hand(page)
    page.locator("#hand-stop").click()
    expect(page.locator("#hand-teach .waiting")).to_contain_text("Stopped")
    expect(page.locator("#hand-stop")).to_be_hidden()
    expect(page.locator("#hand-teach progress")).to_be_hidden()
    page.locator("#hand-resume").click()
    expect(page.locator("#hand-teach .waiting")).to_contain_text("teaching: 2 s to go")
    assert {data["run"] for name, data in asked if name != "teach"} == {"secret"}
    state["now"] = news("gone", text="The server no longer has this teaching: teach again.")
    expect(page.locator("#hand-notice")).to_contain_text("no longer has this teaching")
    state["run"] = "another"
    state["now"] = news("waiting", text="Waiting for the run that is under way…")
    page.locator("#hand-start").click()
    expect(page.locator("#hand-teach .waiting")).to_contain_text("Waiting for the run")
    state["now"] = news("gone", text="The server no longer has this teaching: teach again.")
    expect(page.locator("#hand-start")).to_be_visible()
    expect(page.locator("#hand-notice")).to_be_hidden()  # it was taken out


def test_the_page_says_why_a_teaching_is_refused(page: Page):
    tell(page, 7)
    open_hand(page)
    for sentence in ("A training run is under way: wait for its end.", "The password is wrong."):
        answer_calls(page, teach=lambda data, sentence=sentence: {"error": sentence})
        page.locator("#hand-start").click()
        expect(page.locator("#hand-notice")).to_have_text(sentence)
        expect(page.locator("#hand-start")).to_be_visible()


@contextmanager
def served(browser: Browser, folder: Path, training: str) -> Iterator[Page]:
    """The page of a server whose owner has rules about training."""
    rules = {"LENET_TRAINING": training, "LENET_PASSWORD": "open sesame"}
    with small_serving(folder, rules) as server, browser.new_context() as context:
        context.set_default_timeout(SOON)
        page = context.new_page()
        arrive(page, server.url)
        yield page


def test_where_training_is_off_nothing_is_taught(browser: Browser, tmp_path: Path):
    with served(browser, tmp_path, "off") as page:
        tell(page, 7)
        open_hand(page)
        expect(page.locator("#hand-advice")).to_contain_text("Training is off on this server")
        expect(page.locator("#hand-start")).to_be_hidden()
        expect(page.locator("#hand-round")).to_be_visible()


def test_the_owners_password_is_asked_for(browser: Browser, tmp_path: Path):
    with served(browser, tmp_path, "owner") as page:
        tell(page, 7)
        open_hand(page)
        page.locator("#hand-start").click()
        expect(page.locator("#hand-notice")).to_contain_text("give the password")
        page.locator("#hand-password").fill("open sesame")
        asked = answer_calls(page, teach=lambda data: {"error": "Enough."})
        page.locator("#hand-start").click()
        expect(page.locator("#hand-notice")).to_have_text("Enough.")
        assert asked[0][1]["password"] == "open sesame"


# ---------------------------------------------------------------- the whole circle


def mirrored_seven(seed: int) -> list:
    """A seven as some children write it at first, and nobody in MNIST."""
    return [[(1 - x, y) for x, y in stroke] for stroke in hand_of(7, seed)]


def test_a_network_is_taught_and_reads_the_next_drawing_and_is_nobody_elses(
    page: Page, browser: Browser
):
    misread = page.locator("#doubt")
    for seed in range(6):
        draw(page, mirrored_seven(seed))
        expect(misread).to_contain_text("does not look like a digit")
        page.keyboard.press("7")
        expect(misread).to_be_empty()
    draw(page, mirrored_seven(6))
    expect(misread).to_contain_text("does not look like a digit")
    open_hand(page)
    expect(page.locator("#hand-examples .wrong figcaption")).to_have_text(["no digit"] * 6)
    page.locator("#hand-start").click()
    chosen = page.locator("#checkpoint input")
    expect(chosen).to_have_value(re.compile("^Your hand, "), timeout=LONG)
    result = page.locator("#hand-result")
    words = re.compile(r"It reads \d of your 6 drawings; before, it read 0\.")
    expect(result).to_contain_text(words, timeout=LONG)
    shipped = read(SHIPPED).accuracy
    expect(result).to_contain_text(f"of MNIST's test images; before, {shipped:.2%}")
    expect(page.locator("#hand-examples .wrong")).to_have_count(0)
    page.keyboard.press("Escape")
    expect_answer(page, "7")  # the seventh
    download = page.locator("#download")
    name = re.compile(r"^checkpoints/hand-mnist-\d{8}-\d{6}-[0-9a-f]{32}\.pt$")
    expect(download).to_have_attribute("href", name)
    secret = download.get_attribute("href")
    reload(page)
    expect(chosen).to_have_value(re.compile("^Your hand, "))
    asked = answer_calls(page, teach=lambda data: {"error": "Enough."})
    open_hand(page)
    page.locator("#hand-start").click()
    expect(page.locator("#hand-notice")).to_have_text("Enough.")
    assert asked[0][1]["checkpoint"] == "lenet.pt"  # not from the taught one, or hands would drift
    page.keyboard.press("Escape")
    draw(page, mirrored_seven(7))
    expect_answer(page, "7")
    page.get_by_role("tab", name="Results").click()
    choose(page, "#results-network", "Your hand, ")
    titles = page.locator("#results-accuracy h2")
    expect(titles).to_have_text([re.compile("^Your hand, ")], timeout=LONG)
    page.get_by_role("tab", name="Draw").click()
    choose(page, "#checkpoint", "lenet.pt")
    expect_answer(page, "")
    reload(page)
    settle(page)
    expect(chosen).to_have_value("lenet.pt")  # what was chosen last
    assert secret not in page.content()
    with browser.new_context() as other:
        stranger = other.new_page()
        heard = []
        stranger.on("response", lambda response: heard.append(response))
        arrive(stranger, page.url)
        stranger.get_by_role("tab", name="Train").click()
        settle(stranger)
        stranger.get_by_role("tab", name="Draw").click()
        stranger.locator("#checkpoint input").click()
        expect(stranger.get_by_role("option")).not_to_have_count(0)
        assert not stranger.get_by_role("option", name="Your hand").count()
        name = secret.removeprefix("checkpoints/").removesuffix(".pt")
        assert name not in stranger.content()
        told = [r.text() for r in heard if r.headers.get("content-type", "").endswith("json")]
        assert told and not any(name in text for text in told)
