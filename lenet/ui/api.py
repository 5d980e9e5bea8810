"""What programs call: `/recognize`, `/recognize_batch` and `/recognize_image`.

They read with the shipped network. Gradio shows them under "Use via API", with these docstrings and
examples, and offers them to assistants as tools where its MCP server is on.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

import gradio as gr
from gradio.events import api

from lenet.recognize import Recognition
from lenet.server import recognizers
from lenet.server.shares import QUICK, Crowded
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
    """What is told of one drawing: the digit, None where nothing is drawn, and ten floats."""

    digit: int | None
    probabilities: list[float]


def build() -> None:
    """Add the endpoints to the page that is being built."""
    # Not Gradio's queue but lanes let visitors wait for each other.
    for function in (recognize, recognize_batch, recognize_image):
        api(function, api_name=function.__name__, concurrency_limit=None)


async def recognize(strokes: Drawing = SEVEN) -> Answer:
    """Read one hand-drawn digit.

    Strokes are a list of strokes, each a list of [x, y] points, y downwards, in any unit and at any
    place; at most 200 strokes and 20,000 points. The answer is {"digit": 7, "probabilities": [ten
    numbers in the order of the digits]}; the digit is null when nothing is drawn.

    Args:
        strokes: a list of strokes, each a list of [x, y] points, y downwards, in any unit
    """
    with _told():
        return _answer(await recognizers.recognize(recognizers.first_recognizer(), strokes))


async def recognize_batch(drawings: list[Drawing] = SEVEN_AND_ONE) -> list[Answer]:
    """Read many hand-drawn digits in one call.

    Takes a list of at most 500 drawings, each a list of strokes as /recognize takes them. Returns
    the answers in the same order, each {"digit": 7, "probabilities": [ten numbers in the order of
    the digits]}.

    Args:
        drawings: a list of drawings, each a list of strokes of [x, y] points, y downwards
    """
    with _told():
        reader = recognizers.first_recognizer()
        return [_answer(a) for a in await QUICK.run(reader.recognize_many, drawings)]


async def recognize_image(image: str = PICTURE) -> Answer:
    """Read one digit in a picture: photographed, scanned or drawn, dark on light or light on dark.

    Takes a PNG, JPEG, WebP, BMP, GIF or TIFF of at most 8 MB and 25 million pixels, either as an
    uploaded file (handle_file("digit.png") in the Python and JavaScript clients) or as its content
    in base64, with or without "data:image/png;base64," before it. The answer is {"digit": 7,
    "probabilities": [ten numbers in the order of the digits]}; the digit is null when nothing is
    drawn.

    Args:
        image: the picture's file in base64, or an uploaded file
    """
    with _told():
        return _answer(await QUICK.run(_read_picture, image))


def _read_picture(image: object) -> Recognition:
    """Read the picture that an endpoint was given.

    Raises:
        ValueError: it is no picture; one sentence that says why.
    """
    return recognizers.first_recognizer().recognize_image(open_picture(_content(image)))


def _content(image: object) -> bytes:
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
    return {"digit": recognition.digit, "probabilities": recognition.probabilities}


@contextmanager
def _told() -> Iterator[None]:
    """Tell the caller what was wrong with the request, and nobody else."""
    try:
        yield
    except (ValueError, Crowded) as error:
        raise gr.Error(str(error), print_exception=False) from error
