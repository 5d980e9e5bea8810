"""What programs call: `/recognize`, `/recognize_number`, `/recognize_batch`, `/recognize_image`.

They read with the shipped network. Gradio shows them under "Use via API", with these docstrings and
examples, and offers them to assistants as tools where its MCP server is on.
"""

import base64
import binascii
from typing import TypedDict

from gradio.events import api

from lenet.recognize import NumberRecognition, Recognition
from lenet.server import recognizers
from lenet.server.shares import QUICK
from lenet.server.uploads import open_picture
from lenet.ui.gradio_page import refusing_event, uploaded_file

Drawing = list[list[list[float]]]

# The examples that "Use via API" shows: two drawings, a number, and a picture of a 7.
SEVEN = [[[10.0, 10.0], [60.0, 10.0], [30.0, 90.0]]]
SEVEN_AND_ONE = [SEVEN, [[[50.0, 10.0], [50.0, 90.0]]]]
SEVENTY_ONE = [*SEVEN, [[90.0, 10.0], [90.0, 90.0]]]
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACgAAAAwAQAAAABLAAU2AAAAbUlEQVR42o3PzQnCUBBF"
    "4e8NAV3agSklndlaSkkJcWUW4nXx0GSnMAyHy2F+WqD87oKb4HrIx5JsnafCRpI1u3M/zFkUSmFWGEhySuG8m+n+Rf"
    "HqPCqenafvVVmz71opGsVCfWqmGJA8kvb312+bvCSoffIBpgAAAABJRU5ErkJggg=="
)


class Answer(TypedDict):
    """The answer about one drawing.

    Attributes:
        digit: the most probable one, even where the drawing is none; None where nothing is drawn.
        is_digit: whether the drawing looks like a digit at all.
        probabilities: ten floats in the order of the digits.
    """

    digit: int | None
    is_digit: bool
    probabilities: list[float]


class NumberDigit(Answer):
    """One digit of a number, and its box: x0, y0, x1, y1 in the drawing's units."""

    box: list[float]


class NumberAnswer(TypedDict):
    """The answer about a number: its digits as a text, "" where there are none, and each one."""

    number: str
    digits: list[NumberDigit]


class PictureAnswer(Answer):
    """The answer about a picture: the digit, and the number that it shows."""

    number: str


def build() -> None:
    """Add the endpoints to the page that is being built."""
    # Lanes say who waits, not Gradio's queue.
    for function in (recognize, recognize_number, recognize_batch, recognize_image):
        api(function, api_name=function.__name__, concurrency_limit=None)


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
    with refusing_event():
        return _answer(await recognizers.recognize(recognizers.first_recognizer(), strokes))


async def recognize_number(strokes: Drawing = SEVENTY_ONE) -> NumberAnswer:
    """Read a hand-drawn number of one to twelve digits, such as 2024.

    Takes the strokes of all digits in any order, as /recognize takes those of one: a list of
    strokes, each a list of [x, y] points, y downwards, in any unit; at most 200 strokes and 20,000
    points. Digits may touch, consist of several strokes, share one stroke, and stand on several
    lines. The answer is {"number": "71", "digits": [{"digit": 7, "is_digit": true, "probabilities":
    [ten numbers in the order of the digits], "box": [x0, y0, x1, y1]}, ...]} with the digits from
    left to right, line by line, each with the box around its strokes. A part that does not look
    like a digit is a "?" in the number, and its is_digit is false; the number is "" when nothing is
    drawn or nothing is a digit.

    Args:
        strokes: a list of strokes, each a list of [x, y] points, y downwards, in any unit
    """
    with refusing_event():
        reader = recognizers.first_recognizer()
        return _number_answer(await recognizers.recognize_number(reader, strokes))


async def recognize_batch(drawings: list[Drawing] = SEVEN_AND_ONE) -> list[Answer]:
    """Read many hand-drawn digits in one call.

    Takes a list of at most 500 drawings, each a list of strokes as /recognize takes them. Returns
    the answers in the same order, each {"digit": 7, "is_digit": true, "probabilities": [ten numbers
    in the order of the digits]}; is_digit is false where the drawing does not look like one digit.

    Args:
        drawings: a list of drawings, each a list of strokes of [x, y] points, y downwards
    """
    with refusing_event():
        reader = recognizers.first_recognizer()
        return [_answer(a) for a in await QUICK.run(reader.recognize_many, drawings)]


async def recognize_image(image: str = PICTURE) -> PictureAnswer:
    """Read a digit or a number in a picture: photographed, scanned or drawn, dark on light or light
    on dark.

    Takes a PNG, JPEG, WebP, BMP, GIF or TIFF of at most 8 MB and 25 million pixels, either as an
    uploaded file (handle_file("digit.png") in the Python and JavaScript clients) or as its content
    in base64, with or without "data:image/png;base64," before it. The answer is {"digit": 7,
    "is_digit": true, "probabilities": [ten numbers in the order of the digits], "number": "7"}:
    what the picture shows if it is one digit, and its digits from left to right if it is a number.
    Where it does not look like one digit, is_digit is false and the digit is the nearest one; where
    nothing is drawn the digit is null and the number "". Digits of a number must not touch.

    Args:
        image: the picture's file in base64, or an uploaded file
    """
    with refusing_event():
        recognition, number = await QUICK.run(_read_picture, image)
        return {**_answer(recognition), "number": number}


def _read_picture(image: object) -> tuple[Recognition, str]:
    """Read the picture that an endpoint was given, as a digit and as a number.

    Raises:
        ValueError: it is no picture; one sentence that says why.
    """
    picture = open_picture(_content(image))
    reader = recognizers.first_recognizer()
    return reader.recognize_image(picture), reader.recognize_image_number(picture).number


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
    return {
        "digit": recognition.digit,
        "is_digit": recognition.is_digit,
        "probabilities": recognition.probabilities,
    }


def _number_answer(recognition: NumberRecognition) -> NumberAnswer:
    digits: list[NumberDigit] = [
        {**_answer(digit.recognition), "box": list(digit.box)} for digit in recognition.digits
    ]
    return {"number": recognition.number, "digits": digits}
