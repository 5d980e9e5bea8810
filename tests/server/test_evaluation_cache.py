"""lenet.server.evaluation_cache: computed once, found again by content, never in the way."""

import os
from itertools import combinations
from pathlib import Path

import pytest
import torch

from lenet import LeNet
from lenet.checkpoint import Checkpoint
from lenet.data import Digits
from lenet.evaluate import evaluate, read_digits
from lenet.recognize import Recognitions, interpret, predict
from lenet.server import evaluation_cache
from lenet.server.data_sets import OTHERS, others
from lenet.server.evaluation_cache import content_key, evaluate_once, recognize_once
from lenet.synthetic import synthetic_digits

DIGITS = Digits(*synthetic_digits(30, seed=5))


def same(one: Recognitions, other: Recognitions) -> bool:
    return all(a.equal(b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


def network(seed: int = 0, **beside) -> Checkpoint:
    torch.manual_seed(seed)
    return Checkpoint(LeNet().state_dict(), **beside)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    return tmp_path / "evaluations"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoint]:
    """The checkpoints that read the digits, because no logits were found."""
    calls = []

    def count(checkpoint: Checkpoint, digits: Digits, progress) -> torch.Tensor:
        calls.append(checkpoint)
        return read_digits(checkpoint, digits, progress)

    monkeypatch.setattr(evaluation_cache, "read_digits", count)
    return calls


def test_what_is_found_again_is_what_was_computed(computed: list):
    first = evaluate_once(network(), DIGITS)
    again = evaluate_once(network(), DIGITS)
    assert len(computed) == 1
    assert same(first, again) and same(first, evaluate(network(), DIGITS))


def test_the_name_of_the_file_and_the_run_play_no_part(computed: list):
    evaluate_once(network(), DIGITS)
    evaluate_once(network(path=Path("another.pt"), accuracy=0.5, run={"epoch": 3}), DIGITS)
    assert len(computed) == 1


def test_other_weights_or_other_digits_are_read_anew(computed: list):
    fewer = Digits(DIGITS.frames[1:], DIGITS.labels[1:])
    asked = [
        (network(), DIGITS),
        (network(seed=1), DIGITS),
        (network(), fewer),
        (network(averaged=network(seed=2).network), DIGITS),
    ]
    assert len({content_key(net, digits.frames) for net, digits in asked}) == len(asked)
    for each in asked:
        assert same(evaluate_once(*each), evaluate(*each))
    assert len(computed) == len(asked)


def test_another_calibration_or_other_labels_make_another_evaluation_of_what_was_read(
    computed: list,
):
    energy = evaluate(network(digit_slope=1e-3, digit_offset=0.0), DIGITS).digit_probability.logit()
    offset = -energy.median().item()
    asked = [
        (network(), DIGITS),
        (network(), Digits(DIGITS.frames, DIGITS.labels.roll(1))),
        (network(temperature=0.1), DIGITS),
        (network(temperature=0.1, sure_above=0.5), DIGITS),
        (network(digit_slope=1e-3, digit_offset=offset), DIGITS),
        (network(digit_slope=1e-3, digit_offset=offset + 1, sure_digit_above=0.9), DIGITS),
    ]
    found = [evaluate_once(*each) for each in asked]
    assert all(same(each, evaluate(*of)) for each, of in zip(found, asked, strict=True))
    assert not any(same(*pair) for pair in combinations(found, 2))
    assert len(computed) == 1


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
    folder.write_text("in the way")
    for _ in range(2):
        assert len(evaluate_once(network(), DIGITS).labels) == 30
    assert len(computed) == 2


def test_a_failed_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert len(evaluate_once(network(), DIGITS).labels) == 30
    assert list(folder.iterdir()) == []


def test_the_evaluations_that_nobody_asks_for_go_first(
    folder: Path, computed: list, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(evaluation_cache, "KEPT", 2)
    for age, seed in ((50, 0), (40, 1)):
        evaluate_once(network(seed), DIGITS)
        file = folder / content_key(network(seed), DIGITS.frames)
        os.utime(file, (file.stat().st_mtime - age,) * 2)
    evaluate_once(network(0), DIGITS)  # asked for again
    evaluate_once(network(2), DIGITS)
    kept = {file.name for file in folder.iterdir()}
    assert kept == {content_key(network(seed), DIGITS.frames) for seed in (0, 2)}
    assert len(computed) == 3


def test_progress_is_reported_while_digits_are_read():
    digits = Digits(torch.zeros(2500, 28, 28, dtype=torch.uint8), torch.zeros(2500).long())
    told = []
    evaluate_once(network(), digits, told.append)
    assert told == [0, 1000, 2000]
    evaluate_once(network(), digits, told.append)
    assert told == [0, 1000, 2000]


def test_frames_without_labels_are_read_once_too(monkeypatch: pytest.MonkeyPatch):
    checkpoint = network(digit_slope=1.0, digit_offset=0.0)
    expected = interpret(checkpoint, predict(checkpoint.model(), DIGITS.frames))
    assert same(recognize_once(checkpoint, DIGITS.frames), expected)
    monkeypatch.setattr(evaluation_cache, "predict", lambda *_: pytest.fail("read twice"))
    assert same(recognize_once(checkpoint, DIGITS.frames), expected)


def test_the_others_are_always_the_same_and_none_is_empty():
    frames = others()
    others.cache_clear()
    assert frames.shape == (OTHERS, 28, 28) and frames.equal(others())
    assert frames.flatten(1).any(1).all()
