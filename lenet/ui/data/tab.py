"""The Data tab: what a network learns from, image by image, and how training varies it.

Opening the tab fills it. The page (`data.html`, `data.js`) asks for images by their index; this
file knows nothing of networks.
"""

import math
from typing import TypedDict

import gradio as gr
import torch

from lenet.augment import (
    FRAME_LEAN,
    FRAME_ROTATION,
    FRAME_SHIFT,
    FRAME_SIZE,
    FRAME_SLANT,
    random_affine,
    vary_frames,
)
from lenet.data import DATA_SETS, Digits
from lenet.preprocess import MEAN, STD, frames_to_inputs
from lenet.recipes import RECIPES
from lenet.server.data_sets import LABELS, Waiting, data_set, loading, means
from lenet.server.shares import SLOW
from lenet.ui.assets import mounting, template
from lenet.ui.shared.requests import Request, answering, encode, in_turn, name_in, whole_in

NINE = 9  # images at once, as in the lesson
VARIATIONS = 12  # of one image
ALL = -1  # in the place of a digit
BATCH = RECIPES["tutorial"].batch_size

_HALVES = ("train", "test")
_MOST = 1 << 31  # no index and no seed is larger


def build() -> gr.HTML:
    """Build the tab's content; its page fills itself when the tab is opened.

    Returns:
        The view, whose `draw` event asks for the Draw tab.
    """
    data = gr.Radio(LABELS, value=DATA_SETS[0], label="Data", elem_id="data-set")
    view = gr.HTML(
        value=DATA_SETS[0],  # the data set that the page shows
        html_template=template("data/data.html"),
        js_on_load=mounting("data/data.js", "draw"),
        server_functions=[
            in_turn(SLOW, describe_data),
            loading_progress,
            in_turn(SLOW, browse_digits),
            in_turn(SLOW, vary_digit),
        ],
        elem_id="data",
        apply_default_css=False,
        nine=NINE,
        all=ALL,
        mean=f"{MEAN:g}",
        deviation=f"{STD:g}",
        right=f"{FRAME_ROTATION + FRAME_LEAN:.0f}",
        left=f"{FRAME_ROTATION - FRAME_LEAN:.0f}",
        size=f"{FRAME_SIZE:.0%}",
        slant=f"{math.degrees(math.atan(FRAME_SLANT)):.0f}",
        shift=f"{FRAME_SHIFT:.0f}",
    )
    data.change(None, data, view, js="(name) => name", api_visibility="private")
    return view


# ---------------------------------------------------------------- what the page asks for


class DigitFacts(TypedDict):
    """Of one digit, the `count` of its training images and their `mean`, a frame in base64."""

    count: int
    mean: str


class Facts(TypedDict):
    """Of a data set: how many `train` and `test` images it has, the shapes of a batch's `images`
    and `labels`, and facts about each of the ten `digits`.
    """

    train: int
    test: int
    images: list[int]
    labels: list[int]
    digits: list[DigitFacts]


class Image(TypedDict):
    """An image by its `index` in its half of the data set; its `frame` is in base64."""

    index: int
    frame: str
    label: int


class Images(TypedDict):
    """Of the `total` images that show a digit, nine from a `position` among these."""

    total: int
    position: int
    images: list[Image]


class Variations(TypedDict):
    """Frames of 32×32 bytes, in base64."""

    frames: list[str]


@answering
def describe_data(request: Request) -> Facts:
    """How many images there are and of which shape, and the mean image of each digit.

    Args:
        request: `data`, the name of a data set.
    """
    data = data_set(name_in(request, "data", DATA_SETS))
    batch = Digits(data.train.frames[:BATCH], data.train.labels[:BATCH])
    return {
        "train": len(data.train),
        "test": len(data.test),
        "images": list(frames_to_inputs(batch.frames).shape),
        "labels": list(batch.labels.shape),
        "digits": [
            {"count": int((data.train.labels == digit).sum()), "mean": encode(mean)}
            for digit, mean in enumerate(means(data.name))
        ],
    }


@answering
def loading_progress(request: Request) -> Waiting:
    """How far `data` has been loaded."""
    return loading(name_in(request, "data", DATA_SETS))


@answering
def browse_digits(request: Request) -> Images:
    """Nine images one after the other.

    Args:
        request: `data`; the `half` train or test; the `digit` that they show, or `ALL`; the index
            `at` of the first one, or of one before it; and `step`, how many times nine to go on
            from there.
    """
    digits = _half(request)
    digit = whole_in(request, "digit", ALL, 9)
    at, step = whole_in(request, "at", 0, _MOST), whole_in(request, "step", -1, 1)
    indices = (
        torch.arange(len(digits)) if digit == ALL else (digits.labels == digit).nonzero()[:, 0]
    )
    position = int(torch.searchsorted(indices, at)) + step * NINE
    position = max(0, min(position, len(indices) - 1))
    return {
        "total": len(indices),
        "position": position,
        "images": [
            {
                "index": index,
                "frame": encode(digits.frames[index]),
                "label": int(digits.labels[index]),
            }
            for index in indices[position : position + NINE].tolist()
        ],
    }


@answering
def vary_digit(request: Request) -> Variations:
    """An image as recipe best shows it to a network, a dozen times.

    Args:
        request: `data` and `half`, the image's `index`, and a `seed`.
    """
    digits = _half(request)
    index = whole_in(request, "index", 0, len(digits) - 1)
    generator = torch.Generator().manual_seed(whole_in(request, "seed", 0, _MOST))
    frames = digits.frames[index].expand(VARIATIONS, -1, -1)
    inputs = vary_frames(frames, random_affine(VARIATIONS, generator))[:, 0]
    pixels = (inputs * STD + MEAN).mul(255).round().clamp(0, 255).byte()
    return {"frames": [encode(frame) for frame in pixels]}


def _half(request: Request) -> Digits:
    data = data_set(name_in(request, "data", DATA_SETS))
    return data.train if name_in(request, "half", _HALVES) == "train" else data.test
