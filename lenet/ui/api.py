"""What programs call: `/recognize`, `/recognize_batch` and `/recognize_image`.

They read with the shipped network. Gradio shows them under "Use via API", with these docstrings and
examples, and offers them to assistants as tools where its MCP server is on.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import gradio as gr
from gradio.events import api

from lenet.recognize import Recognition
from lenet.server import recognizers
from lenet.server.uploads import open_picture
from lenet.ui.gradio_page import uploaded_file

Drawing = list[list[list[float]]]

# The examples that "Use via API" shows: two drawings, and a picture of a 7.
SEVEN = [[[10.0, 10.0], [60.0, 10.0], [30.0, 90.0]]]
SEVEN_AND_ONE = [SEVEN, [[[50.0, 10.0], [50.0, 90.0]]]]
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACgAAAAwAQAAAABLAAU2AAAAbUlEQVR42o3PzQnCUBBF"
    "4e8NAV3agSklndlaSkkJcWUW4nXx0GSnMAyHy2F+WqD87oKb4HrIx5JsnafCRpI1u3M/zFkUSmFWGEhySuG8m+n+Rf"
    "HqPCqenafvVVmz71opGsVCfWqmGJA8kvb312+bvCSoffIBpgAAAABJRU5ErkJggg=="
)


class Answer(TypedDict):
    """What is told of one drawing.

    Attributes:
        digit: the most probable one even where it is none; None where nothing is drawn.
        is_digit: whether the drawing looks like a digit at all.
        probabilities: ten floats in the order of the digits.
    """

    digit: int | None
    is_digit: bool
    probabilities: list[float]


def build() -> None:
    """Add the endpoints to the page that is being built."""
    api(recognize, api_name="recognize", concurrency_limit=None)
    api(recognize_batch, api_name="recognize_batch")
    api(recognize_image, api_name="recognize_image")


async def recognize(strokes: Drawing = SEVEN) -> Answer:
    """Read one hand-drawn digit.

    Strokes are a list of strokes, each a list of [x, y] points, y downwards, in any unit and at any
    place; at most 200 strokes and 20,000 points. The answer is {"digit": 7, "is_digit": true,
    "probabilities": [ten numbers in the order of the digits]}. Where the drawing does not look like
    one digit, such as a letter, a scribble or a whole number, is_digit is false and the digit is
    the nearest one; when nothing is drawn, the digit is null.

    Args:
        strokes: a list of strokes, each a list of [x, y] points, y downwards, in any unit
    """
    with _told():
        return _answer(await recognizers.recognize(recognizers.first_recognizer(), strokes))


def recognize_batch(drawings: list[Drawing] = SEVEN_AND_ONE) -> list[Answer]:
    """Read many hand-drawn digits in one call.

    Takes a list of at most 500 drawings, each a list of strokes as /recognize takes them. Returns
    the answers in the same order, each {"digit": 7, "is_digit": true, "probabilities": [ten numbers
    in the order of the digits]}; is_digit is false where the drawing does not look like one digit.

    Args:
        drawings: a list of drawings, each a list of strokes of [x, y] points, y downwards
    """
    with _told():
        return [_answer(a) for a in recognizers.first_recognizer().recognize_many(drawings)]


def recognize_image(image: str = PICTURE) -> Answer:
    """Read one digit in a picture: photographed, scanned or drawn, dark on light or light on dark.

    Takes a PNG, JPEG, WebP, BMP, GIF or TIFF of at most 8 MB and 25 million pixels, either as an
    uploaded file (handle_file("digit.png") in the Python and JavaScript clients) or as its content
    in base64, with or without "data:image/png;base64," before it. The answer is {"digit": 7,
    "is_digit": true, "probabilities": [ten numbers in the order of the digits]}. Where the picture
    does not look like one digit, is_digit is false and the digit is the nearest one; on blank paper
    the digit is null.

    Args:
        image: the picture's file in base64, or an uploaded file
    """
    with _told():
        picture = open_picture(_content(image))
        return _answer(recognizers.first_recognizer().recognize_image(picture))


def _content(image: Any) -> bytes:
    """The bytes of a picture's file."""
    if isinstance(image, str):
        try:
            return base64.b64decode(image.rpartition("base64,")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(
                "The picture is not base64: send its file, or base64 of it."
            ) from error
    if path := uploaded_file(image):
        return path.read_bytes()
    raise ValueError("The picture must be an uploaded file or a text with its content in base64.")


def _answer(recognition: Recognition) -> Answer:
    return {
        "digit": recognition.digit,
        "is_digit": recognition.is_digit,
        "probabilities": recognition.probabilities,
    }


@contextmanager
def _told() -> Iterator[None]:
    """Tell the caller what was wrong with the request, and nobody else."""
    try:
        yield
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error
