"""The view "Your hand": a visitor's own drawings, and teaching a network with them.

The drawings lie in the visitor's browser (`store.js`) and come here only to be read or taught. This
file knows nothing of how a network is taught.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import gradio as gr

from lenet.preprocess import MAX_POINTS, MAX_STROKES
from lenet.recognize import MAX_DRAWINGS
from lenet.server import visitors
from lenet.server.recognizers import recognizer
from lenet.server.shares import SLOW
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.networks import OWN, choices, is_there
from lenet.ui.shared.requests import Request, RequestError, answering, in_turn


class Read(TypedDict):
    """What a network reads in each of some drawings: a digit, or None where it is none."""

    read: list[int | None]


class There(TypedDict):
    """Those names of networks that the server has."""

    there: list[str]


class Started(TypedDict):
    """The run that teaches, by its name, which is a secret of the visitor's."""

    run: str


class Told(TypedDict):
    """What a teaching has changed.

    `drawings` of the visitor's were judged, each by a network that was taught without it, in so
    many `folds`; `before` and `after` of them were read right. `mnist_before` and `mnist_after` are
    the accuracies on MNIST's test images, 0..1, or None where these are not to be had.
    """

    drawings: int
    before: int
    after: int
    folds: int
    mnist_before: float | None
    mnist_after: float | None


class Teaching(TypedDict):
    """How far a teaching is.

    `state` is that of a run, waiting or gone; `text` says how far it is, or why it failed, and
    `share` 0..1 is what is done of it. At the end `network` is the name of the one that was taught.
    """

    state: str
    text: str
    share: float | None
    network: str | None
    told: Told | None


def build(network: gr.Dropdown) -> gr.HTML:
    """Build the view.

    Args:
        network: the Draw tab's dropdown, which offers the visitor's own networks too.

    Returns:
        The view, whose value says which networks are this visitor's own (`Own`).
    """
    view = gr.HTML(
        html_template=template("hand/hand.html"),
        js_on_load=mounting("hand/hand.js", "own"),
        server_functions=[
            in_turn(SLOW, read_hand),
            in_turn(SLOW, still_there),
            teach,
            taught,
            stop_teaching,
            resume_teaching,
        ],
        elem_id="hand",
        apply_default_css=False,
        network=network.value or "",
        training=visitors.policy().training,
        max_strokes=MAX_STROKES,
        max_points=MAX_POINTS,
    )
    view.own(_offer, view, network, **QUIET)
    return view


def _offer(own: Any) -> dict[str, Any]:
    """Offer the networks that were taught in a browser, and choose the one that it names."""
    offered = choices(own)
    chosen = own.get("choose") if isinstance(own, dict) else None
    chosen_is_there = chosen in [name for _, name in offered]
    return gr.update(choices=offered, **({"value": chosen} if chosen_is_there else {}))


@answering
def read_hand(request: Request) -> Read:
    """Read drawings as the pad reads one digit.

    Args:
        request: `checkpoint`, the name of a network, and `drawings`, at most 500, each strokes as
            `Recognizer.recognize` takes them.
    """
    reader = recognizer(request.get("checkpoint"))
    try:
        found = reader.recognize_many(_drawings(request))
    except ValueError as error:
        raise RequestError(str(error)) from error
    return {"read": [each.digit if each.is_digit else None for each in found]}


@answering
def still_there(request: Request) -> There:
    """Which of the `names` of networks the server has."""
    names = request.get("names")
    return {"there": list(filter(is_there, names[:OWN])) if isinstance(names, list) else []}


def _drawings(request: Request) -> Sequence[Any]:
    drawings = request.get("drawings")
    if not isinstance(drawings, list) or len(drawings) > MAX_DRAWINGS:
        raise RequestError(f"The drawings must be a list of at most {MAX_DRAWINGS}.")
    return drawings


# ---------------------------------------------------------------- teaching


@answering
def teach(request: Request) -> Started:
    """Begin to teach a network a visitor's hand.

    Args:
        request: `checkpoint`, the name of the network to start from; `drawings`, each with its
            `label`, a digit or None, and its `strokes`; `password`, the owner's.
    """
    raise RequestError("This server cannot teach yet.")


@answering
def taught(request: Request) -> Teaching:
    """How far the `run` is that teaches."""
    raise RequestError("This server cannot teach yet.")


@answering
def stop_teaching(request: Request) -> Started:
    """Stop the `run` that teaches; `password` is the owner's."""
    raise RequestError("This server cannot teach yet.")


@answering
def resume_teaching(request: Request) -> Started:
    """Go on with the `run` where it was stopped; `password` is the owner's."""
    raise RequestError("This server cannot teach yet.")
