"""The inside view below the pad: what the page needs of every layer, in few bytes.

`inside.html` and `inside.js` show it; the drawing pad asks for it while the view is open. This file
knows nothing of the pad.
"""

import base64
import zlib
from typing import Any

import gradio as gr
import torch

from lenet.insight import activations, attribute
from lenet.model import LeNet
from lenet.preprocess import MEAN, STD, normalize
from lenet.recognize import Recognition
from lenet.server.recognizers import recognizer
from lenet.ui.assets import mounting, template

_SHOWN = ("conv1", "conv2", "fc1", "fc2")
_WEIGHTS = ("conv1", "conv2", "fc3")


def build() -> None:
    """Build the view."""
    gr.HTML(
        html_template=template("draw/inside.html"),
        js_on_load=mounting("draw/inside.js"),
        server_functions=[read_weights],
        elem_id="inside-view",
        apply_default_css=False,
        mean=MEAN,
        deviation=STD,
    )


def look_inside(model: LeNet, recognition: Recognition, why: int) -> dict[str, Any]:
    """Everything that the view shows of one drawing.

    Args:
        model: what read it.
        recognition: what it read.
        why: the digit whose ink is looked for.

    Returns:
        `bytes`: in base64, a byte a number: the frame, the outputs of conv1, conv2, fc1 and fc2 (0
        to 255 for 0 to the layer's `scales`), and the attribution of the 32×32 pixels (1 to 255 for
        minus to plus its scale, 128 for 0). `logits`: ten floats. `why`: the digit. `network`: a
        number that changes with the weights.
    """
    inputs = normalize(recognition.pixels)[None, None]
    layers = activations(model, inputs)
    attribution = attribute(model, inputs, why).flatten()
    parts, scales = [recognition.frame.flatten()], []
    for values in (layers[name].flatten() for name in _SHOWN):
        scale = values.max().clamp(min=1e-6)
        parts.append((255 * values / scale).round().to(torch.uint8))
        scales.append(scale.item())
    scale = attribution.abs().max().clamp(min=1e-6)
    parts.append((128 + 127 * attribution / scale).round().to(torch.uint8))
    scales.append(scale.item())
    return {
        "bytes": base64.b64encode(torch.cat(parts).numpy().tobytes()).decode(),
        "scales": scales,
        "logits": layers["fc3"][0].tolist(),
        "why": why,
        "network": zlib.crc32(model.conv1.weight.detach().numpy().tobytes()),
    }


async def read_weights(checkpoint: str) -> dict[str, str]:
    """The weights of a network that the view shows, by the name of its checkpoint.

    Returns:
        `weights`: weights and biases of conv1, conv2 and fc3 as float32 in base64, in this order;
        or `error` alone: a sentence.
    """
    try:
        state = recognizer(checkpoint).model.state_dict()
    except ValueError as error:
        return {"error": str(error)}
    parts = [state[f"{name}.{kind}"].flatten() for name in _WEIGHTS for kind in ("weight", "bias")]
    return {"weights": base64.b64encode(torch.cat(parts).numpy().tobytes()).decode()}
