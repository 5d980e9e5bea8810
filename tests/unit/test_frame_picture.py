"""lenet.ui.draw.tab: a picture that is brought to the pad."""

import base64
import io

import pytest
from PIL import Image, ImageDraw
from support import finished

from lenet.image import image_to_frame
from lenet.ui.draw.tab import frame_picture


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
def test_what_is_no_picture_is_one_sentence(sent, sentence: str):
    answer = finished(frame_picture(sent))
    assert list(answer) == ["error"] and sentence in answer["error"]
