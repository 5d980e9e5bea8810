"""What the server answers to the lesson's panel: a fact, or a sentence that says why not."""

from pathlib import Path

import pytest
from support import finished

from lenet.lesson import STEPS
from lenet.server.runs import Runs
from lenet.ui.lesson.tab import _finder, _steps


@pytest.fixture(autouse=True)
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENET_CHECKPOINTS", str(tmp_path))


def find_out(request: object) -> dict:
    return dict(finished(_finder(Runs())(request)))


@pytest.mark.parametrize(
    "request_",
    [None, [], "4", {}, {"step": 0}, {"step": 10}, {"step": "4"}, {"step": True}, {"step": 4.0}],
)
def test_a_malformed_question_gets_one_sentence(request_: object):
    answer = find_out(request_)
    assert answer.keys() == {"error"}
    assert answer["error"].endswith(".")


def test_a_question_about_a_network_that_is_gone_gets_one_sentence():
    answer = find_out({"step": 6, "network": "../lenet.pt"})
    assert answer["error"] == "This network is not there: choose another one, or train one."


@pytest.mark.parametrize("step", [2, 3, 6])
def test_what_needs_no_data_is_answered(step: int):
    answer = find_out({"step": step, "network": "lenet.pt"})
    assert answer["right"] == STEPS[step - 1].answer
    assert answer["fact"]


def test_a_step_about_a_run_waits_for_one_or_shows_a_recorded_one(monkeypatch: pytest.MonkeyPatch):
    assert find_out({"step": 5})["right"] is None
    monkeypatch.setenv("LENET_TRAINING", "off")
    answer = find_out({"step": 5})
    assert answer["right"] == 2
    assert answer["fact"].startswith("Training is off on this server")


def test_where_training_is_off_no_step_speaks_of_a_button(monkeypatch: pytest.MonkeyPatch):
    assert [step["hint"] for step in _steps()] == [step.hint for step in STEPS]
    monkeypatch.setenv("LENET_TRAINING", "off")
    changed = [a["title"] for a, b in zip(_steps(), STEPS, strict=True) if a["hint"] != b.hint]
    assert changed == ["Training", "Going on"]
