"""The film in the Train tab: the first layer's kernels as they form, and the visitor's drawing read
by the network as it was at each moment of the run.

The page (`film.html`, `film.js`) is told when there is more and asks `read_moments` for it. What a
film is stands in `lenet.film`; this file knows nothing of how it comes about.
"""

import base64
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from torch.func import functional_call

from lenet.film import Snapshot, film_length, planned_length, read_film
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs, resize_frames, strokes_to_frame
from lenet.server import runs
from lenet.server.runs import Run
from lenet.synthetic import example_strokes
from lenet.ui.assets import mounting, template

EXAMPLE = 7  # is read where a visitor has drawn nothing yet
AT_ONCE = 8  # snapshots a call: no pen waits longer for its answer than these few milliseconds
KEPT = 2000  # moments: thirty visitors' films


def build() -> gr.HTML:
    """Build the film; an event that sets its value to `news(run)` makes it look for more."""
    return gr.HTML(
        html_template=template("train/film.html"),
        js_on_load=mounting("train/film.js"),
        server_functions=[read_moments],
        elem_id="train-film",
        apply_default_css=False,
        example={"digit": EXAMPLE, "strokes": example_strokes()[EXAMPLE]},
    )


def news(run: Run) -> str:
    """A text that changes when there is more to see of a run."""
    return f"{run.name} {film_length(run.film)} {run.alive}"


async def read_moments(question: dict[str, Any]) -> dict[str, Any]:
    """Tell a page what it does not know yet of the latest run's film.

    It is `async`, as `draw.read_drawing` is, to run on the event loop.

    Args:
        question: `strokes`, the drawing to read; `run`, the run that the page shows, and `known`,
            the `batches` of the moments of it that the page has.

    Returns:
        `run`; `kept`, how many of the known moments still stand; `moments`, the next few, each with
        `batches`, `digit`, `probabilities` and `kernels`, six of 25 weights row by row;
        `more`, whether further ones wait; `length`, how many there are at the run's end; `end`, its
        batches; `pixels`, the 32×32 bytes that the network sees, in base64. Where the question is
        malformed, `error` alone: a sentence for the visitor.
    """
    try:
        frame, known = _check(question)
    except ValueError as error:
        return {"error": str(error)}
    run = runs.current()
    film = _film(run)
    stands = zip(known if question.get("run") == run.name else [], film, strict=False)
    kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1].batches, stands))
    told = film[kept : kept + AT_ONCE]
    length = planned_length(film[0].batches, film[0].end) if film and run.alive else 0
    return {
        "run": run.name,
        "kept": kept,
        "moments": [_moment(run.name, snapshot, frame) for snapshot in told],
        "more": kept + len(told) < len(film),
        "length": max(length, len(film)),
        "end": film[-1].end if film else 0,
        "pixels": base64.b64encode(resize_frames(frame[None]).numpy().tobytes()).decode(),
    }


def _check(question: object) -> tuple[torch.Tensor, list[int]]:
    """The frame of the drawing, uint8 28×28, and the batches that are known.

    Raises:
        ValueError: one sentence that says what is malformed.
    """
    if not isinstance(question, dict):
        raise ValueError("Ask with an object of strokes, run and known.")
    known = question.get("known")
    if not (isinstance(known, list) and all(type(batches) is int for batches in known)):
        raise ValueError("What is known must be a list of whole numbers of batches.")
    frame = strokes_to_frame(question.get("strokes"))
    if not frame.any():
        raise ValueError("There is nothing to read: the drawing is empty.")
    return frame, known


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


_LENET = LeNet()  # whose weights do not matter: those of a snapshot take their place
_moments: dict[tuple[str, int, bytes], dict[str, Any]] = {}


def _moment(run: str, snapshot: Snapshot, frame: torch.Tensor) -> dict[str, Any]:
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
