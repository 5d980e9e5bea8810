"""lenet.recognize: answers about one drawing, with the shipped checkpoint."""

import math
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from lenet import Recognizer
from lenet.checkpoint import SHIPPED, Checkpoint, CheckpointError, read
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs, strokes_to_frame

ONE = [[[50, 0], [49, 50], [50, 100]]]
SEVEN = [[[10, 10], [60, 8], [45, 50], [35, 100]]]
ZERO = [
    [
        [50 + 30 * math.sin(i / 20 * math.tau), 50 - 45 * math.cos(i / 20 * math.tau)]
        for i in range(21)
    ]
]
FOUR = [[[40, 0], [10, 60], [70, 60]], [[52, 30], [50, 100]]]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.mark.parametrize(("strokes", "digit"), [(ZERO, 0), (ONE, 1), (FOUR, 4), (SEVEN, 7)])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (0.001, -3), (50, 4000)])
def test_plain_digits_are_read_at_any_size_and_place(recognizer, strokes, digit, scale, shift):
    moved = [[[x * scale + shift, y * scale + shift] for x, y in stroke] for stroke in strokes]
    answer = recognizer.recognize(moved)
    assert type(answer.digit) is int
    assert answer.digit == digit
    assert answer.sure


def test_the_probabilities_are_ten_floats_in_digit_order_that_add_up_to_1(recognizer):
    answer = recognizer.recognize(SEVEN)
    assert [type(p) for p in answer.probabilities] == [float] * 10
    assert all(0 <= p <= 1 for p in answer.probabilities)
    assert sum(answer.probabilities) == pytest.approx(1)
    assert answer.probabilities[answer.digit] == max(answer.probabilities)


@pytest.mark.parametrize("strokes", [[], [[]], [[], []]])
def test_nothing_drawn_is_no_digit(recognizer, strokes):
    answer = recognizer.recognize(strokes)
    assert answer.digit is None
    assert answer.probabilities == [0.1] * 10
    assert not answer.sure
    assert (answer.is_digit, answer.digit_probability) == (False, 0.0)
    assert not answer.pixels.any()


def test_a_blank_picture_is_no_digit(recognizer):
    assert recognizer.recognize_image(Image.new("RGB", (300, 200), "white")).digit is None


def test_a_picture_is_read(recognizer):
    image = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(image)
    draw.line([(150, 60), (250, 56), (220, 150), (200, 250)], fill="black", width=14)
    assert recognizer.recognize_image(image).digit == 7


def row(*digits: list, gap: int = 60) -> Image.Image:
    """Digits of 100 units beside each other, drawn with a thick pen."""
    image = Image.new("L", (80 + (80 + gap) * len(digits), 220), 255)
    draw = ImageDraw.Draw(image)
    for place, digit in enumerate(digits):
        for stroke in digit:
            points = [(40 + (80 + gap) * place + x, 60 + y) for x, y in stroke]
            draw.line(points, fill=0, width=12)
    return image


def test_a_picture_of_a_number_is_read(recognizer):
    answer = recognizer.recognize_image_number(row(SEVEN, FOUR, ZERO, ONE))
    assert answer.number == "7401"
    lefts = [digit.box[0] for digit in answer.digits]
    assert lefts == sorted(lefts)


def test_a_picture_of_a_digit_of_several_components_is_read(recognizer):
    five = [[[30, 14], [25, 50], [52, 44], [74, 62], [62, 96], [15, 92]], [[32, 0], [80, 0]]]
    assert recognizer.recognize_image_number(row(five, SEVEN)).number == "57"


def test_a_number_on_a_chalkboard_in_uneven_light_is_read(recognizer):
    light = Image.linear_gradient("L").resize(row(ZERO, ONE).size).point(lambda v: 30 + v // 3)
    chalk = row(ZERO, ONE).point(lambda v: 255 - v)
    board = Image.composite(Image.new("L", chalk.size, 220), light, chalk)
    assert recognizer.recognize_image_number(board).number == "01"


def test_a_picture_of_a_smiley_is_no_number(recognizer):
    image = Image.new("L", (260, 260), 255)
    draw = ImageDraw.Draw(image)
    draw.arc((100, 30, 210, 230), -75, 75, fill=0, width=9)
    for y in (80, 170):
        draw.ellipse((60, y, 72, y + 12), fill=0)
    draw.line((130, 130, 148, 130), fill=0, width=9)
    assert recognizer.recognize_image(image).is_digit is False
    assert recognizer.recognize_image_number(image).number == ""


def test_a_blank_picture_is_no_number(recognizer):
    answer = recognizer.recognize_image_number(Image.new("RGB", (300, 200), "white"))
    assert (answer.number, answer.digits) == ("", [])


def test_the_pixels_are_what_the_network_saw(recognizer):
    answer = recognizer.recognize(FOUR)
    assert answer.pixels.dtype == torch.uint8
    assert answer.pixels.shape == (32, 32)
    inputs = frames_to_inputs(strokes_to_frame(FOUR)[None])[0, 0]
    torch.testing.assert_close((answer.pixels / 255 - 0.1307) / 0.3081, inputs)


def test_the_temperature_and_the_threshold_of_the_checkpoint_count():
    torch.manual_seed(0)
    weights = LeNet().state_dict()
    frame = strokes_to_frame(FOUR)
    logits = Checkpoint(weights).model()(frames_to_inputs(frame[None]))[0]
    warm = Recognizer(Checkpoint(weights, temperature=0.05)).recognize_frame(frame)
    torch.testing.assert_close(torch.tensor(warm.probabilities), (logits / 0.05).softmax(0))
    best = max(warm.probabilities)
    below, above = (
        Recognizer(Checkpoint(weights, temperature=0.05, sure_above=best + step))
        for step in (-0.01, 0.01)
    )
    assert below.recognize_frame(frame).sure
    assert not above.recognize_frame(frame).sure


def test_the_digit_probability_follows_from_the_logits_whatever_the_temperature():
    torch.manual_seed(0)
    weights = LeNet().state_dict()
    frame = strokes_to_frame(FOUR)
    exponentials = Checkpoint(weights).model()(frames_to_inputs(frame[None])).exp()
    evidence = math.log(exponentials.sum().log().item() - math.log(10))
    for slope, offset in (
        (2.0, -2 * evidence + 0.5),
        (2.0, -2 * evidence - 0.5),
        (-1.0, evidence + 3),
    ):
        given = Checkpoint(weights, temperature=0.05, digit_slope=slope, digit_offset=offset)
        answer = Recognizer(given).recognize_frame(frame)
        expected = 1 / (1 + math.exp(-(slope * evidence + offset)))
        assert answer.digit_probability == pytest.approx(expected, abs=1e-5)
        assert answer.is_digit is (expected > 0.5)
        assert answer.sure is answer.is_digit  # no digit is never sure
        assert answer.digit in range(10)  # the nearest one, even so


def test_a_sure_answer_is_clearly_a_digit():
    shipped = replace(read(SHIPPED), digit_slope=0.0, digit_offset=math.log(3))  # for 3 of 4
    for above, sure in ((0.7, True), (0.8, False)):
        answer = Recognizer(replace(shipped, sure_digit_above=above)).recognize(SEVEN)
        assert answer.digit_probability == pytest.approx(0.75)
        assert answer.is_digit and answer.sure is sure


def test_a_checkpoint_that_knows_nothing_else_takes_every_drawing_for_a_digit(tmp_path):
    torch.save(LeNet().state_dict(), tmp_path / "lesson.pth")
    for strokes in (ONE, FOUR, [[[0, 0]]]):
        answer = Recognizer.load(tmp_path / "lesson.pth").recognize(strokes)
        assert (answer.is_digit, answer.digit_probability) == (True, 1.0)


def test_a_digit_probability_near_1_is_not_rounded_to_1():
    torch.manual_seed(0)
    network = Checkpoint(LeNet().state_dict(), digit_offset=20.0)
    assert 1 - 1e-8 < Recognizer(network).recognize(ONE).digit_probability < 1


@pytest.mark.parametrize(
    "strokes",
    [None, "7", 7, {"strokes": []}, [1], [[1, 2]], [[[1]]], [[[1, None]]], [[[float("nan"), 0]]]],
    ids=repr,
)
def test_malformed_strokes_are_a_value_error(recognizer, strokes):
    with pytest.raises(ValueError, match=r"troke.*\.$"):
        recognizer.recognize(strokes)


def test_a_checkpoint_that_cannot_be_read_is_reported(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.pt could not be read"):
        Recognizer.load(tmp_path / "none.pt")


def test_a_path_may_be_a_text(tmp_path):
    torch.save(LeNet().state_dict(), tmp_path / "a.pth")
    assert Recognizer.load(str(tmp_path / "a.pth")).recognize(ONE).digit in range(10)
