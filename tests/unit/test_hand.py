"""The view "Your hand": what the server answers it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runs_on_noise import run_on_few_digits
from support import epoch_event, on_own_machine, start_event

from lenet.checkpoint import SHIPPED
from lenet.drawings import Drawing, to_lines
from lenet.events import Event, Note, Taught
from lenet.preprocess import check_strokes
from lenet.server import hands
from lenet.server.queue import Queue
from lenet.server.runs import Run, Runs
from lenet.synthetic import example_strokes
from lenet.train import new_name
from lenet.ui.hand import hand
from lenet.ui.shared.networks import choices

NAME = new_name("hand", "mnist", 16)
TAUGHT = Taught(
    elapsed=9.0,
    drawings=50,
    before=31,
    after=46,
    folds=2,
    accuracy_before=0.9948,
    accuracy=0.9946,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return on_own_machine(monkeypatch, tmp_path)


@pytest.fixture
def own() -> Iterator[hand._Runs]:
    queue = Queue(Runs(run_on_few_digits))
    yield hand._Runs(queue)
    queue.runs.stop()


def text(*digits: int) -> str:
    examples = example_strokes()
    return "".join(to_lines(Drawing(d, check_strokes(examples[d])) for d in digits))


def asked(function: Any, **request: Any) -> Any:
    return hand.answering(function)(request)


# ---------------------------------------------------------------- reading


def test_drawings_are_read_each_as_one_digit_or_as_none():
    scribble = '{"label": null, "strokes": [[[0, 0], [9, 9]], [[0, 9], [9, 0]], [[0, 5], [9, 5]]]}'
    answer = hand.read_hand({"checkpoint": SHIPPED.name, "drawings": text(7, 3) + scribble})
    assert answer == {"read": [7, 3, None]}


@pytest.mark.parametrize(
    "request_, sentence",
    [
        ({"checkpoint": SHIPPED.name, "drawings": "nonsense"}, "line 1: The line is not JSON"),
        ({"checkpoint": SHIPPED.name, "drawings": text(1) * 501}, "more than 500 drawings"),
        ({"checkpoint": SHIPPED.name}, "not the text"),
        ({"checkpoint": "../x.pt", "drawings": text(1)}, "no longer there"),
        (None, "no object"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(request_: Any, sentence: str):
    assert sentence in hand.read_hand(request_)["error"]


# ---------------------------------------------------------------- networks


def test_a_visitors_own_networks_are_offered_while_they_are_there(folder: Path):
    (folder / f"{NAME}.pt").write_bytes(SHIPPED.read_bytes())
    mine = {"name": f"{NAME}.pt", "text": "Your hand, 3 PM"}
    swept = {"name": f"{new_name('hand', 'mnist', 16)}.pt", "text": "Your hand, 2 PM"}
    assert choices(None) == [(SHIPPED.name, SHIPPED.name)]
    assert choices({"own": [mine, swept]})[1:] == [(mine["text"], mine["name"])]
    update = hand._offer({"own": [mine], "choose": mine["name"]})
    assert update["value"] == mine["name"]
    assert "value" not in hand._offer({"own": [swept], "choose": swept["name"]})
    assert "value" not in hand._offer({"own": [mine], "choose": None})
    names = [mine["name"], swept["name"], 5, None]
    assert hand.still_there({"names": names}) == {"there": [mine["name"]]}


@pytest.mark.parametrize("own", ["x", [], {"own": 5}, {"own": [None, {}, {"name": 1, "text": 2}]}])
def test_nonsense_offers_nothing(own: Any):
    assert choices(own) == [(SHIPPED.name, SHIPPED.name)]
    assert "value" not in hand._offer(own)
    assert hand.still_there({"names": own}) == {"there": []}


# ---------------------------------------------------------------- teaching


def run_with(*events: Event, state: Any = "running", message: str = "") -> Run:
    return Run(state, NAME, events, message)


def test_the_state_of_a_teaching_in_words(folder: Path):
    assert hand._teaching(run_with(state="starting"))["text"] == "Loading the data…"
    early = hand._teaching(run_with(start_event()))
    assert (early["state"], early["text"], early["network"]) == ("running", "Teaching…", None)
    (folder / f"{NAME}.pt").touch()
    epoch = epoch_event(1, elapsed=4.0)
    judging = hand._teaching(run_with(start_event(), epoch))
    assert judging["network"] == f"{NAME}.pt" and judging["told"] is None
    assert judging["text"].startswith("The pad reads with it.")
    told = hand._teaching(run_with(start_event(), epoch, TAUGHT, state="finished"))["told"]
    assert told == {
        "drawings": 50,
        "before": 31,
        "after": 46,
        "folds": 2,
        "mnist_before": 0.9948,
        "mnist_after": 0.9946,
        "note": "",
    }
    note = Note(elapsed=1.0, message="Left out: 2 of 50 drawings.")
    noted = hand._teaching(run_with(start_event(), note, epoch, TAUGHT))["told"]
    assert noted and noted["note"] == note.message
    elsewhere = hand._teaching(run_with(start_event(data="synthetic"), epoch, TAUGHT))["told"]
    assert elsewhere and elsewhere["mnist_before"] is None and elsewhere["mnist_after"] is None
    assert hand._teaching(run_with(state="failed", message="No disk."))["text"] == "No disk."
    assert hand._teaching(Run("idle"))["state"] == "gone"


def test_what_cannot_be_taught_is_refused_in_a_sentence(own: hand._Runs, monkeypatch):
    assert "no drawings yet" in asked(own.teach, checkpoint=SHIPPED.name, drawings="")["error"]
    refused = asked(own.teach, checkpoint="x.pt", drawings=text(1))
    assert "no longer there" in refused["error"]
    assert "no such teaching" in asked(own.taught, run="lenet")["error"]
    assert "no such teaching" in asked(own.stop_teaching, run=None)["error"]
    assert "nothing to go on from" in asked(own.resume_teaching, run=NAME)["error"]
    monkeypatch.setenv("LENET_TRAINING", "off")
    refused = asked(own.teach, checkpoint=SHIPPED.name, drawings=text(1))
    assert "Training is off" in refused["error"]


def test_a_visitor_stops_their_own_run_only(own: hand._Runs):
    name = hands.start(own.queue, SHIPPED.name, hands.parse(text(*range(10))))
    assert "error" not in asked(own.stop_teaching, run=NAME)  # another visitor's, long ended
    assert own.runs.current().state in ("starting", "running")
    assert asked(own.stop_teaching, run=name) == {"run": name}
    assert own.runs.current().state in ("stopping", "stopped")
