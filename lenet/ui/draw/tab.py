"""The Draw tab: a pad, and what the network reads while the pen moves.

The pad lives in the browser (`pad.html`, `pad.js`) and asks `read_drawing` again and again. This
file knows nothing of pixels on the screen.
"""

import base64
import binascii
from typing import Any, NotRequired, TypedDict

import gradio as gr
import torch

from lenet.checkpoint import CheckpointError
from lenet.preprocess import FRAME, MAX_POINTS, MAX_STROKES
from lenet.recognize import Recognition, Recognizer
from lenet.server.recognizers import paths, recognize, recognizer
from lenet.server.shares import AT_ONCE, QUICK, Crowded
from lenet.synthetic import example_strokes
from lenet.ui.assets import mounting, template
from lenet.ui.draw import inside
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.requests import Refusal, encode


class Reading(TypedDict):
    """What the network reads on the pad.

    `digit` is the nearest one where the drawing does not look like a digit, and None where nothing
    is drawn; `probabilities` are ten floats; `pixels` are the 32×32 bytes that the network saw, in
    base64.
    """

    digit: int | None
    is_digit: bool
    probabilities: list[float]
    sure: bool
    pixels: str
    inside: NotRequired[inside.Inside]


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
            server_functions=[read_drawing],
            elem_id="drawing",
            apply_default_css=False,
            refusal="",  # why another checkpoint was not taken
            max_strokes=MAX_STROKES,
            max_points=MAX_POINTS,
            examples=[examples[digit] for digit in range(10)],
        )
        checkpoint = gr.Dropdown(names, value=in_use, label="Network", elem_id="checkpoint")
    checkpoint.change(choose_checkpoint, [checkpoint, pad], [checkpoint, pad], **QUIET)
    return checkpoint


def choose_checkpoint(name: str | None, in_use: str | None) -> tuple[str | None, dict[str, Any]]:
    """Read with another checkpoint, or keep the one in use and let the pad say why."""
    try:
        recognizer(name)
    except CheckpointError as error:
        return in_use, gr.update(refusal=str(error))
    return name, gr.update(value=name, refusal="")


async def read_drawing(drawing: dict[str, Any]) -> Reading | Refusal:
    """Answer the pad.

    Args:
        drawing: `strokes` as `Recognizer.recognize` takes them, or `frame`, 28×28 bytes in base64;
            `checkpoint`, a name from the dropdown; and where the inside view is open `inside`, with
            `why`, a digit or None for the one that is read.

    Returns:
        What is read; with `inside` where it is asked for and something is drawn. Where the drawing
        cannot be read, the error: a sentence for the visitor.
    """
    if not isinstance(drawing, dict):
        return {"error": "A drawing must be an object with strokes and a checkpoint."}
    try:
        return await _answer(drawing)
    except (ValueError, Crowded) as error:
        return {"error": str(error)}


async def _answer(drawing: dict[str, Any]) -> Reading:
    reader = recognizer(drawing.get("checkpoint"))
    recognition = await _read(reader, drawing)
    answer: Reading = {
        "digit": recognition.digit,
        "is_digit": recognition.is_digit,
        "probabilities": recognition.probabilities,
        "sure": recognition.sure,
        "pixels": encode(recognition.pixels),
    }
    if isinstance(drawing.get("inside"), dict) and recognition.digit is not None:
        why = drawing["inside"].get("why")
        why = why if type(why) is int and 0 <= why <= 9 else recognition.digit
        answer["inside"] = await QUICK.run(inside.look_inside, reader.model, recognition, why)
    return answer


async def _read(reader: Recognizer, drawing: dict[str, Any]) -> Recognition:
    """Read what stands on the pad, strokes or a frame.

    Raises:
        ValueError: they are malformed; one sentence that says how.
    """
    if "frame" not in drawing:
        strokes: Any = drawing.get("strokes")
        return await recognize(reader, strokes)
    try:
        pixels = base64.b64decode(drawing["frame"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("A frame is bytes in base64.") from error
    if len(pixels) != FRAME * FRAME:
        raise ValueError(f"A frame has {FRAME}×{FRAME} bytes, this one {len(pixels)}.")
    frame = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(FRAME, FRAME)
    return await AT_ONCE.run(reader.recognize_frame, frame)
