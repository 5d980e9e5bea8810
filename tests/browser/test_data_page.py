"""The Data tab in a real Chromium: the images, labels and numbers are those of the data set."""

import base64
from collections.abc import Iterator

import pytest
import torch
from browsing import an, answered, settle, until
from playwright.sync_api import Page, Route, expect
from support import pixels, small_set

from lenet.augment import random_affine, vary_frames
from lenet.data import DataSet, Digits
from lenet.preprocess import MEAN, STD
from lenet.ui.data.tab import browse_digits, describe_data, loading_progress, vary_digit

TRAIN, TEST = small_set().train, small_set().test


@pytest.fixture
def data(small_page: Page) -> Iterator[Page]:
    """The page with the Data tab open and the small set of synthetic digits chosen."""
    open_synthetic(small_page)
    yield small_page


def open_synthetic(page: Page) -> None:
    page.get_by_role("tab", name="Data").click()
    page.locator("#data-set").get_by_text("Synthetic digits").click()
    expect(page.locator("#data-images figure")).to_have_count(9)


def expect_images(page: Page, digits: Digits, indices: list[int]) -> None:
    """The page shows these images: labels, numbers and every pixel."""
    captions = [f"{int(digits.labels[i])}\nno. {i}" for i in indices]
    expect(page.locator("#data-images figcaption")).to_have_text(
        [caption.replace("\n", "") for caption in captions]
    )
    assert pixels(page, "#data-images canvas") == digits.frames[indices].flatten(1).tolist()


def pick(page: Page, group: str, name: str) -> None:
    page.locator(group).get_by_role("button", name=name, exact=True).click()


# ---------------------------------------------------------------- browsing


def test_the_first_view_shows_nine_training_images(data: Page):
    expect_images(data, TRAIN, list(range(9)))
    expect(data.locator("#data-position")).to_have_text("1 to 9 of 40 training images")
    expect(data.locator("#data-previous")).to_be_disabled()


def test_the_facts_of_the_lesson(data: Page):
    expect(data.locator("#data-facts dd")).to_have_text(["40", "60", "40×1×32×32", "40"])


def test_on_to_the_end_and_back(data: Page):
    for start in range(9, 40, 9):
        pick(data, "#data", "Next nine")
        expect_images(data, TRAIN, list(range(start, min(start + 9, 40))))
    expect(data.locator("#data-next")).to_be_disabled()
    pick(data, "#data", "Previous nine")
    expect_images(data, TRAIN, list(range(27, 36)))


def test_one_digit_of_the_test_images(data: Page):
    pick(data, "#data-half", "Test")
    expect_images(data, TEST, list(range(9)))
    pick(data, "#data-digit", "Only images of a 7")
    sevens = [i for i, label in enumerate(TEST.labels.tolist()) if label == 7]
    expect_images(data, TEST, sevens[:9])
    expect(data.locator("#data-position")).to_contain_text(f"of {len(sevens)} test images of a 7")
    pressed = data.locator("#data [aria-pressed=true]")
    expect(pressed).to_have_text(["Test", "7"])


def test_a_jump_to_a_number(data: Page):
    data.locator("#data-number").fill("23")
    data.keyboard.press("Enter")
    expect_images(data, TRAIN, list(range(23, 32)))
    pick(data, "#data", "Previous nine")
    expect_images(data, TRAIN, list(range(14, 23)))


def test_a_jump_goes_to_the_next_image_of_the_digit(data: Page):
    pick(data, "#data-digit", "Only images of a 4")
    fours = [i for i, label in enumerate(TRAIN.labels.tolist()) if label == 4]
    expect_images(data, TRAIN, fours[:9])
    data.locator("#data-number").fill(str(fours[0] + 1))
    data.keyboard.press("Enter")
    expect_images(data, TRAIN, fours[1:10])


def test_a_number_that_is_too_large_never_leaves_the_page(data: Page):
    asked = []
    data.on("request", lambda r: asked.append(r) if "browse_digits" in (r.post_data or "") else 0)
    data.locator("#data-number").fill("40")
    data.keyboard.press("Enter")
    pick(data, "#data", "Next nine")
    expect_images(data, TRAIN, list(range(9, 18)))
    assert len(asked) == 1


def test_a_late_answer_does_not_replace_a_newer_one(data: Page):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if "browse_digits" in route.request.post_data else route.continue_()

    data.route("**/component_server/", hold)
    pick(data, "#data", "Next nine")
    pick(data, "#data-half", "Test")
    until(data, lambda: len(held) == 2)
    held[1].continue_()
    expect_images(data, TEST, list(range(9)))
    with answered(data, "browse_digits"):
        held[0].continue_()
    expect_images(data, TEST, list(range(9)))


def test_the_means(data: Page):
    expected = []
    for digit in range(10):
        own = [TRAIN.frames[i].double() for i in range(40) if TRAIN.labels[i] == digit]
        expected.append(torch.stack(own).mean(0).round().flatten().int().tolist())
    shown = pixels(data, "#data-means canvas")
    assert len(shown) == 10
    for mean, drawn in zip(expected, shown, strict=True):
        assert drawn == pytest.approx(mean, abs=1)  # at a half, either way of rounding
    counts = [f"{digit}{TRAIN.labels.tolist().count(digit)}" for digit in range(10)]
    expect(data.locator("#data-means figcaption")).to_have_text(counts)


# ---------------------------------------------------------------- one image


def variations(frame: torch.Tensor, seed: int) -> list[list[int]]:
    maps = random_affine(12, torch.Generator().manual_seed(seed))
    inputs = vary_frames(frame.repeat(12, 1, 1), maps)
    return (255 * (inputs * STD + MEAN)).round().int().flatten(1).tolist()


def test_an_image_is_shown_large_with_a_dozen_variations(data: Page):
    data.locator("#data-images button").nth(5).click()
    dialog = data.get_by_role("dialog")
    expect(dialog.locator("h3")).to_have_text(f"Training image 5, {an(int(TRAIN.labels[5]))}")
    expect(dialog.locator(".variations canvas")).to_have_count(12)
    assert pixels(data, "dialog[open] .content > canvas") == [TRAIN.frames[5].flatten().tolist()]
    first = pixels(data, "dialog[open] .variations canvas")
    assert first == variations(TRAIN.frames[5], 0)
    expect(dialog).to_contain_text("turned by up to 9° to the left or 15° to the right")
    expect(dialog).to_contain_text("changed by up to 15%")
    expect(dialog).to_contain_text("moved by up to 2 pixels")

    dialog.get_by_role("button", name="Twelve others").click()
    data.wait_for_function(
        """(old) => document.querySelector("dialog[open] .variations canvas")
            .getContext("2d").getImageData(0, 0, 32, 32).data.filter((_, i) => i % 4 == 0)
            .join() != old""",
        arg=",".join(map(str, first[0])),
    )
    assert pixels(data, "dialog[open] .variations canvas") == variations(TRAIN.frames[5], 1)
    data.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_an_image_is_put_on_the_pad(data: Page):
    data.evaluate("document.addEventListener('lenet:open', (e) => (window.opened = e.detail))")
    data.locator("#data-images button").nth(3).click()
    data.get_by_role("button", name="Look inside").click()
    expect(data.locator("#pad")).to_be_visible()
    assert list(base64.b64decode(data.evaluate("opened"))) == TRAIN.frames[3].flatten().tolist()
    expect(data.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("device", ["small_page", "small_phone"])
def test_look_inside_brings_the_pad_and_the_view_into_sight(
    device: str, request: pytest.FixtureRequest
):
    page: Page = request.getfixturevalue(device)
    open_synthetic(page)
    page.locator("#data-images button").last.click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("#pad")).to_be_in_viewport(ratio=0.5)
    expect(page.locator("#inside canvas[data-layer=frame]")).to_be_in_viewport()


# ---------------------------------------------------------------- what cannot be loaded


def test_a_data_set_that_cannot_be_loaded_shows_one_sentence(small_page: Page):
    small_page.get_by_role("tab", name="Data").click()
    error = small_page.locator("#data .error").first
    expect(error).to_have_text("MNIST could not be loaded: there is <no> mirror.")
    expect(small_page.locator("#data-images")).to_be_hidden()
    open_synthetic(small_page)
    expect(error).to_be_hidden()


WHAT = {"data": "synthetic", "half": "train"}
NINE = {**WHAT, "digit": -1, "at": 0, "step": 0}


@pytest.mark.parametrize(
    "function, request_",
    [
        (describe_data, None),
        (describe_data, [1]),
        (describe_data, {}),
        (describe_data, {"data": "../mnist"}),
        (describe_data, {"data": ["synthetic"]}),
        (loading_progress, {"data": 1}),
        (browse_digits, {**NINE, "half": "all"}),
        (browse_digits, {**NINE, "digit": 10}),
        (browse_digits, {**NINE, "digit": True}),
        (browse_digits, {**NINE, "at": -1}),
        (browse_digits, {**NINE, "at": 1e3}),
        (browse_digits, {**NINE, "at": 1 << 80}),
        (browse_digits, {**NINE, "step": "1"}),
        (vary_digit, {**WHAT, "index": 40, "seed": 0}),
        (vary_digit, {**WHAT, "index": 0}),
    ],
)
def test_a_malformed_request_gets_one_sentence(small_server, function, request_):
    answer = function(request_)
    assert list(answer) == ["error"]
    assert answer["error"].startswith("The request") and answer["error"].endswith(".")


# ---------------------------------------------------------------- the page


def test_nothing_is_loaded_before_the_tab_is_opened(small_page: Page):
    calls = []
    small_page.on("request", lambda r: calls.append(r.url) if "component_server" in r.url else 0)
    small_page.reload()
    small_page.wait_for_selector("#pad-examples button")
    settle(small_page)
    assert not calls
    open_synthetic(small_page)
    assert calls


def test_it_fits_on_a_phone(small_phone: Page):
    open_synthetic(small_phone)
    assert small_phone.evaluate("document.documentElement.scrollWidth") <= 390
    small_phone.locator("#data-images button").first.click()
    expect(small_phone.locator(".variations canvas")).to_have_count(12)
    box = small_phone.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_the_tutorials_nine(mnist: DataSet, page: Page):
    page.get_by_role("tab", name="Data").click()
    expect_images(page, mnist.train, list(range(9)))
    expect(page.locator("#data-facts dd")).to_have_text(["60,000", "10,000", "64×1×32×32", "64"])
