"""The Draw tab: a pad, and what the network reads while the pen moves; and the `/recognize` API.

The pad lives in the browser (`pad.html`, `canvas.js`) and asks `read_drawing` again and again. This
file knows nothing of pixels on the screen.
"""

import base64
import binascii
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from lenet.checkpoint import CheckpointError, list_checkpoints
from lenet.preprocess import FRAME, MAX_POINTS, MAX_STROKES, strokes_to_frame
from lenet.recognize import Recognizer
from lenet.synthetic import example_strokes
from lenet.ui import inside
from lenet.ui.assets import javascript, template

SEVEN = [[[10.0, 10.0], [60.0, 10.0], [30.0, 90.0]]]  # the API page's example


def build() -> gr.Dropdown:
    """Build the tab's content and return the dropdown of checkpoints."""
    names = list(_checkpoints())
    in_use = names[0] if names else None
    examples = example_strokes()
    with gr.Column(elem_id="draw"):
        pad = gr.HTML(
            value=in_use,  # the checkpoint that the pad reads with
            html_template=template("pad.html"),
            js_on_load=javascript("pixels.js", "canvas.js"),
            server_functions=[read_drawing],
            elem_id="drawing",
            apply_default_css=False,
            max_strokes=MAX_STROKES,
            max_points=MAX_POINTS,
            examples=[examples[digit] for digit in range(10)],
        )
        checkpoint = gr.Dropdown(names, value=in_use, label="Network", elem_id="checkpoint")
    inside.build(read_weights)
    checkpoint.change(
        choose_checkpoint,
        [checkpoint, pad],
        [checkpoint, pad],
        show_progress="hidden",
        api_visibility="private",
    )
    gr.api(recognize, api_name="recognize", concurrency_limit=None)
    return checkpoint


def choose_checkpoint(name: str | None, in_use: str | None) -> tuple[str | None, str | None]:
    """Read with another checkpoint, or warn and keep the one in use."""
    try:
        _recognizer(name)
    except CheckpointError as error:
        gr.Warning(str(error))
        return in_use, in_use
    return name, name


# Both of these are `async` so that they run on the event loop: a drawing takes less than a
# millisecond, and threads would queue up behind a pool.


async def read_drawing(drawing: dict[str, Any]) -> dict[str, Any]:
    """Answer the pad.

    Args:
        drawing: `strokes` as `Recognizer.recognize` takes them, or `frame`, 28×28 bytes in base64;
            `checkpoint`, a name from the dropdown; and where the inside view is open `inside`, with
            `why`, a digit or None for the one that is read.

    Returns:
        `digit`, `probabilities`, `sure`, and `pixels`: the 32×32 bytes that the network saw, in
        base64. Where it is asked for and something is drawn, `inside`. Where the drawing cannot be
        read, `error` alone: a sentence for the visitor.
    """
    try:
        frame = _frame(drawing)
        recognizer = _recognizer(drawing.get("checkpoint"))
    except ValueError as error:
        return {"error": str(error)}
    recognition = recognizer.recognize_frame(frame)
    answer = {
        "digit": recognition.digit,
        "probabilities": recognition.probabilities,
        "sure": recognition.sure,
        "pixels": base64.b64encode(recognition.pixels.numpy().tobytes()).decode(),
    }
    if isinstance(drawing.get("inside"), dict) and recognition.digit is not None:
        why = drawing["inside"].get("why")
        why = why if why in range(10) else recognition.digit
        pixels = recognition.pixels
        answer["inside"] = inside.look_inside(recognizer.model, frame, pixels, why)
    return answer


async def read_weights(checkpoint: str) -> dict[str, str]:
    """The weights that the inside view shows, or `error`: a sentence."""
    try:
        return {"weights": inside.weights_to_show(_recognizer(checkpoint).model)}
    except ValueError as error:
        return {"error": str(error)}


async def recognize(strokes: list[list[list[float]]] = SEVEN) -> dict[str, Any]:
    """Read one hand-drawn digit.

    Strokes are a list of strokes, each a list of [x, y] points, y downwards, in any unit and at any
    place. The answer is {"digit": 7, "probabilities": [ten numbers in the order of the digits]};
    the digit is null when nothing is drawn.
    """
    try:
        recognition = _recognizer(next(iter(_checkpoints()), None)).recognize(strokes)
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return {"digit": recognition.digit, "probabilities": recognition.probabilities}


def _checkpoints() -> dict[str, Path]:
    """The checkpoints by file name; one in the folder of training stands in for a shipped one."""
    return {path.name: path for path in list_checkpoints()}


def _frame(drawing: dict[str, Any]) -> torch.Tensor:
    """The uint8 28×28 frame of what stands on the pad.

    Raises:
        ValueError: the strokes or the frame are malformed; one sentence that says how.
    """
    if "frame" not in drawing:
        return strokes_to_frame(drawing.get("strokes"))
    try:
        pixels = base64.b64decode(drawing["frame"], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("A frame is bytes in base64.") from error
    if len(pixels) != FRAME * FRAME:
        raise ValueError(f"A frame has {FRAME}×{FRAME} bytes, this one {len(pixels)}.")
    return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(FRAME, FRAME)


def _recognizer(name: object) -> Recognizer:
    """The recognizer of a checkpoint by name; only names of files that are listed reach a path.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    path = _checkpoints().get(name) if isinstance(name, str) else None
    if path is None:
        raise CheckpointError("This network is no longer there: choose another one, or train one.")
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(path: Path, modified: int) -> Recognizer:
    return Recognizer.load(path)
