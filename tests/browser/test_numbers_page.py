"""Numbers on the pad in a real Chromium: drawn with a mouse or a finger, read, inspected."""

import pytest
from browsing import (
    boxes,
    draw,
    expect_answer,
    sent_strokes,
    settle,
    touch,
    until,
)
from drawings import EXAMPLES, NUMBERS, SMILEY, at
from playwright.sync_api import Page, expect
from support import pixels

from lenet.preprocess import resize_frames, strokes_to_frame


def expect_digits(page: Page, number: str) -> None:
    """There is a box for each digit, and none around a single one."""
    expect(boxes(page)).to_have_text(list(number) if len(number) > 1 else [])


# ---------------------------------------------------------------- reading


def test_numbers_drawn_with_the_mouse_are_read(page: Page):
    for number, strokes in NUMBERS.items():
        draw(page, strokes)
        digits, *_ = number.split()
        expect_answer(page, digits)
        expect_digits(page, digits)
        page.locator("#pad-clear").click()
        expect_answer(page, "")


def test_numbers_drawn_with_a_finger_are_read(phone: Page):
    for number in ("2026", "47"):
        touch(phone, NUMBERS[number])
        expect_answer(phone, number)
        expect_digits(phone, number)
        phone.locator("#pad-clear").tap()
        expect_answer(phone, "")


LETTER_A = [[(0.2, 1), (0.5, 0), (0.8, 1)], [(0.32, 0.6), (0.68, 0.6)]]


def test_what_is_no_digit_is_no_number(page: Page):
    doubt = page.locator("#doubt")
    for sign in (SMILEY, LETTER_A):
        draw(page, sign)
        expect(doubt).to_contain_text("does not look like a digit")
        expect_answer(page, "")
        expect_digits(page, "")
        page.locator("#pad-clear").click()
        expect(doubt).to_be_empty()


def test_a_second_digit_makes_a_number_and_undo_takes_it_back(page: Page):
    draw(page, at(EXAMPLES[3], 0))
    expect_answer(page, "3")
    expect_digits(page, "3")
    draw(page, at(EXAMPLES[2], 0.55))
    expect_answer(page, "32")
    expect_digits(page, "32")
    page.locator("#pad-undo").click()
    expect_answer(page, "3")
    expect_digits(page, "3")


def test_an_example_takes_the_place_of_a_number(page: Page):
    draw(page, NUMBERS["11"])
    expect_digits(page, "11")
    page.get_by_role("button", name="Draw an example 7").click()
    expect_answer(page, "7")
    expect_digits(page, "7")


def test_a_long_number_moves_nothing(page: Page):
    small = [
        at(EXAMPLES[int(digit)], -0.6 + 0.31 * i, width=0.26, height=0.3)
        for i, digit in enumerate("1234567")
    ]
    widths = (1280, 390, 320)

    def box(part: str, width: int) -> dict[str, float]:
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        return page.locator(part).bounding_box()

    draw(page, at(EXAMPLES[3], 0))
    expect_answer(page, "3")
    before = [box("#probabilities", width) for width in widths]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("#pad-clear").click()
    draw(page, [stroke for digit in small for stroke in digit])
    expect_answer(page, "1234567")
    for width, place in zip(widths, before, strict=True):
        assert box("#probabilities", width) == place
        answer, seen = (box(part, width) for part in ("#answer", "#seen"))
        assert answer["x"] + answer["width"] <= seen["x"], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# ---------------------------------------------------------------- one digit of a number


def best(page: Page):
    return page.locator("#probabilities .best b")


def test_the_digit_drawn_last_is_looked_at_and_a_pressed_one_instead(page: Page):
    sent = sent_strokes(page)
    draw(page, NUMBERS["47"])
    expect_digits(page, "47")
    expect(best(page)).to_have_text("7")
    expect(boxes(page).nth(1)).to_have_attribute("aria-pressed", "true")
    boxes(page).nth(0).click()
    expect(best(page)).to_have_text("4")
    expect(boxes(page).nth(0)).to_have_attribute("aria-pressed", "true")
    expect(boxes(page).nth(1)).to_have_attribute("aria-pressed", "false")
    expected = resize_frames(strokes_to_frame(sent[-1][:2])[None])[0, 0]
    until(page, lambda: _near(pixels(page, "#seen")[0], expected.flatten().tolist()))
    expect_answer(page, "47")
    boxes(page).nth(1).press("Enter")
    expect(best(page)).to_have_text("7")


def _near(shown: list[int], expected: list[int]) -> bool:
    """Points of a number are thinned digit by digit, which changes the ink a little."""
    return max(abs(a - b) for a, b in zip(shown, expected, strict=True)) < 40


def test_a_press_draws_no_dot_and_a_stroke_goes_through_boxes(page: Page):
    sent = sent_strokes(page)
    draw(page, NUMBERS["11"])
    expect_digits(page, "11")
    boxes(page).nth(0).click()
    settle(page)
    assert len(sent[-1]) == 2
    left, right = (box.bounding_box() for box in boxes(page).all())
    page.mouse.move(left["x"] + 3, left["y"] + 60)
    page.mouse.down()
    page.mouse.move(right["x"] + right["width"] - 3, right["y"] + 60, steps=10)
    page.mouse.up()
    until(page, lambda: len(sent[-1]) == 3)
    settle(page)
    (x0, _), *_, (x1, _) = sent[-1][2]
    share = 1400 / page.locator("#pad").bounding_box()["width"]
    reach = right["x"] + right["width"] - 3 - left["x"] - 3
    assert x1 - x0 == pytest.approx(reach * share, abs=3)


def test_a_finger_presses_a_box(phone: Page):
    touch(phone, NUMBERS["47"])
    expect_digits(phone, "47")
    boxes(phone).nth(0).tap()
    expect(best(phone)).to_have_text("4")
    expect_digits(phone, "47")


def test_the_inside_view_is_of_the_digit_that_is_looked_at(page: Page):
    page.locator("#inside summary").click()
    draw(page, NUMBERS["47"])
    expect_digits(page, "47")
    why = page.locator('#inside figure:has([data-layer="why"])')
    expect(why).to_have_text("Why 7?")
    boxes(page).nth(0).click()
    expect(why).to_have_text("Why 4?")
    chosen = page.locator("#lattice .chosen b")
    expect(chosen).to_have_text(["4", "7"])
    assert page.locator("#lattice li").count() > 2
    until(page, lambda: pixels(page, '#inside [data-layer="input"]') == pixels(page, "#seen"))
    page.locator("#pad-undo").click()  # the bar of the 7
    page.locator("#pad-undo").click()
    expect_answer(page, "4")
    expect(page.locator("#lattice")).to_be_hidden()
