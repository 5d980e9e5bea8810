"""lenet.ui.lesson.facts: the answers to the lesson's questions."""

import re

import pytest
import torch
from support import epoch_event, small_set, start_event

from lenet.checkpoint import SHIPPED, read
from lenet.data import DataError
from lenet.evaluate import Evaluation
from lenet.events import Event
from lenet.lesson import STEPS
from lenet.server import data_sets
from lenet.ui.lesson import facts


def epoch(number: int, accuracy: float) -> Event:
    return epoch_event(number, elapsed=1.0, test_accuracy=accuracy)


def evaluation(answers: list[int], labels: list[int]) -> Evaluation:
    count = len(labels)
    every = torch.ones(count, dtype=torch.bool)
    probabilities = torch.eye(10)[torch.tensor(answers)]
    return Evaluation(probabilities, torch.ones(count), every, every, torch.tensor(labels))


def test_without_mnist_the_lesson_is_about_synthetic_digits(monkeypatch: pytest.MonkeyPatch):
    def data_set(name: str):
        if name == "mnist":
            raise DataError("There is no mirror.")
        return small_set()

    monkeypatch.setattr(data_sets, "data_set", data_set)
    assert data_sets.usual_digits().name == "synthetic"


def test_the_most_common_digit():
    train = small_set().train
    found = facts.most_common(small_set())
    assert found["right"] == int(train.labels.bincount().argmax())
    assert found["data"] == "synthetic"


def test_paper_and_ink():
    assert facts.paper()["fact"] == "(0 − 0.1307) ÷ 0.3081 = −0.42, and full ink becomes 2.82."


def test_the_weights_add_up():
    rows = facts.layers().get("rows") or []
    assert [row[-1] for row in rows[1:]] == ["156", "2,572", "50,692", "60,856", "61,706"]
    assert rows[2][2] == "16 × (6×5×5 + 1) = 2,416"


@pytest.mark.parametrize(
    ("accuracy", "guess"), [(0.1, 0), (0.35, 0), (0.6, 1), (0.985, 2), (1.0, 2)]
)
def test_the_guess_nearest_to_the_first_epoch(accuracy: float, guess: int):
    run = [start_event(), epoch(1, accuracy), epoch(2, 1.0)]
    assert facts.first_epoch(run, closed=False)["right"] == guess


def test_before_the_first_epoch_there_is_no_answer():
    assert facts.first_epoch([], closed=False)["right"] is None
    found = facts.first_epoch([start_event()], closed=False)
    assert found["right"] is None and "first epoch" in found["fact"]


def test_a_run_that_teaches_a_hand_is_no_answer():
    run = [start_event(recipe="hand"), epoch(1, 0.9)]
    assert facts.first_epoch(run, closed=False)["right"] is None


def test_where_training_is_off_a_recorded_run_stands_in():
    found = facts.first_epoch([], closed=True)
    assert found["right"] == 2
    assert found["fact"].startswith("Training is off on this server; this is a recorded run.")
    chart = found.get("chart")
    assert chart and [drawn["title"] for drawn in chart["charts"]] == ["Loss"]
    run = [start_event(), epoch(1, 0.3)]
    assert facts.first_epoch(run, closed=True)["right"] == 0  # the page shows this one


def test_what_a_checkpoint_holds():
    found = facts.checkpoint_content(read(SHIPPED), "lenet.pt")
    assert "The weights of lenet.pt are 246,824 bytes." in found["fact"]
    assert ["conv2", "16×6×5×5", "16", "9,664"] in (found.get("rows") or [])


@pytest.mark.parametrize(("wrong", "guess"), [(52, 2), (0, 2), (140, 1), (206, 1), (900, 0)])
def test_the_guess_nearest_to_the_mistakes(wrong: int, guess: int):
    found = facts.errors(
        evaluation([1] * wrong + [2] * (10_000 - wrong), [2] * 10_000), "a", "mnist"
    )
    assert found["right"] == guess
    assert f"a misreads {wrong:,} of 10,000" in found["fact"]


def test_the_digit_that_is_misread_most():
    labels = [7, 7, 7, 3, 3, 5]
    found = facts.hardest_digit(evaluation([1, 1, 7, 3, 5, 5], labels), "a.pt", "mnist")
    assert found["right"] == 7
    assert found["fact"] == "It is the 7: a.pt misreads 2 of 3, mostly as 1."
    assert facts.hardest_digit(evaluation(labels, labels), "a.pt", "mnist")["right"] is None


@pytest.fixture
def held_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data_sets, "load", lambda name: small_set())
    caches = (data_sets._load, facts._descents, facts._runs)
    for function in caches:
        function.cache_clear()
    yield
    for function in caches:
        function.cache_clear()


def test_the_experiments_confirm_the_lesson(held_set: None):
    one = facts.one_step(small_set())
    assert one["right"] == STEPS[3].answer
    losses = {rate: descent.losses for rate, descent in facts._descents("synthetic").items()}
    assert abs(losses["0.001"][-1] - losses["0.001"][0]) < 0.05
    assert losses["0.1"][-1] < losses["0.001"][-1] - 0.05
    chart = one.get("chart")
    assert chart and chart["epochs"] == 60 and one.get("across") == "step"
    rates = ["0.001", "0.01", "0.1", "1"]
    assert list(chart["charts"][0]["lines"]) == rates
    tries = one.get("tries") or []
    assert [each["name"] for each in tries] == rates
    numbers = re.findall(r"−?\d+\.\d{4}", tries[-1]["text"])
    weight, gradient, after = (float(number.replace("−", "-")) for number in numbers)
    assert after == pytest.approx(weight - gradient, abs=2e-4)
    assert f"after sixty steps {losses['1'][-1]:.2f}." in tries[-1]["text"]
    two = facts.going_on(small_set())
    assert two["right"] == STEPS[8].answer
    chart = two.get("chart")
    assert chart and list(chart["charts"][0]["lines"]) == ["never stopped", "weights alone"]
