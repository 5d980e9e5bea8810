"""The Results tab: how well networks read a test set, and which of its digits they misread.

Opening the tab fills it. The page (`results.html`, `results.js`) asks for figures and for digits;
`lenet.evaluate` defines evaluations, and `lenet.server.evaluation_cache` keeps them.
"""

import threading
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from lenet.checkpoint import CheckpointError, read
from lenet.data import DATA_SETS
from lenet.evaluate import Evaluation
from lenet.server import recognizers
from lenet.server.data_sets import LABELS, data_set, loading
from lenet.server.evaluation_cache import evaluate_once
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.requests import (
    Answer,
    RequestError,
    answering,
    encode,
    name_in,
    whole_in,
)

NINE = 9  # test images in a row, as in the lesson
PAGE = 24  # digits that the gallery gets at once
NONE = ("none", "")  # to compare with

_GROUPS = {  # of two networks: whether the first and the second are right
    "both": (True, True),
    "first": (True, False),
    "second": (False, True),
    "neither": (False, False),
}
_SHOWS = ("all", "mistakes", "digit", "cell", *_GROUPS)


def build(tab: gr.Tab) -> gr.HTML:
    """Build the tab's content; opening the tab fills it.

    Returns:
        The view, whose `draw` event asks for the Draw tab.
    """
    with gr.Row(elem_id="results-choice"):
        network = gr.Dropdown(label="Network", elem_id="results-network")
        other = gr.Dropdown([NONE], value="", label="Compare with", elem_id="results-other")
        data = gr.Radio(LABELS, value=DATA_SETS[0], label="Data", elem_id="results-data")
    view = gr.HTML(
        html_template=template("results/results.html"),
        js_on_load=mounting("results/results.js", "draw"),
        server_functions=[evaluate_networks, evaluation_progress, test_digits],
        elem_id="results",
        apply_default_css=False,
        nine=NINE,
    )
    # The browser itself tells the view what was chosen: of two answers of the server the earlier
    # one may come last.
    asked = [network, other, data]
    for field in asked:
        field.change(None, asked, view, js=_ASKED, **QUIET)
    tab.select(_networks, [network, other], [network, other], **QUIET).then(
        None, asked, view, js=_OPENED, **QUIET
    )
    return view


_ASKED = "(network, other, data) => ({ network, other, data })"
_OPENED = "(network, other, data) => ({ network, other, data, opened: Date.now() })"


def _networks(chosen: str | None, other: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The networks that there are now; a visitor's choice is kept while it is there."""
    names = list(recognizers.paths())
    first = {} if chosen in names else {"value": next(iter(names), None)}
    second = {} if other in ("", *names) else {"value": ""}
    return gr.update(choices=names, **first), gr.update(choices=[NONE, *names], **second)


# ---------------------------------------------------------------- what the page asks for


@answering
def evaluate_networks(request: Answer) -> Answer:
    """The figures of one network or two; takes about a second each where they are not kept.

    Args:
        request: `data`, `network` and `other` (empty for none), names from the fields.

    Returns:
        `count` of the test digits; for each of the `networks` what `_figures` makes; with two of
        them the number of digits in each of the `groups` of `_GROUPS`; the files' `versions`.
    """
    paths, found = _evaluations(request)
    answer = {
        "count": len(found[0].labels),
        "networks": [{"name": p.name, **_figures(e)} for p, e in zip(paths, found, strict=True)],
        "versions": [_version(path) for path in paths],
    }
    if len(found) == 2:
        answer["groups"] = {name: int(_group(found, name).sum()) for name in _GROUPS}
    return answer


@answering
def evaluation_progress(request: Answer) -> Answer:
    """How far `evaluate_networks` is with this request: a `text`, and a `share` 0..1 or None."""
    data, paths = _names(request)
    for path in paths:
        if (done := _reading.get((path, data))) is not None:
            count = len(data_set(data).test)
            text = f"{path.name} reads the test images: {done:,} of {count:,}"
            return {"text": text, "share": done / count}
    return loading(data)


@answering
def test_digits(request: Answer) -> Answer:
    """Some test digits, with what the networks answered.

    Args:
        request: that of `evaluate_networks`; which digits to `show`, one of `_SHOWS`: all in their
            order, the first network's mistakes, its mistakes about the digit `truth`, its answers
            `answer` about `truth`, or a group of two networks; and `start`, how many to leave out.

    Returns:
        `total`, how many there are to show; of those from `start` on a page of `digits`, each with
        `index`, `frame`, `truth` and, for each network, `probabilities`; the files' `versions`.
    """
    paths, found = _evaluations(request)
    digits = data_set(request["data"]).test
    chosen = _chosen(request, found)
    start = whole_in(request, "start", 0, len(digits))
    size = NINE if request["show"] == "all" else PAGE
    return {
        "total": len(chosen),
        "digits": [
            {
                "index": index,
                "frame": encode(digits.frames[index]),
                "truth": int(digits.labels[index]),
                "probabilities": [_rounded(e.probabilities[index]) for e in found],
            }
            for index in chosen[start : start + size].tolist()
        ],
        "versions": [_version(path) for path in paths],
    }


def _figures(evaluation: Evaluation) -> Answer:
    """Accuracy, right and wrong answers, both for each digit too, and the confusion matrix."""
    right = int(evaluation.right.sum())
    confusion = evaluation.confusion
    return {
        "accuracy": evaluation.accuracy,
        "right": right,
        "wrong": len(evaluation.labels) - right,
        "counts": confusion.sum(1).tolist(),
        "errors": (confusion.sum(1) - confusion.diagonal()).tolist(),
        "confusion": confusion.tolist(),
    }


def _chosen(request: Answer, found: list[Evaluation]) -> torch.Tensor:
    """The indices to show: mistakes come first and the surest of them first, then the least sure
    of what was read right.
    """
    show = name_in(request, "show", _SHOWS)
    first = found[0]
    if show == "all":
        return torch.arange(len(first.labels))
    if show == "mistakes":
        return first.mistakes
    if show in _GROUPS:
        if len(found) < 2:
            raise RequestError("The request compares one network with none.")
        return _surest_mistakes_first(_group(found, show), found)
    chosen = first.labels == whole_in(request, "truth", 0, 9)
    if show == "digit":
        chosen = chosen & ~first.right
    else:
        chosen = chosen & (first.answers == whole_in(request, "answer", 0, 9))
    return _surest_mistakes_first(chosen, [first])


def _group(found: list[Evaluation], name: str) -> torch.Tensor:
    """bool N, the digits that two networks read right or wrong as the group says."""
    return (found[0].right == _GROUPS[name][0]) & (found[1].right == _GROUPS[name][1])


def _surest_mistakes_first(chosen: torch.Tensor, found: list[Evaluation]) -> torch.Tensor:
    indices = chosen.nonzero().flatten()
    sure = torch.stack([e.probabilities[indices].amax(1) for e in found])
    wrong = torch.stack([~e.right[indices] for e in found])
    mistake = torch.where(wrong, sure, 0).amax(0)
    return indices[torch.where(mistake > 0, -mistake, sure.amin(0)).argsort(stable=True)]


def _rounded(probabilities: torch.Tensor) -> list[float]:
    return [round(value, 4) for value in probabilities.tolist()]


# ---------------------------------------------------------------- networks by name


def _names(request: Answer) -> tuple[str, list[Path]]:
    """The request's data set, and its networks: only names of files that are listed."""
    paths = recognizers.paths()
    asked = [request.get("network"), request.get("other")]
    names = [name for name in asked if name != ""]
    if not all(isinstance(name, str) and name in paths for name in names) or not names:
        raise CheckpointError("This network is not there: choose another one, or train one.")
    return name_in(request, "data", DATA_SETS), [paths[name] for name in names]


def _evaluations(request: Answer) -> tuple[list[Path], list[Evaluation]]:
    data, paths = _names(request)
    return paths, [_evaluate(path, _version(path), data) for path in paths]


def _version(path: Path) -> str:
    """Changes when the file does, as during a run; a file that is gone has one too."""
    return str(path.stat().st_mtime_ns) if path.exists() else ""


_evaluating = threading.Lock()  # one at a time: two would take twice as long, both of them
_reading: dict[tuple[Path, str], int] = {}  # how many digits the one under way has read


@lru_cache(maxsize=8)
def _evaluate(path: Path, version: str, data: str) -> Evaluation:
    checkpoint, digits = read(path), data_set(data).test
    with _evaluating:
        try:
            return evaluate_once(checkpoint, digits, partial(_reading.__setitem__, (path, data)))
        finally:
            _reading.pop((path, data), None)
