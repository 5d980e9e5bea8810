"""The inside view below the pad: what the page needs of every layer, in few bytes.

`inside.html` and `inside.js` show it; the drawing pad asks for it while the view is open. This file
knows nothing of the pad.
"""

import zlib
from typing import NotRequired, TypedDict

import gradio as gr
import torch

from lenet.evaluate import Evaluation
from lenet.insight import UNITS, Unit, activations, attribute
from lenet.model import LeNet
from lenet.numbers import Box
from lenet.preprocess import MEAN, STD, normalize
from lenet.recognize import NumberRecognition, Recognition
from lenet.server.data_sets import usual_digits
from lenet.server.evaluation_cache import evaluate_once
from lenet.server.recognizers import recognizer, recognizer_without
from lenet.server.shares import SLOW
from lenet.ui.assets import mounting, template
from lenet.ui.shared.requests import (
    Refusal,
    Request,
    RequestError,
    answering,
    encode,
    in_turn,
)

_SHOWN = ("conv1", "conv2", "fc1", "fc2")
_WEIGHTS = ("conv1", "conv2", "fc3")
_CONSIDERED = 24  # candidates for a number's digits that are shown, besides the chosen ones


class Packed(TypedDict):
    """A tensor with a byte a number: each stands for (byte − zero) ÷ (255 − zero) × scale.

    `bytes` are in base64, in the order of the `shape`.
    """

    name: str
    shape: list[int]
    scale: float
    zero: int
    bytes: str


class PackedFloats(TypedDict):
    """A float32 tensor: its bytes in base64, in the order of the `shape`."""

    name: str
    shape: list[int]
    floats: str


class Considered(TypedDict):
    """A group of strokes that may be a digit of a number: `lenet.recognize.Candidate`."""

    box: Box
    digit: int | None
    is_digit: bool
    score: float
    chosen: bool


class Inside(TypedDict):
    """Everything that the view shows of one digit.

    `layers` are the 28×28 `frame`, the outputs of conv1, conv2, fc1 and fc2, and `why`: how much
    each of the 32×32 pixels speaks for the digit `why`. `logits` are ten floats. `network` is a
    number that changes with the weights. `lattice` are the likeliest groups of each line, where the
    digit is one of a number.
    """

    layers: list[Packed]
    logits: list[float]
    why: int
    network: int
    lattice: NotRequired[list[list[Considered]]]


class Weights(TypedDict):
    """The `weight` and the `bias` of conv1, conv2 and fc3, by names as in `conv1.weight`."""

    weights: list[PackedFloats]


class Accuracy(TypedDict):
    """How many test images a network reads right, with and without what is silenced.

    Attributes:
        data: the name of the data set.
        count: how many test images it has.
        whole: how many of them the whole network reads right.
        without: how many it reads right without what is silenced.
    """

    data: str
    count: int
    whole: int
    without: int


def build() -> None:
    """Build the view."""
    gr.HTML(
        html_template=template("draw/inside.html"),
        js_on_load=mounting("draw/inside.js"),
        server_functions=[read_weights, in_turn(SLOW, accuracy_without)],
        elem_id="inside-view",
        apply_default_css=False,
        mean=MEAN,
        deviation=STD,
    )


def look_inside(
    model: LeNet, recognition: Recognition, why: int, whole: LeNet | None = None
) -> Inside:
    """What the view shows of one drawing.

    Args:
        model: what read it.
        recognition: what it read.
        why: the digit whose ink is looked for, 0 to 9.
        whole: the network without anything silenced, whose weights the view explains; None where
            that is `model`.
    """
    inputs = normalize(recognition.pixels)[None, None]
    layers = activations(model, inputs)
    attribution = attribute(model, inputs, why)
    return {
        "layers": [
            _packed("frame", recognition.frame[None], scale=255),
            *(_packed(name, layers[name][0]) for name in _SHOWN),
            _packed("why", attribution[None], zero=128),
        ],
        "logits": layers["fc3"][0].tolist(),
        "why": why,
        "network": zlib.crc32((whole or model).conv1.weight.detach().numpy().tobytes()),
    }


def look_at_lattice(number: NumberRecognition) -> list[list[Considered]]:
    """The groups that were considered for a number: those of its path, and the best others."""
    others = [group.score for line in number.lattice for group in line if not group.chosen]
    least = sorted(others, reverse=True)[:_CONSIDERED][-1] if others else 0.0
    return [
        [
            {
                "box": group.box,
                "digit": group.recognition.digit,
                "is_digit": group.recognition.is_digit,
                "score": group.score,
                "chosen": group.chosen,
            }
            for group in line
            if group.chosen or group.score >= least
        ]
        for line in number.lattice
    ]


def units_in(sent: object) -> frozenset[Unit]:
    """What a page has silenced: a list of [layer, number], or None for nothing.

    Raises:
        RequestError: one of them is no map and no unit of the network.
    """
    if sent is None:
        return frozenset()
    if not isinstance(sent, list):
        raise RequestError("What is silenced must be a list of [layer, number].")
    return frozenset(map(_unit, sent))


def _unit(sent: object) -> Unit:
    match sent:
        case [str(layer), int(number)] if layer in UNITS and type(number) is int:
            if 0 <= number < UNITS[layer]:
                return layer, number
    kinds = ", ".join(f"{layer} 0 to {count - 1}" for layer, count in UNITS.items())
    raise RequestError(f"What is silenced must be one of {kinds}.")


@answering
def accuracy_without(request: Request) -> Accuracy:
    """How many test images are read right with and without some maps or units.

    Args:
        request: `checkpoint`, the name of a network, and `silenced`, as `units_in` takes it.
    """
    name, units = request.get("checkpoint"), units_in(request.get("silenced"))
    data = usual_digits()

    def right(found: Evaluation) -> int:
        return int(found.right.sum())

    return {
        "data": data.name,
        "count": len(data.test),
        "whole": right(evaluate_once(recognizer(name).checkpoint, data.test)),
        "without": right(evaluate_once(recognizer_without(name, units).checkpoint, data.test)),
    }


async def read_weights(checkpoint: str) -> Weights | Refusal:
    """The weights that the view shows of a network, by the name of its checkpoint."""
    try:
        state = recognizer(checkpoint).model.state_dict()
    except ValueError as error:
        return {"error": str(error)}
    names = [f"{layer}.{kind}" for layer in _WEIGHTS for kind in ("weight", "bias")]
    return {
        "weights": [
            {"name": name, "shape": list(state[name].shape), "floats": encode(state[name])}
            for name in names
        ]
    }


def _packed(name: str, values: torch.Tensor, scale: float | None = None, zero: int = 0) -> Packed:
    """A tensor in a byte a number; `scale` is its largest absolute value where none is given."""
    if scale is None:
        scale = values.abs().max().clamp(min=1e-6).item()
    numbers = (zero + (255 - zero) / scale * values).round().to(torch.uint8)
    return {
        "name": name,
        "shape": list(values.shape),
        "scale": scale,
        "zero": zero,
        "bytes": encode(numbers),
    }
