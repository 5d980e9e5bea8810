"""lenet.server.evaluation_cache: computed once, found again by content, never in the way."""

import os
from pathlib import Path

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import Checkpoint
from lenet.data import Digits
from lenet.evaluate import Evaluation, evaluate
from lenet.server import evaluation_cache
from lenet.server.evaluation_cache import content_key, evaluate_once
from lenet.synthetic import synthetic_digits

DIGITS = Digits(*synthetic_digits(30, seed=5))


def network(seed: int = 0, **beside) -> Checkpoint:
    torch.manual_seed(seed)
    return Checkpoint(LeNet().state_dict(), **beside)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    return tmp_path / "evaluations"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoint]:
    """The checkpoints that were evaluated, and not found."""
    calls = []

    def count(checkpoint: Checkpoint, digits: Digits, progress) -> Evaluation:
        calls.append(checkpoint)
        return evaluate(checkpoint, digits, progress)

    monkeypatch.setattr(evaluation_cache, "evaluate", count)
    return calls


def test_what_is_found_again_is_what_was_computed(computed: list):
    first = evaluate_once(network(sure_above=0.25), DIGITS)
    again = evaluate_once(network(sure_above=0.25), DIGITS)
    assert len(computed) == 1
    expected = evaluate(network(sure_above=0.25), DIGITS)
    for found in (first, again):
        assert found.probabilities.equal(expected.probabilities)
        assert found.labels.equal(DIGITS.labels)
        assert found.sure_above == 0.25


def test_the_name_of_the_file_and_the_run_play_no_part(computed: list):
    evaluate_once(network(), DIGITS)
    evaluate_once(network(path=Path("another.pt"), accuracy=0.5, run={"epoch": 3}), DIGITS)
    assert len(computed) == 1


def test_other_weights_another_threshold_or_other_digits_are_another_evaluation(computed: list):
    fewer = Digits(DIGITS.frames[1:], DIGITS.labels[1:])
    relabelled = Digits(DIGITS.frames, DIGITS.labels.roll(1))
    asked = [
        (network(), DIGITS),
        (network(seed=1), DIGITS),
        (network(temperature=2.0), DIGITS),
        (network(sure_above=0.5), DIGITS),
        (network(), fewer),
        (network(), relabelled),
        (network(averaged=network(seed=2).network), DIGITS),
    ]
    assert len({content_key(*each) for each in asked}) == len(asked)
    for checkpoint, digits in asked:
        found = evaluate_once(checkpoint, digits)
        assert found.probabilities.equal(evaluate(checkpoint, digits).probabilities)
    assert len(computed) == len(asked)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
    ],
    ids=["cut off", "empty", "one bit"],
)
def test_a_damaged_file_is_computed_anew_and_replaced(folder: Path, computed: list, damage):
    expected = evaluate_once(network(), DIGITS).probabilities
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert evaluate_once(network(), DIGITS).probabilities.equal(expected)
    assert evaluate_once(network(), DIGITS).probabilities.equal(expected)
    assert len(computed) == 2


def test_a_folder_that_cannot_be_written_is_no_error(folder: Path, computed: list):
    folder.write_text("a file stands where the folder should be")
    for _ in range(2):
        assert len(evaluate_once(network(), DIGITS).labels) == 30
    assert len(computed) == 2


def test_a_failed_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert len(evaluate_once(network(), DIGITS).labels) == 30
    assert list(folder.iterdir()) == []


def test_the_ones_that_nobody_asks_for_go_first(
    folder: Path, computed: list, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(evaluation_cache, "KEPT", 2)
    for age, seed in ((50, 0), (40, 1)):
        evaluate_once(network(seed), DIGITS)
        file = folder / content_key(network(seed), DIGITS)
        os.utime(file, (file.stat().st_mtime - age,) * 2)
    evaluate_once(network(0), DIGITS)  # asked for again
    evaluate_once(network(2), DIGITS)
    kept = {file.name for file in folder.iterdir()}
    assert kept == {content_key(network(seed), DIGITS) for seed in (0, 2)}
    assert len(computed) == 3


def test_progress_is_told_while_digits_are_read():
    digits = Digits(torch.zeros(2500, 28, 28, dtype=torch.uint8), torch.zeros(2500).long())
    told = []
    evaluate_once(network(), digits, told.append)
    assert told == [0, 1000, 2000]
    evaluate_once(network(), digits, told.append)
    assert told == [0, 1000, 2000]
