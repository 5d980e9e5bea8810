"""The film in the Train tab: the first layer's kernels as they form, and the visitor's drawing read
by the network as it was at each moment of the run.

The page (`film.html`, `film.js`) hears when there is more and asks `read_moments` for it.
`lenet.film` defines films; this file knows nothing of how one is made.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, TypedDict

import gradio as gr
import torch
from torch.func import functional_call

from lenet.events import Start, latest
from lenet.film import Snapshot, film_length, planned_length, read_film
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs, resize_frames, strokes_to_frame
from lenet.server.recognizers import conceal
from lenet.server.runs import Run, Runs
from lenet.server.shares import QUICK
from lenet.synthetic import example_strokes
from lenet.ui.assets import mounting, template
from lenet.ui.shared.requests import Refusal, encode, in_turn

EXAMPLE = 7  # is read where a visitor has drawn nothing yet
AT_ONCE = 8  # snapshots a call, so that nobody waits long for a turn
KEPT = 2000  # moments: thirty visitors' films


def build(runs: Runs) -> gr.HTML:
    """Build the film; an event that sets its value to `news(run)` makes it look for more."""
    return gr.HTML(
        html_template=template("train/film.html"),
        js_on_load=mounting("train/film.js"),
        server_functions=[reading(runs)],
        elem_id="train-film",
        apply_default_css=False,
        example={"digit": EXAMPLE, "strokes": example_strokes()[EXAMPLE]},
    )


def news(run: Run) -> str:
    """A text that changes when there is more to see of a run."""
    return f"{_name(run)} {film_length(run.film)} {run.alive}"


def _name(run: Run) -> str | None:
    """The name by which a page may know a run; None where none ever ran."""
    return conceal(run.name) if run.name else None


class Moment(TypedDict):
    """What a network read at one moment of its run.

    Attributes:
        batches: done by then.
        digit: its answer.
        probabilities: of the ten digits.
        kernels: the first layer's, six of 25 weights row by row.
    """

    batches: int
    digit: int
    probabilities: list[float]
    kernels: list[list[float]]


class Moments(TypedDict):
    """What a page does not know yet of the latest run's film.

    Attributes:
        run: its name; None where none ever ran.
        kept: how many of the moments that the page knows still stand.
        moments: the next few.
        more: whether further ones wait.
        length: how many moments the film has at the run's end.
        end: how many batches the run has at its end.
        pixels: the 32×32 bytes that the network sees, in base64.
    """

    run: str | None
    kept: int
    moments: list[Moment]
    more: bool
    length: int
    end: int
    pixels: str


def moments_of(run: Run, question: object) -> Moments | Refusal:
    """What a page does not know yet of a run's film.

    Args:
        run: the latest one.
        question: an object with `strokes`, the drawing to read; `run`, the run that the page shows;
            and `known`, the `batches` of the moments of it that the page has.
    """
    try:
        asked = _check(question)
    except ValueError as error:
        return {"error": str(error)}
    film = _film(run)
    name = _name(run)
    stands = zip(asked.known if asked.run == name else [], film, strict=False)
    kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].batches, stands))
    told = film[kept : kept + AT_ONCE]
    start = latest(run.events, Start)
    length = 0
    if film and start and run.alive:
        length = planned_length(film[0].batches, film[0].end, start.batches)
    return {
        "run": name,
        "kept": kept,
        "moments": [_moment(run.name, snapshot, asked.frame) for snapshot in told],
        "more": kept + len(told) < len(film),
        "length": max(length, len(film)),
        "end": film[-1].end if film else 0,
        "pixels": encode(resize_frames(asked.frame[None])),
    }


def reading(runs: Runs) -> Callable[[object], Awaitable[Moments | Refusal]]:
    """The server function `read_moments`, which answers the page."""

    def read_moments(question: object) -> Moments | Refusal:
        return moments_of(runs.current(), question)

    return in_turn(QUICK, read_moments)


@dataclass(frozen=True)
class _Question:
    """The frame of the drawing, uint8 28×28, and what the page knows: a run and its moments."""

    frame: torch.Tensor
    run: object
    known: list[int]


def _check(question: object) -> _Question:
    """A question as `moments_of` takes it.

    Raises:
        ValueError: one sentence that says what is malformed.
    """
    if not isinstance(question, dict):
        raise ValueError("Ask with an object of strokes, run and known.")
    known = question.get("known")
    if not (isinstance(known, list) and all(type(batches) is int for batches in known)):
        raise ValueError("What is known must be a list of whole numbers of batches.")
    strokes: Any = question.get("strokes")
    frame = strokes_to_frame(strokes)  # says what is malformed
    if not frame.any():
        raise ValueError("There is nothing to read: the drawing is empty.")
    return _Question(frame, question.get("run"), known)


def _film(run: Run) -> tuple[Snapshot, ...]:
    try:
        stat = run.film.stat()
    except OSError:  # it has none
        return ()
    return _snapshots(run.film, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _snapshots(path: Path, changed: int, size: int) -> tuple[Snapshot, ...]:
    """The film, read once for all who watch it each time that it grew."""
    return tuple(read_film(path))


_LENET = LeNet()  # its weights do not matter: a snapshot's take their place
_moments: dict[tuple[str | None, int, bytes], Moment] = {}


def _moment(run: str | None, snapshot: Snapshot, frame: torch.Tensor) -> Moment:
    """What a page shows of a snapshot, read once for each drawing."""
    key = run, snapshot.batches, frame.numpy().tobytes()
    if key not in _moments:
        if len(_moments) >= KEPT:
            _moments.clear()
        state = snapshot.state()
        with torch.inference_mode():
            inputs = frames_to_inputs(frame[None])
            probabilities = functional_call(_LENET, state, inputs)[0].softmax(0).tolist()
        _moments[key] = {
            "batches": snapshot.batches,
            "digit": probabilities.index(max(probabilities)),
            "probabilities": [round(p, 4) for p in probabilities],
            "kernels": [
                [round(w, 4) for w in kernel]
                for kernel in state["conv1.weight"].flatten(1).tolist()
            ],
        }
    return _moments[key]
