"""The Draw tab: a pad, and what the network reads while the pen moves.

The pad lives in the browser (`pad.html`, `pad.js`) and asks `read_drawing` again and again. This
file knows nothing of pixels on the screen.
"""

import base64
import binascii
import json
import math
import time
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

import gradio as gr
import torch

from lenet.checkpoint import CheckpointError
from lenet.image import image_to_frame
from lenet.numbers import Box
from lenet.preprocess import FRAME, MAX_POINTS, MAX_STROKES
from lenet.recognize import Candidate, NumberRecognition, Recognition, Recognizer
from lenet.server.recognizers import (
    first_recognizer,
    paths,
    recognize,
    recognize_number,
    recognizer,
    recognizer_without,
)
from lenet.server.shares import AT_ONCE, QUICK, Crowded
from lenet.server.uploads import open_picture
from lenet.synthetic import example_strokes
from lenet.ui.assets import mounting, template
from lenet.ui.draw import inside
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.requests import Refusal, encode

MOST_FRAMES = 32  # of a picture: more digits than any number that is read has


class DigitReading(TypedDict):
    """What the network reads in a drawing, or in a part of it, as one digit.

    `digit` is the nearest one where it does not look like a digit, and None where nothing is drawn;
    `probabilities` are ten floats; `pixels` are the 32×32 bytes that the network saw, in base64.
    """

    digit: int | None
    is_digit: bool
    probabilities: list[float]
    sure: bool
    pixels: str


class BoxedReading(DigitReading):
    """A digit of a number; `box` is x0, y0, x1, y1 of its strokes."""

    box: Box


class Reading(DigitReading):
    """What the network reads on the pad, as a number and as the digit of it that is looked at.

    `number` is "" where nothing is drawn or nothing is a digit. Where the number has several
    digits, `digits` are all of them, `selected` is the place of the one that is looked at, and
    `strokes` are its own; in a picture there are none, and the boxes are squares of 1 in a row.
    `took` are the milliseconds at this server, in which the call may have waited: the page makes
    more calls at once where most of an answer's time passes on the way.
    """

    number: str
    digits: NotRequired[list[BoxedReading]]
    selected: NotRequired[int]
    strokes: NotRequired[list[list[list[float]]]]
    inside: NotRequired[inside.Inside]
    took: NotRequired[float]


class Framed(TypedDict):
    """What was found in a picture: `frame`, the 28×28 bytes of each digit from left to right, in
    base64.
    """

    frame: str


def build() -> gr.Dropdown:
    """Build the tab's content and return the dropdown of checkpoints."""
    names = list(paths())
    in_use = names[0] if names else None
    examples = example_strokes()
    with gr.Column(elem_id="draw"):
        pad = gr.HTML(
            value=in_use,  # the checkpoint that the pad reads with
            html_template=template("draw/pad.html"),
            js_on_load=mounting("draw/pad.js"),
            server_functions=[read_drawing, frame_picture],
            elem_id="drawing",
            apply_default_css=False,
            refusal="",  # why another checkpoint was not taken
            max_strokes=MAX_STROKES,
            max_points=MAX_POINTS,
            # As text: Gradio copies a view's values one by one whenever a tab is opened.
            examples=json.dumps([examples[digit] for digit in range(10)]),
        )
        checkpoint = gr.Dropdown(names, value=in_use, label="Network", elem_id="checkpoint")
    checkpoint.change(choose_checkpoint, [checkpoint, pad], [checkpoint, pad], **QUIET)
    return checkpoint


def choose_checkpoint(name: str | None, in_use: str | None) -> tuple[Any, dict[str, Any]]:
    """Read with another checkpoint, or keep the one in use and let the pad say why."""
    try:
        recognizer(name)
    except CheckpointError as error:
        return in_use, gr.update(refusal=str(error))
    # Gradio would warn that it does not know a visitor's own network, and show its secret name.
    return gr.skip(), gr.update(value=name, refusal="")


async def read_drawing(drawing: dict[str, Any]) -> Reading | Refusal:
    """Answer the pad.

    Args:
        drawing: `strokes` as `Recognizer.recognize` takes them, or `frame` as `Framed` has it;
            `checkpoint`, a name from the dropdown; `at`, [x, y] in the digit of a number to look
            at, or None for the one that was drawn last; `whole`, true where all strokes are one
            digit, whatever they look like; and where the inside view is open `inside`, with `why`,
            the digit whose ink is looked for, or None for the digit that is read, and `silenced`,
            the maps and units that are silenced in the network, as [layer, number].

    Returns:
        What is read; with `inside` where it is asked for and something is drawn. Where the drawing
        cannot be read, the error: a sentence for the visitor.
    """
    if not isinstance(drawing, dict):
        return {"error": "A drawing must be an object with strokes and a checkpoint."}
    begin = time.perf_counter()
    try:
        answer = await _answer(drawing)
        return {**answer, "took": round(1000 * (time.perf_counter() - begin), 1)}
    except (ValueError, Crowded) as error:
        return {"error": str(error)}


async def frame_picture(sent: dict[str, Any]) -> Framed | Refusal:
    """Find the digits in a picture, so that the pad can show them as the network will read them.

    Args:
        sent: `picture`, a picture's file in base64, as `lenet.server.uploads` opens it.
    """
    try:
        content = base64.b64decode(sent["picture"], validate=True)
    except (binascii.Error, KeyError, TypeError, ValueError):
        return {"error": "A picture is a file in base64."}
    try:
        frames = await QUICK.run(_frames_in, content)
    except (ValueError, Crowded) as error:
        return {"error": str(error)}
    if not frames.any():
        return {"error": "The picture shows no ink: bring one with more contrast."}
    return {"frame": encode(frames)}


def _frames_in(content: bytes) -> torch.Tensor:
    """The frames of a picture's digits, uint8 N×28×28, N ≥ 1; several where it shows a number.

    Unless the shipped network takes every part for a digit, the picture is one digit with dirt.

    Raises:
        ValueError: it is no picture; one sentence that says why.
    """
    picture = open_picture(content)
    digits = first_recognizer().recognize_image_number(picture).digits
    found = [digit.recognition for digit in digits[:MOST_FRAMES]]
    if len(found) > 1 and all(recognition.is_digit for recognition in found):
        return torch.stack([recognition.frame for recognition in found])
    return image_to_frame(picture)[None]


async def _answer(drawing: dict[str, Any]) -> Reading:
    whole = recognizer(drawing.get("checkpoint"))
    asked = drawing.get("inside") if isinstance(drawing.get("inside"), dict) else None
    units = inside.units_in(asked.get("silenced")) if asked else frozenset()
    reader = recognizer_without(drawing.get("checkpoint"), units)
    found = await _read(reader, drawing)
    if isinstance(found, Recognition):
        recognition, answer = found, _one_digit(found)
    else:
        selected = _selected(found, drawing.get("at"))
        recognition, answer = found.digits[selected].recognition, _several_digits(found, selected)
    if asked is not None and recognition.digit is not None:
        why = asked.get("why")
        why = why if type(why) is int and 0 <= why <= 9 else recognition.digit
        answer["inside"] = await QUICK.run(
            inside.look_inside, reader.model, recognition, why, whole.model
        )
        if isinstance(found, NumberRecognition):
            answer["inside"]["lattice"] = inside.look_at_lattice(found)
    return answer


async def _read(reader: Recognizer, drawing: dict[str, Any]) -> Recognition | NumberRecognition:
    """Read what is on the pad, strokes or frames: a number where it has several digits.

    Strokes in which no digit is found are read as a whole.

    Raises:
        ValueError: they are malformed; one sentence that says how.
    """
    if "frame" in drawing:
        frames = _frames(drawing["frame"])
        found = await AT_ONCE.run(reader.recognize_frames, frames)
        return found[0] if len(found) == 1 else _in_a_row(found)
    strokes: Any = drawing.get("strokes")
    if drawing.get("whole") is True:
        return await recognize(reader, strokes)
    number = await recognize_number(reader, strokes)
    if number.number and len(number.digits) > 1:
        return number
    if len(number.digits) == 1:
        return number.digits[0].recognition
    return replace(await recognize(reader, strokes), is_digit=False, sure=False)


def _frames(encoded: Any) -> torch.Tensor:
    """Frames that a page sent, uint8 N×28×28.

    Raises:
        ValueError: they are malformed; one sentence that says how.
    """
    try:
        pixels = base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("A frame is bytes in base64.") from error
    count, rest = divmod(len(pixels), FRAME * FRAME)
    if rest or not 1 <= count <= MOST_FRAMES:
        raise ValueError(f"A frame has {FRAME}×{FRAME} bytes, these are {len(pixels)}.")
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(count, FRAME, FRAME)


def _in_a_row(found: list[Recognition]) -> NumberRecognition:
    """A number whose digits each have a frame: their boxes are squares of side 1 in a row."""
    digits = [
        Candidate(recognition, (i, 0, i + 1, 1), 0.0, True, ((i, 0, 0),))
        for i, recognition in enumerate(found)
    ]
    text = "".join(f"{each.digit}" if each.is_digit else "?" for each in found)
    return NumberRecognition(text if text.strip("?") else "", digits, [])


def _selected(number: NumberRecognition, at: Any) -> int:
    """The digit of a number that lies nearest to a point, or that was drawn last."""
    places = range(len(number.digits))
    if not _is_point(at):
        return max(places, key=lambda i: max(number.digits[i].spans))
    x, y = at

    def away(i: int) -> tuple[float, float]:
        x0, y0, x1, y1 = number.digits[i].box
        outside = math.hypot(max(x0 - x, 0, x - x1), max(y0 - y, 0, y - y1))
        return outside, math.hypot((x0 + x1) / 2 - x, (y0 + y1) / 2 - y)

    return min(places, key=away)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and {*map(type, value)} <= {int, float}


def _digit(recognition: Recognition) -> DigitReading:
    return {
        "digit": recognition.digit,
        "is_digit": recognition.is_digit,
        "probabilities": recognition.probabilities,
        "sure": recognition.sure,
        "pixels": encode(recognition.pixels),
    }


def _one_digit(recognition: Recognition) -> Reading:
    number = str(recognition.digit) if recognition.is_digit else ""
    return {**_digit(recognition), "number": number}


def _several_digits(number: NumberRecognition, selected: int) -> Reading:
    digits: list[BoxedReading] = [
        {**_digit(digit.recognition), "box": digit.box} for digit in number.digits
    ]
    answer: Reading = {
        **_digit(number.digits[selected].recognition),
        "number": number.number,
        "digits": digits,
        "selected": selected,
    }
    if number.strokes:
        answer["strokes"] = number.ink(number.digits[selected])
    return answer
