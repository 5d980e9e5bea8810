"""The view "Your hand": a visitor's own drawings, and teaching a network with them.

The drawings lie in the visitor's browser (`store.js`) and come here only to be read or taught. This
file knows nothing of how a network is taught.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import gradio as gr

from lenet.events import Event, Note, Start, Taught, latest
from lenet.preprocess import MAX_POINTS, MAX_STROKES
from lenet.server import hands, visitors
from lenet.server.queue import Queue
from lenet.server.recognizers import path_of, recognizer
from lenet.server.runs import Run
from lenet.server.shares import QUICK, SLOW
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.networks import OWN, choices
from lenet.ui.shared.requests import Request, answering, in_turn, refusing_request
from lenet.ui.train.status import status


class Read(TypedDict):
    """What a network reads in each of some drawings: a digit, or None where it is none."""

    read: list[int | None]


class There(TypedDict):
    """Of the names of networks that a page asked about, those that the server still has."""

    there: list[str]


class Started(TypedDict):
    """A run that teaches, by its name, which is a secret of the visitor's."""

    run: str


class Told(TypedDict):
    """What a teaching has changed.

    Attributes:
        drawings: how many it was taught.
        before: how many of them the network read right before.
        after: how many of them were read right, each by a network that was taught without it; None
            where there are too few drawings for that.
        folds: into which the drawings were divided for that.
        mnist_before: the accuracy on MNIST's test images before, 0..1; None without MNIST.
        mnist_after: the same after.
        note: a sentence on how it went; "" where there is nothing to say.
    """

    drawings: int
    before: int
    after: int | None
    folds: int
    mnist_before: float | None
    mnist_after: float | None
    note: str


class Teaching(TypedDict):
    """How far a teaching is.

    `state` is that of a run, waiting or gone; `text` says how far it is, or why it failed, and
    `share`, 0..1, how much is done. `network` is the name of the taught network, which is there
    before the run has measured what `told` says.
    """

    state: str
    text: str
    share: float | None
    network: str | None
    told: Told | None


def build(network: gr.Dropdown, queue: Queue) -> gr.HTML:
    """Build the view.

    Args:
        network: the Draw tab's dropdown, which offers the visitor's own networks too.
        queue: of the server's runs.

    Returns:
        The view, whose value says which networks are this visitor's own (`Own`).
    """
    own = _Runs(queue)
    view = gr.HTML(
        html_template=template("hand/hand.html"),
        js_on_load=mounting("hand/hand.js", "own"),
        server_functions=[
            in_turn(SLOW, read_hand),
            still_there,
            in_turn(QUICK, answering(own.teach)),
            answering(own.taught),
            answering(own.stop_teaching),
            in_turn(QUICK, answering(own.resume_teaching)),
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
    """Read drawings, each as one digit.

    Args:
        request: `checkpoint`, the name of a network, and `drawings`, the text of a drawings file.
    """
    reader = recognizer(request.get("checkpoint"))
    with refusing_request():
        return {"read": hands.read_digits(reader, hands.parse(request.get("drawings")))}


@answering
def still_there(request: Request) -> There:
    """Which of the `names` of networks the server has."""
    names = request.get("names")
    return {"there": list(filter(path_of, names[:OWN])) if isinstance(names, list) else []}


# ---------------------------------------------------------------- teaching


class _Runs:
    """What the view asks of the run that teaches its visitor's hand."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.runs = queue.runs

    def teach(self, request: Request) -> Started:
        """Begin to teach a network a visitor's hand.

        Args:
            request: `checkpoint`, the name of the network to start from; `drawings`, the text of a
                drawings file; `password`, the owner's.
        """
        with refusing_request():
            drawings = hands.parse(request.get("drawings"))
            network, password = request.get("checkpoint"), request.get("password")
            return {"run": hands.start(self.queue, network, drawings, password)}

    def taught(self, request: Request) -> Teaching:
        """How far the `run` is that teaches."""
        with refusing_request():
            run = hands.run_of(self.runs, request.get("run"))
            return _WAITING if hands.waits(self.queue, run.name) else _teaching(run)

    def stop_teaching(self, request: Request) -> Started:
        """Stop the `run` that teaches; `password` is the owner's."""
        with refusing_request():
            run = hands.run_of(self.runs, request.get("run"))
            if hands.waits(self.queue, run.name):
                self.queue.take_out(run.name, request.get("password"))
            elif run.alive:
                visitors.stop(self.runs, request.get("password"))
            return {"run": str(run.name)}

    def resume_teaching(self, request: Request) -> Started:
        """Go on with the `run` where it was stopped; `password` is the owner's."""
        with refusing_request():
            return {"run": hands.resume(self.queue, request.get("run"), request.get("password"))}


def _teaching(run: Run) -> Teaching:
    network = hands.network_of(run)
    state = "gone" if run.state == "idle" else run.state
    return {
        "state": state,
        "text": run.message or _TEXTS.get(state, "") or (_JUDGING if network else _TAUGHT),
        "share": None if network else status(run).share,
        "network": network,
        "told": _told(run.events),
    }


_WAITING: Teaching = {
    "state": "waiting",
    "text": "Waiting for the run that is under way…",
    "share": None,
    "network": None,
    "told": None,
}
_TEXTS = {
    "starting": "Loading the data…",
    "stopping": "Stopping…",
    "stopped": "Stopped.",
    "gone": "The server no longer has this teaching: teach again.",
}
_TAUGHT = "Teaching…"
_JUDGING = "The pad reads with it. Measuring what has changed…"


def _told(events: Sequence[Event]) -> Told | None:
    start, taught = latest(events, Start), latest(events, Taught)
    if start is None or taught is None:
        return None
    is_mnist, note = start.data == "mnist", latest(events, Note)
    return {
        "drawings": taught.drawings,
        "before": taught.before,
        "after": taught.after,
        "folds": taught.folds,
        "mnist_before": taught.accuracy_before if is_mnist else None,
        "mnist_after": taught.accuracy if is_mnist else None,
        "note": note.message if note else "",
    }
