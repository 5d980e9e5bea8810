"""lenet.ui.draw.tab: a picture that is pasted or dropped on the pad."""

import base64
import io

import pytest
from PIL import Image, ImageDraw
from support import finished

from lenet.image import image_to_frame
from lenet.ui.draw.tab import frame_picture, read_drawing


def png(ink: int) -> tuple[Image.Image, str]:
    """A stroke on white paper, and its file in base64."""
    image = Image.new("L", (60, 80), 255)
    ImageDraw.Draw(image).line([(20, 10), (40, 70)], fill=ink, width=6)
    file = io.BytesIO()
    image.save(file, "PNG")
    return image, base64.b64encode(file.getvalue()).decode()


def test_a_picture_is_framed():
    image, content = png(ink=0)
    answer = finished(frame_picture({"picture": content}))
    expected = image_to_frame(image)
    assert expected.any()
    assert base64.b64decode(answer["frame"]) == expected.numpy().tobytes()


def test_a_picture_of_a_number_is_read_as_one():
    image = Image.new("L", (200, 80), 255)
    draw = ImageDraw.Draw(image)
    draw.line([(20, 10), (60, 10), (35, 70)], fill=0, width=6)
    draw.line([(150, 10), (150, 70)], fill=0, width=6)
    file = io.BytesIO()
    image.save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    framed = finished(frame_picture({"picture": content}))
    assert len(base64.b64decode(framed["frame"])) == 2 * 28 * 28
    question = {**framed, "checkpoint": "lenet.pt"}
    answer = finished(read_drawing(question))
    assert answer["number"] == "71" and answer["selected"] == 1 and "strokes" not in answer
    assert [digit["box"] for digit in answer["digits"]] == [(0, 0, 1, 1), (1, 0, 2, 1)]
    assert finished(read_drawing({**question, "at": [0.5, 0.5]}))["digit"] == 7
    assert finished(read_drawing({**question, "inside": {}}))["inside"]["lattice"] == []


@pytest.mark.parametrize("size", [0, 783, 785, 33 * 784])
def test_frames_of_another_size_are_refused(size: int):
    frame = base64.b64encode(bytes(size)).decode()
    answer = finished(read_drawing({"frame": frame, "checkpoint": "lenet.pt"}))
    assert f"these are {size}" in answer["error"]


@pytest.mark.parametrize(
    "sent, sentence",
    [
        ([], "file in base64"),
        ({}, "file in base64"),
        ({"picture": 7}, "file in base64"),
        ({"picture": "é"}, "file in base64"),
        ({"picture": "AAAA"}, "damaged or no picture"),
        ({"picture": png(ink=255)[1]}, "shows no ink"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(sent, sentence: str):
    answer = finished(frame_picture(sent))
    assert list(answer) == ["error"] and sentence in answer["error"]
