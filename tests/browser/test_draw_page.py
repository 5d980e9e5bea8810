"""The Draw tab in a real Chromium: what a visitor does, and what the page says."""

import base64
import io
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from browsing import (
    answered,
    choose,
    draw,
    expect_answer,
    open_frame,
    sent_strokes,
    settle,
    to_screen,
    until,
)
from drawings import EXAMPLES
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, Route, expect
from support import SOON, pixels

from lenet import LeNet
from lenet.checkpoint import SHIPPED, Checkpoint, read, write
from lenet.preprocess import MAX_POINTS, MAX_STROKES, resize_frames, strokes_to_frame
from lenet.synthetic import example_strokes

CALL = "**/component_server/"


def hold_calls(page: Page) -> list[Route]:
    """Keep every call from here on waiting until the test lets it go."""
    held = []
    page.route(CALL, lambda route: held.append(route))
    return held


def has_ink(page: Page, side: int) -> bool:
    """Whether something is drawn in the upper left square of the pad with this side, in pixels."""
    return page.evaluate(
        """(side) => document.querySelector("#pad").getContext("2d")
            .getImageData(0, 0, side, side).data.some((value) => value > 0)""",
        side,
    )


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


def test_the_hint_goes_with_the_first_stroke(page: Page):
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
        held[0].continue_()
        page.wait_for_selector("#pad-examples button")
        expect(early).to_be_visible()  # its pen is still down
        page.mouse.up()
        expect(early).to_be_hidden()
        expect_answer(page, "4")
        assert page.locator("#pad").bounding_box() == place
        for _ in strokes:
            page.click("#pad-undo")
        expect_answer(page, "")


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


# ---------------------------------------------------------------- the answer


def test_an_answer_is_written_only_when_it_changes(unsure, page: Page):
    choose(page, "#checkpoint", unsure.name)  # so that the doubt is written too
    page.evaluate(
        """() => {
            window.written = { answer: [""], doubt: [""] };
            for (const id of ["answer", "doubt"])
                new MutationObserver((records) => {
                    for (const { addedNodes } of records)
                        written[id].push(addedNodes[0]?.data ?? "");
                }).observe(document.getElementById(id), { childList: true });
        }"""
    )
    draw(page, EXAMPLES[9])
    expect(page.locator("#doubt")).not_to_be_empty()
    page.locator("#pad-clear").click()
    expect_answer(page, "")
    for texts in page.evaluate("Object.values(written)"):
        assert len(texts) > 2
        assert all(text != following for text, following in pairwise(texts)), texts


def test_one_call_at_a_time_and_the_last_state_wins(page: Page):
    held = hold_calls(page)
    draw(page, EXAMPLES[4])
    settle(page)
    assert len(held) == 1
    held[0].continue_()
    until(page, lambda: len(held) == 2)
    held[1].continue_()
    expect_answer(page, "4")
    settle(page)
    assert len(held) == 2


def test_a_late_answer_never_overwrites_a_cleared_pad(page: Page):
    held = hold_calls(page)
    page.locator("#pad").click()
    page.click("#pad-clear")
    with answered(page, "read_drawing"):
        held[0].continue_()
    assert page.inner_text("#answer") == ""
    assert "%" not in page.inner_text("#probabilities")


def test_a_late_answer_is_not_shown_about_the_next_drawing(page: Page):
    held = hold_calls(page)
    draw(page, [[(0.5, 0), (0.5, 1)]])
    page.click("#pad-clear")
    draw(page, EXAMPLES[4])
    held[0].continue_()
    until(page, lambda: len(held) == 2)  # the first answer was looked at
    assert page.inner_text("#answer") == ""
    held[1].continue_()
    expect_answer(page, "4")


def test_the_picture_is_what_the_network_sees(page: Page):
    sent = sent_strokes(page)
    draw(page, EXAMPLES[2])
    until(page, lambda: sent and sum(map(len, sent[-1])) == sum(map(len, EXAMPLES[2])))
    expected = resize_frames(strokes_to_frame(sent[-1])[None]).flatten().tolist()
    until(page, lambda: pixels(page, "#seen") == [expected])
    assert page.locator("#seen").get_attribute("aria-label")


def test_a_server_that_does_not_answer(page: Page, problems: list[str]):
    tries = []
    page.route(CALL, lambda route: tries.append(route.abort()))
    draw(page, EXAMPLES[4])
    expect(page.locator("#pad-message")).to_contain_text("does not answer")
    until(page, lambda: len(tries) > 1)
    page.unroute(CALL)
    expect_answer(page, "4")  # the drawing is sent again without the visitor
    expect(page.locator("#pad-message")).to_be_empty()
    problems.clear()


def test_an_error_is_shown_as_text(page: Page):
    sentence = "Something is <b>wrong</b>."
    page.route(CALL, lambda route: route.fulfill(json={"error": sentence}))
    page.locator("#pad").click()
    expect(page.locator("#pad-message")).to_have_text(sentence)
    expect_answer(page, "")


@pytest.mark.parametrize("limit", ["strokes", "points"])
def test_a_full_pad_says_so_before_the_server_would(page: Page, limit: str):
    sent = sent_strokes(page)
    page.locator("#pad").click()
    page.evaluate(
        """([strokes, points]) => {
            const pad = document.querySelector("#pad");
            const { left, top } = pad.getBoundingClientRect();
            const send = (type, x) => pad.dispatchEvent(new PointerEvent(
                type, { pointerId: 1, button: 0, clientX: left + x, clientY: top + 50 }));
            for (let s = 0; s < strokes; s++) {
                send("pointerdown", 50);
                for (let p = 0; p < points; p++) send("pointermove", 100 + 10 * (p % 2));
                send("pointerup", 100);
            }
        }""",
        [MAX_STROKES + 5, 0] if limit == "strokes" else [1, MAX_POINTS + 5],
    )
    expect(page.locator("#pad-message")).to_contain_text("full")
    if limit == "strokes":
        until(page, lambda: len(sent[-1]) == MAX_STROKES)
    else:
        until(page, lambda: sum(map(len, sent[-1])) == MAX_POINTS)
    expect(page.locator("#doubt")).to_contain_text("nearest: ")
    page.click("#pad-undo")
    expect(page.locator("#pad-message")).to_be_empty()


def kept(page: Page, points: int) -> None:
    """Wait until a drawing of so many points, or a picture of none, is kept for a reload."""
    page.wait_for_function(
        "points => history.state?.drawing?.strokes.flat().length === points", arg=points
    )


def test_a_drawing_survives_a_reload_and_undo_goes_on(page: Page):
    sent = sent_strokes(page)
    draw(page, [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]])
    until(page, lambda: sent and sum(map(len, sent[-1])) == 4)
    drawn = sent[-1]
    kept(page, 4)
    sent.clear()
    page.reload()
    until(page, lambda: sent)
    assert sent == [drawn]
    page.click("#pad-undo")
    until(page, lambda: sent[-1] == drawn[:1])
    expect_answer(page, "1")
    page.click("#pad-clear")
    page.reload()  # at once
    expect(page.locator(".hint")).to_be_visible()


def test_a_picture_survives_a_reload(page: Page):
    open_frame(page, strokes_to_frame(EXAMPLES[7]))
    expect_answer(page, "7")
    kept(page, 0)
    page.reload()
    expect_answer(page, "7")
    page.click("#pad-undo")
    expect_answer(page, "")


# ---------------------------------------------------------------- pictures


def photograph(*digits: int, ink: int = 40, paper: int = 200) -> bytes:
    """Digits with a pen on paper, 900×1200 pixels each; a PNG."""
    image = Image.new("L", (900 * len(digits), 1200), paper)
    for i, digit in enumerate(digits):
        for stroke in EXAMPLES[digit]:
            points = [(900 * i + 250 + 400 * x, 400 + 400 * y) for x, y in stroke]
            ImageDraw.Draw(image).line(points, fill=ink, width=30, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bring(page: Page, way: str, content: bytes) -> None:
    """Paste a picture, or drop it on the pad."""
    page.evaluate(
        """([way, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "digit.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true };
            const event = way === "paste"
                ? new ClipboardEvent("paste", { ...options, clipboardData: data })
                : new DragEvent("drop", { ...options, dataTransfer: data });
            document.querySelector("#pad").dispatchEvent(event);
        }""",
        [way, base64.b64encode(content).decode()],
    )


def test_a_picture_is_framed_shown_and_read(page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    for way in ("paste", "drop"):
        bring(page, way, photograph(7))
        expect_answer(page, "7")
        assert not has_ink(page, 90)  # the paper is gone
        page.click("#pad-undo")
        expect_answer(page, "4")


def test_a_picture_is_chosen_and_a_number_in_it_read(page: Page):
    file = {"name": "42.png", "mimeType": "image/png", "buffer": photograph(7, 2, 3)}
    page.locator("#pad-picture").set_input_files(file)
    expect_answer(page, "723")
    boxes = page.locator("#pad-digits button:visible")
    expect(boxes).to_have_count(3)
    boxes.nth(1).click()
    expect(boxes.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#probabilities li").nth(2)).to_contain_text(re.compile(r"9\d%|100%"))
    page.wait_for_function("history.state?.drawing?.picture")
    page.reload()
    expect_answer(page, "723")
    page.click("#pad-undo")
    expect_answer(page, "")


def test_what_cannot_be_read_leaves_the_drawing(page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    blank = photograph(7, ink=200)
    for content, words in ((b"no picture", "cannot open this picture"), (blank, "shows no ink")):
        bring(page, "paste", content)
        expect(page.locator("#pad-message")).to_contain_text(words)
        expect_answer(page, "4")


def test_a_picture_that_is_pasted_on_another_tab_changes_nothing(page: Page):
    asked = []
    page.on("request", lambda r: asked.append(r) if "frame_picture" in (r.post_data or "") else 0)
    page.get_by_role("tab", name="Data").click()
    expect(page.locator("#pad")).to_be_hidden()
    bring(page, "paste", photograph(7))
    settle(page)
    page.get_by_role("tab", name="Draw").click()
    expect(page.locator(".hint")).to_be_visible()
    assert not asked


# ---------------------------------------------------------------- the network


@pytest.fixture
def unsure(server):
    """A checkpoint that is never sure, in the folder."""
    path = server.checkpoints / "unsure.pt"
    write(Checkpoint(LeNet().state_dict(), sure_above=1.0), path)
    yield path
    path.unlink()


@pytest.fixture
def refusing(server):
    """A checkpoint that takes nothing for a digit, in the folder."""
    path = server.checkpoints / "refusing.pt"
    write(replace(read(SHIPPED), digit_slope=0.0, digit_offset=-1.0), path)
    yield path
    path.unlink()


@pytest.fixture
def broken(server):
    """A file that is no checkpoint, in the folder."""
    path = server.checkpoints / "broken.pt"
    path.write_bytes(b"not a checkpoint")
    yield path
    path.unlink()


def test_another_network_reads_the_drawing_and_is_not_sure(unsure, page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    expect(page.locator("#doubt")).to_be_empty()
    choose(page, "#checkpoint", unsure.name)
    expect(page.locator("#doubt")).to_have_text(re.compile(r"^not sure: \d or \d$"))
    best = page.inner_text("#doubt").split()[2]
    expect_answer(page, best)


def test_what_is_no_digit_is_said_in_one_sentence(refusing, page: Page):
    draw(page, EXAMPLES[4])
    expect_answer(page, "4")
    expect(page.locator("#probabilities .best b")).to_have_text("4")
    choose(page, "#checkpoint", refusing.name)
    sentence = "This does not look like a digit; nearest: 4"
    expect(page.locator("#doubt")).to_have_text(sentence)
    expect_answer(page, "")
    expect(page.locator("#probabilities .best")).to_have_count(0)
    expect(page.locator("#probabilities li").nth(4)).to_contain_text("%")
    page.locator("#pad-clear").click()
    expect(page.locator("#doubt")).to_be_empty()
    (x, y), *rest = to_screen(page, EXAMPLES[7])[0]
    page.mouse.move(x, y)
    with answered(page, "read_drawing"):
        page.mouse.down()
    for point in rest:
        page.mouse.move(*point)
    expect(page.locator("#probabilities li").nth(7)).to_contain_text(re.compile(r"[5-9]\d%|100%"))
    expect(page.locator("#doubt")).to_be_empty()  # the pen is still down
    page.mouse.up()
    expect(page.locator("#doubt")).to_have_text(sentence.replace("4", "7"))
    choose(page, "#checkpoint", "lenet.pt")
    expect_answer(page, "7")
    expect(page.locator("#doubt")).to_be_empty()


def test_a_bad_checkpoint_shows_one_sentence_and_the_network_stays(broken, page: Page):
    for _ in range(2):
        choose(page, "#checkpoint", broken.name)
        expect(page.locator("#pad-message")).to_contain_text("broken.pt was not loaded")
        expect(page.locator("#checkpoint input")).to_have_value("lenet.pt")
        draw(page, EXAMPLES[4])
        expect_answer(page, "4")
        expect(page.locator("#pad-message")).to_be_empty()


def test_a_choice_does_not_wait_for_a_stream_of_answers(unsure, page: Page):
    page.route("**/queue/data?**", lambda route: None)  # Gradio's queue answers through it
    draw(page, EXAMPLES[4])
    choose(page, "#checkpoint", unsure.name)
    expect(page.locator("#doubt")).not_to_be_empty()
    expect(page.locator("#download")).to_have_attribute("href", f"checkpoints/{unsure.name}")


def test_a_network_that_is_deleted_while_it_is_in_use(unsure, page: Page):
    choose(page, "#checkpoint", unsure.name)
    # Slowly: a list of Gradio's fails where its choices change just as it is opened.
    draw(page, example_strokes()[4])
    expect(page.locator("#doubt")).not_to_be_empty()
    content = unsure.read_bytes()
    unsure.unlink()
    page.locator("#pad").click()
    expect(page.locator("#pad-message")).to_contain_text("no longer there")
    choose(page, "#checkpoint", "lenet.pt")
    expect(page.locator("#pad-message")).to_be_empty()
    unsure.write_bytes(content)


# ---------------------------------------------------------------- the page


def test_pad_and_answer_fit_on_a_phone(phone: Page):
    phone.get_by_role("button", name="Draw an example 4").click()
    expect_answer(phone, "4")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.evaluate("scrollTo(0, 0)")
    for part in ("#pad", "#answer", "#seen"):
        box = phone.locator(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844
    small = """[...document.querySelectorAll("input")]
        .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).length"""
    assert phone.evaluate(small) == 0  # iOS would zoom
    again = "(button) => getComputedStyle(button).touchAction"
    assert phone.locator("#pad-undo").evaluate(again) == "manipulation"


def test_pad_and_answer_fit_beside_each_other_on_a_phone_held_sideways(phone: Page):
    phone.set_viewport_size({"width": 667, "height": 375})
    phone.get_by_role("button", name="Draw an example 4").click()
    expect_answer(phone, "4")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 667
    phone.evaluate("scrollTo(0, 0)")
    pad = phone.locator("#pad").bounding_box()
    for part in ("#answer", "#seen", "#probabilities"):
        box = phone.locator(part).bounding_box()
        assert box["x"] >= pad["x"] + pad["width"] and box["x"] + box["width"] <= 667
        assert box["y"] + box["height"] <= 375
    for part in ("#pad", "#pad-undo", "#pad-examples"):
        box = phone.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 375
    before = phone.locator("#pad-undo").bounding_box()
    phone.locator("#pad-clear").click()
    draw(phone, [[(0, 0), (0, 1)], [(1, 0), (1, 1)]])
    expect_answer(phone, "11")
    expect(phone.locator("#tell-one")).to_be_visible()  # two lines below the bars
    assert phone.locator("#pad-undo").bounding_box() == before


# What lies beside the screen, except in what scrolls by itself.
CUT_OFF = """[...document.querySelectorAll("body *")].filter((part) => {
    const { left, right, width, height } = part.getBoundingClientRect();
    if (left > -1 && right < innerWidth + 1 || width < 2 || height < 2) return false;
    if (!part.checkVisibility({ visibilityProperty: true })) return false;
    const scrolls = (outer) => ["auto", "scroll"].includes(getComputedStyle(outer).overflowX);
    for (let outer = part; outer !== document.body; outer = outer.parentElement)
        if (scrolls(outer)) return false;
    return true;
}).map((part) => `${part.tagName} ${part.id}`)"""


def test_nothing_is_cut_off_on_the_smallest_phone(small_phone: Page):
    small_phone.set_viewport_size({"width": 320, "height": 568})
    for tab in ("Train", "Results", "Data", "Lesson", "Draw"):  # none is in a menu
        small_phone.get_by_role("tab", name=tab).tap()
        settle(small_phone)
        assert small_phone.evaluate(CUT_OFF) == [], tab
    small_phone.set_viewport_size({"width": 390, "height": 568})
    small_phone.get_by_role("tab", name="Lesson").tap()
    small_phone.get_by_role("link", name="The network").tap()
    expect(small_phone.locator("#inside canvas[data-layer=conv2]").first).to_be_visible()
    for width in (390, 320):
        small_phone.set_viewport_size({"width": width, "height": 568})
        settle(small_phone)
        assert small_phone.evaluate(CUT_OFF) == [], width


def test_the_title(page: Page):
    assert page.title() == "LeNet, live"
