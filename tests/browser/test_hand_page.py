"""A visitor's hand in a real Chromium: labelling, keeping and teaching drawings."""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import LONG, boxes, choose, draw, expect_answer, settle, touch
from drawings import NUMBERS
from playwright.sync_api import Browser, Page, Route, expect
from support import SOON, Server, serving

from lenet.drawings import read_drawings, read_others
from lenet.synthetic import example_strokes

EXAMPLES = example_strokes()
CALL = "**/component_server/"
GARBAGE = [{"id": "a"}, {"id": "b", "label": 12, "strokes": [[[0, 0]]], "made": 1}]


def hand_of(digit: int, seed: int = 0) -> list:
    """An example in a trembling hand, which draws it differently for each seed."""
    rng = random.Random(f"{digit} {seed}")
    return [
        [(x + rng.uniform(-0.02, 0.02), y + rng.uniform(-0.02, 0.02)) for x, y in stroke]
        for stroke in EXAMPLES[digit]
    ]


def tell(page: Page, digit: int, label: str | None = None, seed: int = 0) -> None:
    """Draw a digit and press the key of a label."""
    draw(page, hand_of(digit, seed))
    expect(page.locator("#answer")).not_to_be_empty()
    page.keyboard.press(label or str(digit))
    expect(page.locator("#telling > p[role=status]")).to_contain_text("Kept as")


def bar(page: Page, digit: int):
    return page.get_by_role("button", name=re.compile(f"^It is an? {digit}"))


def kept(page: Page):
    return page.locator("#hand-open")


def expect_kept(page: Page, count: int) -> None:
    words = f"Your hand: {count} drawing{'s' * (count != 1)}" if count else "Your hand"
    expect(kept(page)).to_have_text(words)


def open_hand(page: Page) -> None:
    kept(page).click()
    expect(page.locator("#hand-view")).to_be_visible()


def arrive(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#pad-examples button")


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#pad-examples button")


def figures(page: Page):
    return page.locator("#hand-examples figure")


# ---------------------------------------------------------------- labelling


def test_nothing_is_there_before_something_is_drawn(page: Page):
    settle(page)
    expect(kept(page)).to_be_hidden()
    expect(page.locator("#telling-hint")).to_be_hidden()
    expect(bar(page, 7)).to_be_disabled()
    page.keyboard.press("7")
    draw(page, hand_of(7))
    expect(page.locator("#telling-hint")).to_contain_text(
        "Wrong? Press the right digit, or no digit"
    )
    expect_kept(page, 0)


def test_a_pressed_bar_keeps_the_drawing_and_makes_room_for_the_next(page: Page):
    draw(page, hand_of(7))
    expect_answer(page, "7")
    bar(page, 1).click()
    expect(page.locator("#telling")).to_contain_text("Kept as a 1.")
    expect_answer(page, "")
    expect(page.locator(".hint")).to_be_visible()
    expect_kept(page, 1)
    page.locator("#tell-undo").click()
    expect_answer(page, "7")
    expect_kept(page, 0)
    expect(page.locator("#tell-undo")).to_be_hidden()
    bar(page, 8).press("Enter")
    expect(page.locator("#telling")).to_contain_text("Kept as an 8.")
    page.keyboard.press("Control+z")
    expect_answer(page, "7")
    expect_kept(page, 0)


@pytest.mark.parametrize("key, words", [("3", "a 3"), ("n", "no digit"), ("-", "no digit")])
def test_a_key_labels_what_was_drawn(page: Page, key: str, words: str):
    draw(page, hand_of(3))
    expect_answer(page, "3")
    page.keyboard.press(key)
    expect(page.locator("#telling")).to_contain_text(f"Kept as {words}.")
    expect_kept(page, 1)


def test_keys_in_a_field_and_in_the_view_label_nothing(page: Page):
    draw(page, hand_of(3))
    expect_answer(page, "3")
    page.locator("#checkpoint input").click()
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    open_hand(page)
    page.keyboard.press("3")
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    expect_answer(page, "3")
    expect_kept(page, 0)


def test_a_finger_labels_what_was_drawn(phone: Page):
    touch(phone, hand_of(9))
    expect(phone.locator("#answer")).not_to_be_empty()
    bar(phone, 4).tap()
    expect(phone.locator("#telling")).to_contain_text("Kept as a 4.")
    expect_kept(phone, 1)
    touch(phone, NUMBERS["47"])
    expect_answer(phone, "47")
    phone.locator("#tell-none").tap()
    expect(phone.locator("#telling")).to_contain_text("Kept as no digit.")
    expect_answer(phone, "47")


def test_each_digit_of_a_number_is_labelled_on_its_own(page: Page):
    draw(page, NUMBERS["47"])
    expect_answer(page, "47")
    boxes(page).nth(0).click()
    expect(page.locator("#probabilities .best b")).to_have_text("4")
    settle(page)
    bar(page, 9).click()
    expect(page.locator("#telling")).to_contain_text("Kept as a 9.")
    boxes(page).nth(1).click()
    settle(page)
    bar(page, 1).click()
    expect(page.locator("#telling")).to_contain_text("Kept as a 1.")
    expect_answer(page, "47")
    expect_kept(page, 2)
    bar(page, 7).click()  # it was a 7, after all
    expect_kept(page, 2)
    open_hand(page)
    expect(page.locator("#hand-examples h3")).to_have_text(["7", "9"])
    assert [figure.locator("polyline").count() for figure in figures(page).all()] == [2, 2]
    page.keyboard.press("Escape")
    for left in (2, 1, 0):  # the first label of the second digit, then none
        page.keyboard.press("Control+z")
        expect_kept(page, left)
    expect_answer(page, "47")


def test_what_looks_like_two_digits_can_be_labelled_as_one(page: Page):
    draw(page, NUMBERS["11"])
    expect_answer(page, "11")
    page.locator("#tell-one").click()
    expect(boxes(page)).to_have_count(0)
    settle(page)
    bar(page, 4).click()
    expect_answer(page, "")
    open_hand(page)
    expect(page.locator("#hand-examples h3")).to_have_text("4")


def test_a_picture_cannot_be_labelled(page: Page):
    page.get_by_role("tab", name="Data").click()
    page.locator("#data-images button").first.click(timeout=SOON)
    page.locator(".look-inside:visible").click()
    expect(page.locator("#answer")).not_to_be_empty()
    expect(bar(page, 7)).to_be_disabled()
    expect(page.locator("#telling-hint")).to_be_hidden()


# ---------------------------------------------------------------- what is kept


def test_drawings_survive_a_reload_and_are_nobody_elses(page: Page, browser: Browser):
    tell(page, 7)
    tell(page, 3)
    reload(page)
    expect_kept(page, 2)
    open_hand(page)
    expect(page.locator("#hand-examples h3")).to_have_text(["3", "7"])
    with browser.new_context() as other:
        stranger = other.new_page()
        arrive(stranger, page.url)
        draw(stranger, EXAMPLES[1])
        expect(kept(stranger)).to_have_text("Your hand", timeout=SOON)


def test_the_view_marks_what_the_network_misreads(page: Page):
    tell(page, 7)
    tell(page, 7, "2", seed=1)
    tell(page, 3, "n")
    open_hand(page)
    expect(page.locator("#hand-examples .wrong figcaption")).to_have_text(
        ["read as 7", "read as 3"]
    )
    expect(page.locator("#hand-examples h3")).to_have_text(["2", "7", "No digit"])
    expect(page.locator("#hand-examples section").first).to_contain_text("1 misread")


def test_one_drawing_is_deleted_and_comes_back(page: Page):
    tell(page, 7)
    tell(page, 3)
    open_hand(page)
    page.get_by_role("button", name="Delete this 7").press("Enter")
    expect(figures(page)).to_have_count(1)
    expect_kept(page, 1)
    page.locator("#hand-undo button").click()
    expect(figures(page)).to_have_count(2)
    reload(page)
    expect_kept(page, 2)


def test_all_are_downloaded_deleted_and_brought_back(page: Page, tmp_path: Path):
    for digit in (7, 3):
        tell(page, digit)
    tell(page, 5, "n")
    open_hand(page)
    shown = page.locator("#hand-examples polyline").evaluate_all(
        "all => all.map(line => line.getAttribute('points'))"
    )
    with page.expect_download() as waiting:
        page.locator("#hand-download").click()
    file = tmp_path / "mine.jsonl"
    waiting.value.save_as(file)
    assert waiting.value.suggested_filename == "my-hand.jsonl"
    lines = file.read_text().splitlines()
    digits, others = tmp_path / "digits", tmp_path / "others"
    digits.write_text("\n".join(line for line in lines if '"label":null' not in line))
    others.write_text("\n".join(line for line in lines if '"label":null' in line))
    assert [drawing.label for drawing in read_drawings(digits)[0]] == [7, 3]
    assert len(read_others(others)[0]) == 1
    page.locator("#hand-delete").click()
    expect(page.locator("#hand-question")).to_contain_text("3 drawings")
    page.locator("#hand-no").click()
    expect(figures(page)).to_have_count(3)
    page.locator("#hand-delete").click()
    page.locator("#hand-yes").click()
    expect(figures(page)).to_have_count(0)
    reload(page)
    settle(page)
    expect(kept(page)).to_be_hidden()
    draw(page, EXAMPLES[1])
    open_hand(page)
    page.locator("#hand-file").set_input_files(file)
    expect(page.locator("#hand-undo")).to_contain_text("3 added.")
    again = page.locator("#hand-examples polyline").evaluate_all(
        "all => all.map(line => line.getAttribute('points'))"
    )
    assert sorted(again) == sorted(shown)
    page.locator("#hand-file").set_input_files(file)
    expect(page.locator("#hand-undo")).to_contain_text("0 added. 3 were kept already.")
    expect_kept(page, 3)


GOOD = '{"label": 1, "strokes": [[[0, 0], [0, 1]]]}'
BAD_FILES = {
    "broken": (f"{GOOD}\n{{", "Line 2 is not JSON"),
    "another label": (f'{GOOD}\n\n{{"label": "24", "strokes": []}}', 'Line 3: .* not "24"'),
    "too many": (
        "\n".join(
            json.dumps({"label": 1, "strokes": [[[0, 0], [i, 9999]]]}) for i in range(0, 9999, 10)
        ),
        "there is room for 499 of 500",
    ),
    "a picture": (b"\x89PNG\r\n\xff\xfe", "is no text"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_says_why_and_changes_nothing(page: Page, tmp_path: Path, case: str):
    content, sentence = BAD_FILES[case]
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    tell(page, 7)
    open_hand(page)
    page.locator("#hand-file").set_input_files(file)
    expect(page.locator("#hand-notice")).to_have_text(re.compile(sentence))
    expect_kept(page, 1)
    expect(figures(page)).to_have_count(1)


def test_of_two_tabs_neither_loses_the_others_drawings(page: Page):
    other = page.context.new_page()
    arrive(other, page.url)
    page.bring_to_front()  # only the tab in front paints, and gets what the mouse does, in time
    tell(page, 7)
    expect_kept(other, 1)
    other.bring_to_front()
    tell(other, 3)
    expect_kept(page, 2)
    page.bring_to_front()
    tell(page, 1)
    expect_kept(other, 3)
    reload(page)
    expect_kept(page, 3)
    page.keyboard.press("Control+z")  # another page's step is not this one's
    expect_kept(page, 3)


WRITE = """(records) => new Promise((resolve) => {
    const request = indexedDB.open("lenet-hand");
    request.onsuccess = () => {
        const transaction = request.result.transaction(["drawings", "state"], "readwrite");
        for (const record of records) transaction.objectStore("drawings").put(record);
        for (const key of ["networks", "teaching", "chosen"])
            transaction.objectStore("state").put("<b>garbage</b>", key);
        transaction.oncomplete = () => { request.result.close(); resolve(); };
    };
})"""


def test_garbage_in_the_storage_is_left_out_with_a_sentence(page: Page):
    tell(page, 7)
    expect_kept(page, 1)
    page.evaluate(WRITE, GARBAGE)
    reload(page)
    expect(page.locator("#hand-line")).to_have_text(re.compile("^2 of the drawings .* left out"))
    expect_kept(page, 1)
    tell(page, 3)
    reload(page)
    expect_kept(page, 2)
    expect(page.locator("#hand-line")).to_be_empty()


def test_without_storage_it_works_for_this_visit(browser: Browser, server: Server):
    with browser.new_context() as context:
        context.set_default_timeout(SOON)
        page = context.new_page()
        page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
        arrive(page, server.url)
        tell(page, 7)
        expect(page.locator("#telling")).to_contain_text("Kept as a 7, until you leave this page.")
        tell(page, 3)
        expect(page.locator("#telling")).to_contain_text("Kept as a 3. ")
        open_hand(page)
        expect(page.locator("#hand-summary")).to_contain_text("2 drawings, kept until you leave")
        expect(figures(page)).to_have_count(2)
        reload(page)
        settle(page)
        expect(kept(page)).to_be_hidden()


# ---------------------------------------------------------------- the guided round


def test_a_round_asks_for_one_digit_after_the_other(page: Page):
    tell(page, 0)
    open_hand(page)
    pad = page.locator("#pad")
    page.locator("#hand-round").press("Enter")
    expect(page.locator("#hand-view")).to_be_hidden()
    expect(pad).to_be_focused()
    expect(page.locator(".hint")).to_have_text("Write a 1")
    expect(page.locator("#pad-round")).to_contain_text("Write a 1 (2 of 50)")
    expect(page.locator("#round-next")).to_be_disabled()
    draw(page, NUMBERS["11"])  # in two parts, and one digit nonetheless
    page.locator("#round-next").press("Enter")
    expect(pad).to_be_focused()
    expect(page.locator(".hint")).to_have_text("Write a 2")
    draw(page, hand_of(2))
    page.keyboard.press("Enter")
    expect(page.locator(".hint")).to_have_text("Write a 3")
    page.keyboard.press("Control+z")  # once more
    expect(page.locator("#pad-round")).to_contain_text("Write a 2 (3 of 50)")
    page.locator("#round-leave").press("Enter")
    expect(pad).to_be_focused()
    expect(page.locator("#pad-round")).to_be_hidden()
    expect(page.locator("#pad-examples")).to_be_visible()
    open_hand(page)
    expect(page.locator("#hand-examples h3")).to_have_text(["0", "1"])


def test_the_end_of_a_round_shows_the_hand(page: Page, tmp_path: Path):
    file = tmp_path / "all.jsonl"
    lines = [
        json.dumps({"label": digit, "strokes": hand_of(digit, seed)})
        for digit in range(10)
        for seed in range(5)
    ]
    file.write_text("\n".join(lines[:-1]))
    draw(page, EXAMPLES[1])
    open_hand(page)
    page.locator("#hand-file").set_input_files(file)
    expect_kept(page, 49)
    page.locator("#hand-round").click()
    expect(page.locator("#pad-round")).to_contain_text("Write a 9 (50 of 50)")
    draw(page, hand_of(9, 4))
    page.locator("#round-next").click()
    expect(page.locator("#hand-view")).to_be_visible()
    expect(page.locator("#hand-round")).to_have_text("Write five more of each digit")
    page.keyboard.press("Escape")
    expect(page.locator("#pad-round")).to_be_hidden()


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


@pytest.mark.parametrize(
    "sentence", ["A training run is under way: wait for its end.", "The password is wrong."]
)
def test_the_page_says_why_a_teaching_is_refused(page: Page, sentence: str):
    tell(page, 7)
    answer_calls(page, teach=lambda data: {"error": sentence})
    open_hand(page)
    page.locator("#hand-start").click()
    expect(page.locator("#hand-notice")).to_have_text(sentence)
    expect(page.locator("#hand-start")).to_be_visible()


@contextmanager
def served(browser: Browser, folder: Path, training: str) -> Iterator[Page]:
    """The page of a server whose owner has rules about training."""
    folders = {"LENET_CHECKPOINTS": str(folder), "LENET_DATA": str(folder)}
    rules = {"LENET_TRAINING": training, "LENET_PASSWORD": "open sesame"}
    with serving(folder / "log", folders | rules) as url, browser.new_context() as context:
        context.set_default_timeout(SOON)
        page = context.new_page()
        arrive(page, url)
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
    expect(result).to_contain_text("of MNIST's test images; before, 99.48%")
    expect(page.locator("#hand-examples .wrong")).to_have_count(0)
    page.keyboard.press("Escape")
    expect_answer(page, "7")  # the seventh
    secret = page.locator("#download").get_attribute("href")
    assert re.fullmatch(r"checkpoints/hand-mnist-\d{8}-\d{6}-[0-9a-f]{32}\.pt", secret)
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
