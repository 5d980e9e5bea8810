"""The answer about a drawing, in a real Chromium: when it is asked for, and what it says."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from browsing import (
    answered,
    choose,
    draw,
    expect_answer,
    look_twice,
    open_frame,
    sent_strokes,
    settle,
    to_screen,
    until,
)
from drawings import EXAMPLES
from playwright.sync_api import Page, Route, expect
from support import pixels

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
    assert all(strokes == drawn for strokes in sent)  # the early pad asks, then Gradio's
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
    draw(page, example_strokes()[4])
    expect(page.locator("#doubt")).not_to_be_empty()
    content = unsure.read_bytes()
    unsure.unlink()
    page.locator("#pad").click()
    expect(page.locator("#pad-message")).to_contain_text("no longer there")
    look_twice(page)  # the list has lost it, too
    choose(page, "#checkpoint", "lenet.pt")
    expect(page.locator("#pad-message")).to_be_empty()
    unsure.write_bytes(content)
