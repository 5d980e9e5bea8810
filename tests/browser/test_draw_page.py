"""The pad in a real Chromium: drawn on with a mouse, a finger and the keyboard, undone, cleared."""

import re

import pytest
from browsing import (
    draw,
    expect_answer,
    has_ink,
    open_frame,
    sent_strokes,
    settle,
    strokes_in,
    to_screen,
    until,
)
from drawings import EXAMPLES
from playwright.sync_api import Browser, Page, Route, expect
from support import SOON

from lenet.preprocess import strokes_to_frame
from lenet.synthetic import example_strokes

# ---------------------------------------------------------------- drawing


def test_digits_drawn_with_the_mouse_are_read(page: Page):
    for digit in (1, 4, 7, 8):
        expect_answer(page, "")
        draw(page, EXAMPLES[digit])
        expect_answer(page, str(digit))
        best = page.locator("#probabilities li").nth(digit)
        assert int(re.search(r"(\d+)%", best.inner_text())[1]) >= 40, digit
        page.click("#pad-clear")


def test_the_answer_follows_the_pen(page: Page):
    (x, y), *rest = to_screen(page, EXAMPLES[7])[0]
    page.mouse.move(x, y)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point)
    expect(page.locator("#answer")).not_to_be_empty()  # the pen is still down


def test_a_finger_draws_and_a_second_one_does_no_harm(phone: Page):
    assert phone.evaluate("document.documentElement.scrollHeight > innerHeight")
    sent = sent_strokes(phone)
    (stroke,) = to_screen(phone, [[(0.5, i / 20) for i in range(21)]])
    touch = phone.context.new_cdp_session(phone)

    def dispatch(kind: str, *points) -> None:
        fingers = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    dispatch("touchStart", stroke[0])
    for i, (x, y) in enumerate(stroke[1:]):
        dispatch("touchStart" if i == 5 else "touchMove", (x, y), *[(x + 90, 2 * y / 3)] * (i >= 5))
    dispatch("touchEnd")
    until(phone, lambda: sent and len(sent[-1][0]) == len(stroke))
    expect_answer(phone, "1")
    (drawn,) = sent[-1]
    assert {x for x, _ in drawn} == {drawn[0][0]}
    assert phone.evaluate("scrollY") == 0


def test_a_tap_is_a_dot_even_when_it_trembles(page: Page):
    sent = sent_strokes(page)
    x, y = to_screen(page, [[(0.5, 0.5)]])[0][0]
    page.mouse.move(x, y)
    page.mouse.down()
    for dx in (1, -1, 0):
        page.mouse.move(x + dx, y)
    page.mouse.up()
    expect(page.locator("#doubt")).to_contain_text("does not look like a digit")
    ((dot,),) = sent[-1]
    assert dot == pytest.approx([700, 500], abs=3)


def test_a_stroke_goes_on_after_it_left_the_pad(page: Page):
    sent = sent_strokes(page)
    draw(page, [[(0.5, 0.2), (0.5, -2.0), (0.9, -2.0), (0.9, 0.5)]])
    until(page, lambda: sent and len(sent[-1][0]) == 4)
    (stroke,) = sent[-1]
    assert all(0 <= x <= 1400 and 0 <= y <= 1000 for x, y in stroke)


def test_only_the_primary_button_draws(page: Page):
    sent = sent_strokes(page)
    page.locator("#pad").click(button="right")
    page.locator("#pad").click(button="middle")
    expect(page.locator(".hint")).to_be_visible()
    page.locator("#pad").click()
    until(page, lambda: sent)
    assert len(sent[0]) == 1


def test_there_is_a_title_and_a_hint_that_goes_with_the_first_stroke(page: Page):
    assert page.title() == "LeNet, live"
    expect(page.locator(".hint")).to_be_visible()
    page.locator("#pad").click()
    expect(page.locator(".hint")).to_be_hidden()


def test_the_drawing_survives_another_size_of_the_window(page: Page):
    draw(page, EXAMPLES[4])
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#pad').width < 400")
    assert has_ink(page, 300)
    assert page.evaluate("const pad = document.querySelector('#pad'); pad.width == pad.clientWidth")


def test_it_is_sharp_on_a_dense_screen(phone: Page):
    pad = "document.querySelector('#pad')"
    assert phone.evaluate(f"{pad}.width == Math.round({pad}.clientWidth * 3)")


def test_what_is_drawn_before_the_page_has_loaded_is_read(browser: Browser, server):
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(SOON)
        held: list[Route] = []
        page.route("**/assets/index-*.js", lambda route: held.append(route))
        page.goto(server.url, wait_until="commit")
        early = page.locator("#early canvas")
        expect(early).to_be_visible()
        until(page, lambda: held)
        place = early.bounding_box()
        answer = page.locator("#early output")
        strokes = [
            [(place["x"] + 200 + 150 * x, place["y"] + 100 + 200 * y) for x, y in stroke]
            for stroke in EXAMPLES[4]
        ]
        for stroke in strokes:
            page.mouse.move(*stroke[0])
            page.mouse.down()
            for point in stroke[1:]:
                page.mouse.move(*point)
            if stroke is not strokes[-1]:
                page.mouse.up()
        expect(answer).to_have_text("4")
        at = answer.bounding_box()
        held[0].continue_()
        page.wait_for_selector("#pad-examples button")
        expect(early).to_be_visible()  # its pen is still down
        page.mouse.up()
        expect(early).to_be_hidden()
        expect_answer(page, "4")
        assert page.locator("#pad").bounding_box() == place
        assert page.locator("#answer").bounding_box()["x"] == at["x"]
        for _ in strokes:
            page.click("#pad-undo")
        expect_answer(page, "")


def test_the_visitor_s_own_network_reads_before_the_page_has_loaded(page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    page.route("**/assets/index-*.js", lambda route: None)  # from here on the early pad is alone
    page.reload(wait_until="commit")
    expect(page.locator("#early output")).to_have_text("4")
    page.evaluate(
        """() => new Promise((done) => {
             indexedDB.open("lenet-hand", 1).onsuccess = ({ target: { result } }) => {
               const change = result.transaction("state", "readwrite");
               change.objectStore("state").put("hand-mine.pt", "chosen");
               change.oncomplete = done;
             };
           })"""
    )
    with page.expect_request(strokes_in) as asked:
        page.reload(wait_until="commit")
    data = asked.value.post_data_json["data"]
    assert data["checkpoint"] == "hand-mine.pt"
    assert len(data["strokes"]) == len(EXAMPLES[4])


def test_a_stroke_is_whole_that_is_drawn_while_the_browser_is_busy(browser: Browser, server):
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(SOON)
        page.route("**/assets/index-*.js", lambda route: None)
        page.goto(server.url, wait_until="commit")
        pad = page.locator("#early canvas")
        expect(pad).to_be_visible()
        place = pad.bounding_box()
        page.mouse.move(place["x"] + 200, place["y"] + 120)
        page.mouse.down()
        # A browser that was busy tells of the moves of a 7 in one event.
        page.evaluate(
            """([x, y]) => {
                 const move = (right, down) => new PointerEvent(
                   "pointermove", { pointerId: 1, clientX: x + right, clientY: y + down });
                 const event = move(300, 330);
                 event.getCoalescedEvents = () => [move(290, 120), move(380, 120), event];
                 document.querySelector("#early canvas").dispatchEvent(event);
               }""",
            [place["x"], place["y"]],
        )
        page.mouse.up()
        expect(page.locator("#early output")).to_have_text("7")


# ---------------------------------------------------------------- the keyboard


def test_the_keyboard_draws(page: Page):
    pen = page.locator("#pad-pen")
    keys = page.keyboard

    def press(key: str, times: int) -> None:
        for _ in range(times):
            keys.press(key)

    until(page, lambda: keys.press("Tab") or page.evaluate("document.activeElement.id") == "pad")
    expect(pen).to_be_visible()
    expect(pen).to_have_text("The pen is up.")
    press("ArrowUp", 7)
    press("ArrowLeft", 5)
    keys.press("Space")
    expect(pen).to_have_text("The pen is down.")
    press("ArrowRight", 9)
    keys.down("ArrowLeft")
    press("ArrowDown", 4)
    keys.up("ArrowLeft")
    press("ArrowDown", 9)
    press("Shift+ArrowDown", 3)
    expect_answer(page, "7")
    keys.press("Space")
    expect(pen).to_have_text("The pen is up.")
    keys.press("Control+z")
    expect_answer(page, "")
    draw(page, EXAMPLES[3])  # a mouse takes the place of the keyboard's pen
    expect(pen).to_be_hidden()
    expect_answer(page, "3")
    keys.press("Delete")
    expect_answer(page, "")


def test_tab_closes_a_list(page: Page):
    page.locator("#checkpoint input").focus()
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()
    settle(page)
    expect(page.get_by_role("listbox")).to_be_hidden()


# ---------------------------------------------------------------- undo, clear, examples


def test_undo_takes_back_the_last_stroke(page: Page):
    sent = sent_strokes(page)
    for keys in ((), ("Control+z", "Control+Z")):  # the button; the keys, once with Caps Lock
        draw(page, [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]])
        until(page, lambda: sent and sum(map(len, sent[-1])) == 4)
        page.keyboard.press(keys[0]) if keys else page.click("#pad-undo")
        until(page, lambda: len(sent[-1]) == 1)
        expect_answer(page, "1")
        page.keyboard.press(keys[1]) if keys else page.click("#pad-undo")
        expect_answer(page, "")
        page.click("#pad-undo")  # nothing is left: no harm
        expect(page.locator(".hint")).to_be_visible()


def test_clear_leaves_nothing(page: Page):
    for clear in (lambda: page.click("#pad-clear"), lambda: page.keyboard.press("Delete")):
        draw(page, EXAMPLES[4])
        expect_answer(page, "4")
        clear()
        expect_answer(page, "")
        expect(page.locator(".hint")).to_be_visible()
        assert "%" not in page.inner_text("#probabilities")
        assert not has_ink(page, 900)


@pytest.mark.parametrize("replacement", ["nothing", "an example", "a picture"])
def test_undo_brings_back_what_was_replaced(page: Page, replacement: str):
    sent = sent_strokes(page)
    draw(page, EXAMPLES[4])
    until(page, lambda: sent and sum(map(len, sent[-1])) == sum(map(len, EXAMPLES[4])))
    drawn = sent[-1]
    expect_answer(page, "4")
    for undo in (lambda: page.click("#pad-undo"), lambda: page.keyboard.press("Control+z")):
        if replacement == "nothing":
            page.click("#pad-clear")
            expect_answer(page, "")
        elif replacement == "an example":
            page.get_by_role("button", name="Draw an example 7").click()
            expect_answer(page, "7")
        else:
            open_frame(page, strokes_to_frame(EXAMPLES[7]))
            expect_answer(page, "7")
        undo()
        expect_answer(page, "4")
        until(page, lambda: sent[-1] == drawn)


def test_keys_on_another_control_keep_the_drawing(page: Page):
    page.locator("#inside summary").click()
    draw(page, EXAMPLES[4])
    expect(page.locator("#inside-body")).to_be_visible()
    for control in ("#inside figure >> nth=1", "#inside summary", "#download"):
        page.locator(control).focus()
        for key in ("Delete", "Backspace"):
            page.keyboard.press(key)
            settle(page)
            expect(page.locator(".hint")).to_be_hidden()
            expect_answer(page, "4")


def test_keys_do_nothing_in_a_field_or_under_another_tab(page: Page):
    sent = sent_strokes(page)
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    page.locator("#checkpoint input").focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.locator("#checkpoint input").blur()
    page.evaluate("document.querySelector('#draw').style.display = 'none'")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.evaluate("document.querySelector('#draw').style.display = ''")
    expect_answer(page, "4")
    expect(page.locator(".hint")).to_be_hidden()
    page.locator("#pad").click()
    until(page, lambda: len(sent[-1]) == len(EXAMPLES[4]) + 1)


def test_an_example_is_drawn_with_one_click_and_read(page: Page):
    sent = sent_strokes(page)
    draw(page, EXAMPLES[4])  # it goes
    for digit in (3, 8):
        points = sum(map(len, example_strokes()[digit]))
        page.get_by_role("button", name=f"Draw an example {digit}").click()
        until(page, lambda points=points: sent and sum(map(len, sent[-1])) == points)
        expect_answer(page, str(digit))
        assert all(350 <= x <= 1050 and 150 <= y <= 850 for stroke in sent[-1] for x, y in stroke)


def test_an_example_is_drawn_to_its_end_though_another_question_is_asked_meanwhile(page: Page):
    sent = sent_strokes(page)
    page.evaluate(
        """() => {
            document.querySelector("#pad-examples button:nth-of-type(9)").click();
            setTimeout(() => document.querySelector("#inside").open = true, 50);
        }"""
    )
    until(page, lambda: sent and sum(map(len, sent[-1])) == sum(map(len, example_strokes()[8])))
    expect_answer(page, "8")
