"""The Draw tab: a pad, and what the network reads while the pen moves.

The pad lives in the browser (`pad.html`, `canvas.js`) and asks `read_drawing` again and again. This
file knows nothing of pixels on the screen.
"""

import base64
from pathlib import Path
from typing import Any

import gradio as gr

from lenet.checkpoint import CheckpointError
from lenet.networks import paths, recognize, recognizer
from lenet.preprocess import MAX_POINTS, MAX_STROKES
from lenet.synthetic import example_strokes

HERE = Path(__file__).parent


def build() -> gr.Dropdown:
    """Build the tab's content and return the dropdown of checkpoints."""
    names = list(paths())
    in_use = names[0] if names else None
    examples = example_strokes()
    with gr.Column(elem_id="draw"):
        pad = gr.HTML(
            value=in_use,  # the checkpoint that the pad reads with
            html_template=(HERE / "pad.html").read_text(),
            js_on_load=(HERE / "canvas.js").read_text(),
            server_functions=[read_drawing],
            elem_id="drawing",
            apply_default_css=False,
            max_strokes=MAX_STROKES,
            max_points=MAX_POINTS,
            examples=[examples[digit] for digit in range(10)],
        )
        checkpoint = gr.Dropdown(names, value=in_use, label="Network", elem_id="checkpoint")
    checkpoint.change(
        choose_checkpoint,
        [checkpoint, pad],
        [checkpoint, pad],
        show_progress="hidden",
        api_visibility="private",
    )
    return checkpoint


def choose_checkpoint(name: str | None, in_use: str | None) -> tuple[str | None, str | None]:
    """Read with another checkpoint, or warn and keep the one in use."""
    try:
        recognizer(name)
    except CheckpointError as error:
        gr.Warning(str(error))
        return in_use, in_use
    return name, name


async def read_drawing(drawing: dict[str, Any]) -> dict[str, Any]:
    """Answer the pad.

    Args:
        drawing: `strokes` as `Recognizer.recognize` takes them, and `checkpoint`, a name from the
            dropdown.

    Returns:
        `digit`, `probabilities`, `sure`, and `pixels`: the 32×32 bytes that the network saw, in
        base64. Where the drawing cannot be read, `error` alone: a sentence for the visitor.
    """
    if not isinstance(drawing, dict):
        return {"error": "A drawing must be an object with strokes and a checkpoint."}
    try:
        reader = recognizer(drawing.get("checkpoint"))
        recognition = await recognize(reader, drawing.get("strokes"))
    except ValueError as error:
        return {"error": str(error)}
    return {
        "digit": recognition.digit,
        "probabilities": recognition.probabilities,
        "sure": recognition.sure,
        "pixels": base64.b64encode(recognition.pixels.numpy().tobytes()).decode(),
    }
