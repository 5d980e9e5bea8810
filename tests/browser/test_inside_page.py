"""The inside view in a real Chromium: its numbers beside a forward pass of the test."""

import re
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from browsing import draw, expect_answer, open_frame, read_to_the_end, sent_strokes, until
from drawings import EXAMPLES
from playwright.sync_api import Locator, Page, expect

from lenet import Recognizer
from lenet.insight import activations, attribute
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs, resize_frames, strokes_to_frame
from lenet.synthetic import synthetic_digits

READ_PIXELS = """canvas => Array.from(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)"""


@pytest.fixture(scope="module")
def model() -> LeNet:
    return Recognizer.load().model


def open_view(page: Page) -> None:
    page.locator("#inside summary").click()


def draw_inside(page: Page, digit: int) -> torch.Tensor:
    """Draw a digit with the view open; the frame of what the page sent last, uint8 28×28."""
    sent = sent_strokes(page)
    open_view(page)
    with read_to_the_end(page, EXAMPLES[digit]):
        draw(page, EXAMPLES[digit])
    expect_answer(page, str(digit))
    expect(page.locator("#inside-body")).to_be_visible()
    return strokes_to_frame(sent[-1])


def pixels(page: Page, layer: str, number: int | str = "") -> torch.Tensor:
    """A picture of the view: uint8 height×width×3."""
    canvas = page.locator(f'#inside canvas[data-layer="{layer}"][data-map="{number}"]')
    height, width = canvas.evaluate("c => [c.height, c.width]")
    values = canvas.evaluate(READ_PIXELS)
    return torch.tensor(values, dtype=torch.uint8).view(height, width, 4)[..., :3]


def layers_of(model: LeNet, frame: torch.Tensor) -> dict[str, torch.Tensor]:
    found = {name: v[0] for name, v in activations(model, frames_to_inputs(frame[None])).items()}
    return found | {f"pool{i}": F.max_pool2d(found[f"conv{i}"], 2) for i in (1, 2)}


def point_at(page: Page, layer: str, number: int | str, x: int, y: int) -> str:
    """Point at a pixel of a picture with the mouse; what the view says of it."""
    canvas = page.locator(f'#inside canvas[data-layer="{layer}"][data-map="{number}"]')
    canvas.scroll_into_view_if_needed()
    box, (width, height) = canvas.bounding_box(), canvas.evaluate("c => [c.width, c.height]")
    page.mouse.move(
        box["x"] + (x + 0.5) * box["width"] / width, box["y"] + (y + 0.5) * box["height"] / height
    )
    lens = page.locator("#lens")
    if height > 6:
        expect(lens).to_contain_text(f"Row {y + 1}, column {x + 1}")
    return lens.inner_text().replace("−", "-")


def expect_figure(text: str, pattern: str, value: float) -> None:
    found = re.search(pattern.replace("#", r"(-?\d+\.\d\d)"), text)
    assert found, (pattern, text)
    assert float(found[1]) == pytest.approx(value, abs=0.006 + 0.01 * abs(value))


# ---------------------------------------------------------------- pictures


def test_every_map_is_the_layer_s_own(page: Page, model: LeNet):
    frame = draw_inside(page, 4)
    layers = layers_of(model, frame)
    assert torch.equal(pixels(page, "frame")[..., 0], frame)
    assert torch.equal(pixels(page, "input")[..., 0], resize_frames(frame[None])[0, 0])
    for name, count in {"conv1": 6, "pool1": 6, "conv2": 16, "pool2": 16}.items():
        expected = (255 * layers[name] / layers[name].max()).round()
        for number in range(count):
            shown = pixels(page, name, number)[..., 0]
            assert (shown - expected[number]).abs().max() <= 1.01, (name, number)
    for name, shape in {"fc1": (6, 20), "fc2": (6, 14)}.items():
        expected = (255 * layers[name] / layers[name].max()).round().view(shape)
        assert (pixels(page, name)[..., 0] - expected).abs().max() <= 1.01, name


def test_the_view_follows_the_pen_and_is_empty_with_the_pad(page: Page):
    draw_inside(page, 1)
    before = pixels(page, "conv1", 0)
    page.locator("#pad-clear").click()
    expect(page.locator("#inside-body")).to_be_hidden()
    expect(page.locator("#inside-empty")).to_be_visible()
    draw(page, EXAMPLES[8])
    expect_answer(page, "8")
    expect(page.locator("#inside-body")).to_be_visible()
    until(page, lambda: not torch.equal(pixels(page, "conv1", 0), before))


def test_a_closed_view_asks_for_nothing(page: Page):
    asked = []
    page.on("request", lambda r: asked.append(r.post_data or "") if r.method == "POST" else None)
    draw(page, EXAMPLES[3])
    expect_answer(page, "3")
    assert asked
    assert not any('"why"' in body or "read_weights" in body for body in asked)


# ---------------------------------------------------------------- the lens


def test_a_pixel_of_conv1_is_its_patch_times_its_kernel(page: Page, model: LeNet):
    frame = draw_inside(page, 7)
    number, x, y = 3, 17, 9
    text = point_at(page, "conv1", number, x, y)
    patch = frames_to_inputs(frame[None])[0, 0, y : y + 5, x : x + 5]
    kernel = model.conv1.weight[number, 0].detach()
    summed, bias = (patch * kernel).sum().item(), model.conv1.bias[number].item()
    expect_figure(text, "add up to #;", summed)
    expect_figure(text, "the bias # that", bias)
    expect_figure(text, "that is #,", summed + bias)
    assert ("ReLU keeps it" in text) == (summed + bias > 0)
    grids = page.locator("#lens .numbers")
    assert grids.count() == 2
    for grid, expected in zip(grids.all(), (patch, kernel), strict=True):
        shown = [float(c.replace("−", "-")) for c in grid.locator("span").all_inner_texts()]
        assert shown == pytest.approx(expected.flatten().tolist(), abs=0.006)


def test_a_pixel_of_conv2_takes_all_six_maps(page: Page, model: LeNet):
    layers = layers_of(model, draw_inside(page, 2))
    number, x, y = 11, 6, 3
    text = point_at(page, "conv2", number, x, y)
    patches = layers["pool1"][:, y : y + 5, x : x + 5]
    kernels = model.conv2.weight[number].detach()
    summed = (patches * kernels).sum((1, 2))
    shown = [float(found) for found in re.findall(r"map \d: (-?\d+\.\d\d)", text)]
    total = float(re.search(r"add up to (-?\d+\.\d\d);", text)[1])
    bits = 0.02 * layers["pool1"].max().item()  # a map has a byte for a pixel
    assert shown == pytest.approx(summed.tolist(), abs=bits)
    assert total == pytest.approx(sum(shown), abs=0.04)

    strongest = int(summed.abs().argmax())
    patch, kernel = page.locator("#lens .numbers").all()
    assert patch.locator("figcaption").inner_text() == f"pool1, map {strongest + 1}"
    cells = [float(c.replace("−", "-")) for c in kernel.locator("span").all_inner_texts()]
    assert cells == pytest.approx(kernels[strongest].flatten().tolist(), abs=0.006)


DEEP = [("conv1", 5, 27, 27), ("conv2", 15, 9, 9), ("pool2", 8, 0, 0), ("fc2", "", 13, 5)]


def overflow_of(page: Page) -> dict[str, float]:
    """How far the lens reaches over each edge of the window, and how much of it is cut off."""
    return page.locator("#lens").evaluate("""lens => {
      const { top, left, right, bottom } = lens.getBoundingClientRect();
      return {top: -top, left: -left, right: right - innerWidth, bottom: bottom - innerHeight,
        cut: lens.scrollHeight - lens.clientHeight};
    }""")


def test_the_lens_is_in_sight_beside_deep_maps(page: Page):
    draw_inside(page, 2)
    for layer, *spot in DEEP:
        point_at(page, layer, *spot)
        expect(page.locator("#lens")).to_contain_text(layer)
        assert max(overflow_of(page).values()) <= 0, (layer, overflow_of(page))


def tap_on_map(phone: Page, layer: str, number: int | str, top: int) -> Locator:
    """Scroll until a map begins so far below the window's top, and tap on it."""
    figure = phone.locator(f'#inside figure:has(canvas[data-layer="{layer}"][data-map="{number}"])')
    figure.evaluate("(f, top) => scrollBy(0, f.getBoundingClientRect().top - top)", top)
    before = figure.bounding_box()
    phone.touchscreen.tap(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    expect(phone.locator("#lens")).to_be_visible()
    assert figure.bounding_box() == before  # the page did not move
    return figure


def test_on_a_phone_the_lens_is_where_the_finger_is_not(phone: Page):
    draw_inside(phone, 2)
    lens = phone.locator("#lens")
    for (layer, number, *_), top in product(DEEP, (60, 500)):
        figure = tap_on_map(phone, layer, number, top)
        assert max(overflow_of(phone).values()) <= 0, (layer, top, overflow_of(phone))
        touched, shown = figure.bounding_box(), lens.bounding_box()
        if touched["y"] + touched["height"] / 2 < 422:  # the middle of the window
            assert touched["y"] + touched["height"] <= shown["y"], (layer, top)
        else:
            assert shown["y"] + shown["height"] <= touched["y"], (layer, top)
        phone.evaluate("scrollTo(0, 0)")
        expect(lens).to_be_hidden()


def test_on_a_phone_the_lens_goes_away(phone: Page):
    draw_inside(phone, 2)
    lens = phone.locator("#lens")
    tap_on_map(phone, "conv2", 15, 300)
    lens.get_by_role("button", name="Close").tap()
    expect(lens).to_be_hidden()
    tap_on_map(phone, "conv2", 15, 300)
    phone.locator("#inside h3").get_by_text("conv2").tap()
    expect(lens).to_be_hidden()
    tap_on_map(phone, "conv2", 15, 300)
    phone.evaluate("scrollTo(0, 0)")
    expect(lens).to_be_hidden()


def test_a_pixel_of_pool2_is_the_largest_of_four(page: Page, model: LeNet):
    layers = layers_of(model, draw_inside(page, 6))
    text = point_at(page, "pool2", 5, 3, 1)
    value = layers["pool2"][5, 1, 3].item()
    assert value == layers["conv2"][5, 2:4, 6:8].max()
    expect_figure(text, "largest of the four, #", value)


def test_the_keyboard_moves_the_lens(page: Page):
    draw_inside(page, 5)
    page.locator('#inside figure:has(canvas[data-layer="conv1"][data-map="0"])').focus()
    expect(page.locator("#lens")).to_contain_text("Row 15, column 15")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#lens")).to_contain_text("Row 16, column 16")


def test_the_pictures_are_one_tab_stop_with_arrows_within(page: Page):
    draw_inside(page, 5)
    lens, keys = page.locator("#lens"), page.keyboard
    stops = page.locator("#inside-layers :is(figure, button)[tabindex='0']")
    expect(stops).to_have_count(1)
    page.locator("#inside summary").focus()
    keys.press("Tab")
    expect(lens).to_contain_text("28×28 frame")
    for _ in range(3):
        keys.press("PageDown")
    expect(lens).to_contain_text("conv1, map 1 of 6")
    for _ in range(14):
        keys.press("ArrowDown")
    expect(lens).to_contain_text("pool1, map 1 of 6")  # below its edge
    for _ in range(7):
        keys.press("ArrowRight")
    expect(lens).to_contain_text("pool1, map 2 of 6")
    keys.press("PageUp")
    expect(lens).to_contain_text("pool1, map 1 of 6")
    expect(stops).to_have_count(1)
    keys.press("Tab")
    expect(page.locator("#inside-layers :focus")).to_have_count(0)


def test_an_output_shows_which_units_push_for_and_against_it(page: Page, model: LeNet):
    layers = layers_of(model, draw_inside(page, 9))
    page.locator("#inside .outputs button").nth(4).hover()
    pushes = layers["fc2"] * model.fc3.weight[4].detach()
    text = page.locator("#lens").inner_text().replace("−", "-")
    expect_figure(text, "logit #", layers["fc3"][4].item())
    expect_figure(text, "push for 4, # in all", pushes.clamp(min=0).sum().item())
    expect_figure(text, "push against it, # in all", pushes.clamp(max=0).sum().item())
    assert f"the strongest are {pushes.argmax() + 1} (" in text
    shown = pixels(page, "fc2").view(84, 3).int()
    assert shown[pushes.argmax()].tolist()[0] > shown[pushes.argmax()].tolist()[2]  # orange
    assert shown[pushes.argmin()].tolist()[0] < shown[pushes.argmin()].tolist()[2]  # blue


# ---------------------------------------------------------------- why


def test_the_ink_that_speaks_for_a_digit_is_orange(page: Page, model: LeNet):
    frame = draw_inside(page, 9)
    why = page.locator("#inside figure", has=page.locator('[data-layer="why"]'))
    for digit, title in ((9, "Why 9?"), (4, "Why not 4?")):
        if digit != 9:
            page.locator("#inside .outputs button").nth(digit).click()
        expect(why).to_have_text(title)
        expected = attribute(model, frames_to_inputs(frame[None]), digit)
        strong = expected.abs() > 0.3 * expected.abs().max()
        shown = pixels(page, "why").int()
        assert torch.equal((shown[..., 0] > shown[..., 2])[strong], (expected > 0)[strong])


def test_a_digit_of_a_data_set_is_read_on_the_pad(page: Page, model: LeNet):
    frame = synthetic_digits(1, seed=5)[0][0]
    with torch.no_grad():
        answer = model(frames_to_inputs(frame[None])).argmax().item()
    open_frame(page, frame)
    expect_answer(page, str(answer))
    until(page, lambda: torch.equal(pixels(page, "frame")[..., 0], frame))
    draw(page, EXAMPLES[7])  # the pen takes the pad
    expect_answer(page, "7")
    page.locator("#pad-clear").click()
    expect_answer(page, "")


def test_on_a_phone_nothing_is_wider_than_the_screen(phone: Page):
    open_view(phone)
    phone.locator("#pad-examples button").nth(8).click()
    expect_answer(phone, "8")
    expect(phone.locator("#inside-body")).to_be_visible()
    right = phone.locator("#inside section").last.bounding_box()
    assert right["x"] + right["width"] <= 390
