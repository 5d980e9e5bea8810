"""The Results tab: how well networks read a test set, which of its digits they misread, and which
other drawings they take for digits.

Opening the tab fills it. The page (`results.html`, `results.js`) asks for figures and for digits;
`lenet.evaluate` defines evaluations, and `lenet.server.evaluation_cache` keeps them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import gradio as gr
import torch

from lenet.checkpoint import CheckpointError
from lenet.data import DATA_SETS, Digits
from lenet.evaluate import Evaluation
from lenet.server import recognizers
from lenet.server.data_sets import LABELS, Waiting, data_set, loading, others
from lenet.server.evaluation_cache import (
    digits_read,
    evaluation_of,
    recognitions_of_others,
    version_of,
)
from lenet.server.shares import SLOW
from lenet.ui.assets import mounting, template
from lenet.ui.gradio_page import QUIET
from lenet.ui.shared.networks import choices
from lenet.ui.shared.requests import (
    Request,
    RequestError,
    answering,
    encode,
    in_turn,
    name_in,
    whole_in,
)

NINE = 9  # test images in a row, as in the lesson
PAGE = 24  # digits that the gallery gets at once
STRIP = 7  # others below the confusion matrix, in one row
NONE = ("none", "")  # to compare with

_GROUPS = {  # of two networks: whether the first and the second are right
    "both": (True, True),
    "first": (True, False),
    "second": (False, True),
    "neither": (False, False),
}
_SHOWS = ("all", "mistakes", "digit", "cell", *_GROUPS)


def build(tab: gr.Tab, own: gr.HTML, table: gr.HTML, tabs: gr.Tabs) -> gr.HTML:
    """Build the tab's content; opening the tab fills it.

    Args:
        tab: the tab.
        own: its value says which networks are the visitor's own.
        table: of the runs; its event `results` asks for this tab with the networks that its value
            names.
        tabs: all tabs of the page.

    Returns:
        The view, whose `draw` event asks for the Draw tab.
    """
    offered = choices(None)
    first = offered[0][1] if offered else None
    with gr.Row(elem_id="results-choice"):
        network = gr.Dropdown(offered, value=first, label="Network", elem_id="results-network")
        other = gr.Dropdown([NONE], value="", label="Compare with", elem_id="results-other")
        data = gr.Radio(LABELS, value=DATA_SETS[0], label="Data", elem_id="results-data")
    view = gr.HTML(
        {"network": first, "other": "", "data": DATA_SETS[0], "own": []} if first else None,
        html_template=template("results/results.html"),
        js_on_load=mounting("results/results.js", "draw"),
        server_functions=[
            in_turn(SLOW, evaluate_networks),
            evaluation_progress,
            in_turn(SLOW, test_digits),
            in_turn(SLOW, evaluate_others),
        ],
        elem_id="results",
        apply_default_css=False,
        nine=NINE,
    )
    # The browser itself tells the view what was chosen: of two answers of the server the earlier
    # one may come last.
    fields, asked = [network, other, data], [network, other, data, own]
    for field in fields:
        field.change(None, asked, view, js=_ASKED, **QUIET)
    # What was chosen is asked for at once; where it is no longer there, its field changes.
    tab.select(None, asked, view, js=_OPENED, **QUIET)
    tab.select(_networks, [network, other, own], [network, other], **QUIET)
    table.results(_named, [table, own], [network, other], **QUIET).then(
        lambda: gr.Tabs(selected=tab.id), None, tabs, **QUIET
    )
    return view


_ASKED = "(network, other, data, own) => ({ network, other, data, own: own?.own ?? [] })"
_OPENED = _ASKED.replace("own: ", "opened: Date.now(), own: ")


def _networks(chosen: str | None, other: str, own: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The networks that there are now; a visitor's choice is kept while it is there."""
    names = [name for _, name in choices(own)]
    first: dict[str, Any] = {} if chosen in names else {"value": next(iter(names), None)}
    second: dict[str, Any] = {} if other in ("", *names) else {"value": ""}
    return _offering(own, first, second)


def _named(value: Any, own: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The networks that a row of the runs' table names, as far as they are there."""
    asked = value.get("results") if isinstance(value, dict) else None
    names = list(filter(recognizers.path_of, asked[:2])) if isinstance(asked, list) else []
    if not names:
        return gr.skip(), gr.skip()
    return _offering(own, {"value": names[0]}, {"value": names[1] if names[1:] else ""})


def _offering(
    own: Any, first: dict[str, Any], second: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    offered = choices(own)
    return gr.update(choices=offered, **first), gr.update(choices=[NONE, *offered], **second)


# ---------------------------------------------------------------- what the page asks for


@dataclass(frozen=True)
class _Asked:
    """What the fields say: the data set, and one network or two.

    Attributes:
        data: the name of the data set.
        paths: of the networks' files.
        versions: of these files when the page asked; each changes when its file does.
    """

    data: str
    paths: list[Path]
    versions: list[str]

    def evaluations(self) -> list[Evaluation]:
        """Each network's; takes about a second each where they are not kept."""
        files = zip(self.paths, self.versions, strict=True)
        return [evaluation_of(path, version, self.data) for path, version in files]


def _asked(request: Request) -> _Asked:
    """What a request asks about: only data sets and networks that there are.

    Raises:
        RequestError: there is no such data set.
        CheckpointError: there is no such network.
    """
    names = [name for name in (request.get("network"), request.get("other")) if name != ""]
    paths = [path for name in names if (path := recognizers.path_of(name))]
    if not paths or len(paths) < len(names):
        raise CheckpointError("This network is not there: choose another one, or train one.")
    return _Asked(name_in(request, "data", DATA_SETS), paths, [version_of(path) for path in paths])


class Figures(TypedDict):
    """How well a network reads the test digits.

    Attributes:
        name: of its file.
        accuracy: the share of right answers, 0..1.
        right: how many answers are right.
        wrong: how many are not.
        counts: how many test digits are a 0, a 1 …
        errors: how many of each of these it misreads.
        confusion: for each truth, how many digits got each answer.
    """

    name: str
    accuracy: float
    right: int
    wrong: int
    counts: list[int]
    errors: list[int]
    confusion: list[list[int]]


class Digit(TypedDict):
    """A test digit, and each network's ten `probabilities` of it."""

    index: int
    frame: str
    truth: int
    probabilities: list[list[float]]


class Report(TypedDict):
    """The figures of one network or two.

    Attributes:
        count: of the test digits.
        networks: each one's figures.
        versions: of their files.
        nine: the first test digits.
        groups: of two networks, the number of digits in each of `_GROUPS`.
    """

    count: int
    networks: list[Figures]
    nine: list[Digit]
    versions: list[str]
    groups: NotRequired[dict[str, int]]


class Gallery(TypedDict):
    """Some of the `total` digits that there are to show, and the `versions` of the files."""

    total: int
    digits: list[Digit]
    versions: list[str]


class Other(TypedDict):
    """A drawing that is no digit, and what a network reads in it.

    Attributes:
        frame: 28×28 bytes in base64.
        digit: the most probable one.
        is_digit: whether it is taken for one.
        digit_probability: 0..1, how probable it is that it is a digit at all.
    """

    frame: str
    digit: int
    is_digit: bool
    digit_probability: float


class Others(TypedDict):
    """What networks read in drawings that are no digits.

    Attributes:
        count: of the drawings.
        taken: for each network, how many of them it takes for digits.
        surest: those that the first network takes for digits most surely.
        versions: of the networks' files.
    """

    count: int
    taken: list[int]
    surest: list[Other]
    versions: list[str]


@answering
def evaluate_networks(request: Request) -> Report:
    """The figures of one network or two.

    Args:
        request: `data`, `network` and `other` (empty for none), names from the fields.
    """
    asked = _asked(request)
    found = asked.evaluations()
    digits = data_set(asked.data).test
    report: Report = {
        "count": len(digits),
        "networks": [_figures(p.name, e) for p, e in zip(asked.paths, found, strict=True)],
        "nine": [_digit(index, digits, found) for index in range(min(NINE, len(digits)))],
        "versions": asked.versions,
    }
    if len(found) == 2:
        report["groups"] = {name: int(_group(found, name).sum()) for name in _GROUPS}
    return report


@answering
def evaluation_progress(request: Request) -> Waiting:
    """How far `evaluate_networks` is with this request."""
    asked = _asked(request)
    for path in asked.paths:
        if (done := digits_read(path, asked.data)) is not None:
            count = len(data_set(asked.data).test)
            text = f"{recognizers.conceal(path.name)} reads the test images: {done:,} of {count:,}"
            return {"text": text, "share": done / count}
    return loading(asked.data)


@answering
def test_digits(request: Request) -> Gallery:
    """Some test digits, with what the networks answered.

    Args:
        request: that of `evaluate_networks`; which digits to `show`, one of `_SHOWS`: all in their
            order, the first network's mistakes, its mistakes about the digit `truth`, its answers
            `answer` about `truth`, or a group of two networks; and `start`, how many to leave out.
    """
    asked = _asked(request)
    show = name_in(request, "show", _SHOWS)
    if show in _GROUPS and len(asked.paths) < 2:
        raise RequestError("The request compares one network with none.")
    truth = whole_in(request, "truth", 0, 9) if show in ("digit", "cell") else 0
    answer = whole_in(request, "answer", 0, 9) if show == "cell" else 0
    digits = data_set(asked.data).test
    start = whole_in(request, "start", 0, len(digits))

    found = asked.evaluations()
    chosen = _chosen(show, truth, answer, found)
    size = NINE if show == "all" else PAGE
    return {
        "total": len(chosen),
        "digits": [_digit(index, digits, found) for index in chosen[start : start + size].tolist()],
        "versions": asked.versions,
    }


@answering
def evaluate_others(request: Request) -> Others:
    """What the networks read in letters, signs, scribbles and the like (`lenet.others`).

    Args:
        request: that of `evaluate_networks`.
    """
    asked = _asked(request)
    frames = others()
    files = zip(asked.paths, asked.versions, strict=True)
    found = [recognitions_of_others(path, version) for path, version in files]
    first = found[0]
    best = first.probabilities.max(1)
    # A network that is not calibrated takes all for digits: then the best of the ten decides.
    surest = (first.digit_probability * best.values).argsort(descending=True, stable=True)
    return {
        "count": len(frames),
        "taken": [int(each.is_digit.sum()) for each in found],
        "surest": [
            {
                "frame": encode(frames[index]),
                "digit": int(best.indices[index]),
                "is_digit": bool(first.is_digit[index]),
                "digit_probability": round(float(first.digit_probability[index]), 4),
            }
            for index in surest[:STRIP].tolist()
        ],
        "versions": asked.versions,
    }


def _figures(name: str, evaluation: Evaluation) -> Figures:
    right = int(evaluation.right.sum())
    confusion = evaluation.confusion
    return {
        "name": name,
        "accuracy": evaluation.accuracy,
        "right": right,
        "wrong": len(evaluation.labels) - right,
        "counts": confusion.sum(1).tolist(),
        "errors": (confusion.sum(1) - confusion.diagonal()).tolist(),
        "confusion": confusion.tolist(),
    }


def _chosen(show: str, truth: int, answer: int, found: list[Evaluation]) -> torch.Tensor:
    """The indices to show: mistakes come first and the surest of them first, then the least sure
    of what was read right.
    """
    first = found[0]
    if show == "all":
        return torch.arange(len(first.labels))
    if show == "mistakes":
        return first.mistakes
    if show in _GROUPS:
        return _surest_mistakes_first(_group(found, show), found)
    right_or_not = ~first.right if show == "digit" else first.answers == answer
    return _surest_mistakes_first((first.labels == truth) & right_or_not, [first])


def _group(found: list[Evaluation], name: str) -> torch.Tensor:
    """bool N, the digits that two networks read right or wrong as the group says."""
    return (found[0].right == _GROUPS[name][0]) & (found[1].right == _GROUPS[name][1])


def _surest_mistakes_first(chosen: torch.Tensor, found: list[Evaluation]) -> torch.Tensor:
    indices = chosen.nonzero().flatten()
    sure = torch.stack([e.probabilities[indices].amax(1) for e in found])
    wrong = torch.stack([~e.right[indices] for e in found])
    mistake = torch.where(wrong, sure, 0).amax(0)
    return indices[torch.where(mistake > 0, -mistake, sure.amin(0)).argsort(stable=True)]


def _digit(index: int, digits: Digits, found: list[Evaluation]) -> Digit:
    probabilities = [e.probabilities[index].tolist() for e in found]
    return {
        "index": index,
        "frame": encode(digits.frames[index]),
        "truth": int(digits.labels[index]),
        "probabilities": [[round(share, 4) for share in ten] for ten in probabilities],
    }
