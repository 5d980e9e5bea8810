"""A visitor's drawings in a real Chromium: kept, deleted, downloaded, and asked for in a round."""

import json
import re
from pathlib import Path

from browsing import arrive, draw, reload, settle
from drawings import EXAMPLES, NUMBERS
from labelling import expect_kept, figures, hand_of, kept, open_hand, tell
from playwright.sync_api import Browser, Page, expect
from support import SOON, Server

from lenet.drawings import read_drawings, read_others

GARBAGE = [{"id": "a"}, {"id": "b", "label": 12, "strokes": [[[0, 0]]], "made": 1}]


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


def test_a_bad_file_says_why_and_changes_nothing(page: Page, tmp_path: Path):
    tell(page, 7)
    open_hand(page)
    for name, (content, sentence) in BAD_FILES.items():
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
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
    url = page.url
    page.goto(f"{url}health")  # the same origin, without a page that would read and mend it at once
    page.evaluate(WRITE, GARBAGE)
    arrive(page, url)
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
