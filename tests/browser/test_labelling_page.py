"""The labels of a visitor's drawings, in a real Chromium."""

from browsing import boxes, draw, expect_answer, settle, touch
from drawings import NUMBERS
from labelling import bar, expect_kept, figures, hand_of, kept, open_hand
from playwright.sync_api import Page, expect
from support import SOON


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


def test_a_key_labels_what_was_drawn(page: Page):
    keys = {"3": "a 3", "n": "no digit", "-": "no digit"}
    for many, (key, words) in enumerate(keys.items(), 1):
        draw(page, hand_of(3, many))
        expect_answer(page, "3")
        page.keyboard.press(key)
        expect(page.locator("#telling")).to_contain_text(f"Kept as {words}.")
        expect_kept(page, many)


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
