"""lenet.calibrate: probabilities that mean what they say."""

import json

import pytest
import torch

import lenet.calibrate
from lenet import data
from lenet.calibrate import (
    calibrate,
    fit_digit_probability,
    fit_temperature,
    main,
    pick_threshold,
)
from lenet.checkpoint import Checkpoint, read
from lenet.data import DataSet, Digits
from lenet.evaluate import judge
from lenet.recognize import evidence, interpret
from lenet.synthetic import synthetic_digits
from lenet.train import main as train


def test_the_temperature_that_made_the_labels_is_found():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20_000, 10, generator=generator)
    labels = (logits / 2.5).softmax(1).multinomial(1, generator=generator)[:, 0]
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(2.5, rel=0.03)
    before, after = (
        judge(Checkpoint({}, temperature=t), logits, labels).calibration_error
        for t in (1, temperature)
    )
    assert after < 0.01 < before


def test_the_threshold_is_the_lowest_that_keeps_the_share():
    best = torch.tensor([0.5, 0.9, 0.6, 0.8, 0.7])
    right = torch.tensor([False, True, True, True, False])
    assert pick_threshold(best, right, share=1.0) == pytest.approx(0.8)
    assert pick_threshold(best, right, share=0.75) == pytest.approx(0.6)
    assert pick_threshold(best, right, share=0.1) == pytest.approx(0.5)
    assert pick_threshold(best, ~right, share=0.99) == 1.0


def test_the_logistic_curve_that_made_the_digits_is_found():
    """Others count as a tenth of the drawings, however many of them there are."""
    generator = torch.Generator().manual_seed(0)
    energy = 20 * torch.rand(400_000, generator=generator)
    is_digit = torch.rand(len(energy), generator=generator) < (1.5 * energy - 12).sigmoid()
    digits, others = energy[is_digit], energy[~is_digit]
    share = len(others) / len(energy)
    assert fit_digit_probability(digits, others, share) == pytest.approx((1.5, -12), rel=0.05)
    fewer = fit_digit_probability(digits, others[: len(others) // 10], share)
    assert fewer == pytest.approx((1.5, -12), rel=0.1)
    slope, offset = fit_digit_probability(digits, others)
    found = (slope * torch.tensor([6.0, 10.0]) + offset).sigmoid()
    assert (found > (1.5 * torch.tensor([6.0, 10.0]) - 12).sigmoid()).all()


def test_digits_and_others_that_are_far_apart_get_a_finite_slope():
    slope, offset = fit_digit_probability(torch.full((50,), 9.0), torch.full((80,), 2.0))
    assert 0 < slope < 100 and 2 < -offset / slope < 9


def drawings() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits of 20,000 digits of any clearness, a hundredth of them misread, their labels, and the
    logits of 5,000 others.
    """
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(10, (20_000,), generator=generator)
    logits = torch.randn(20_000, 10, generator=generator)
    logits[torch.arange(20_000), labels] += 4 + 8 * torch.rand(20_000, generator=generator)
    labels[:200] = (labels[:200] + 1) % 10
    others = 0.5 * torch.randn(5000, 10, generator=generator)
    others[:, 0] += 3 * torch.rand(5000, generator=generator)
    return logits, labels, others


def test_a_calibrated_network_tells_digits_from_others():
    logits, labels, others = drawings()
    calibrated = calibrate(Checkpoint({}), logits, labels, others)
    digits, found = interpret(calibrated, logits), interpret(calibrated, others)
    assert digits.is_digit.double().mean() > 0.98
    assert found.is_digit.double().mean() < 0.1
    # Of a tenth others and nine tenths digits, the mean probability is nine tenths.
    mean = 0.9 * digits.digit_probability.mean() + 0.1 * found.digit_probability.mean()
    assert mean == pytest.approx(0.9, abs=0.01)


def test_only_the_clearest_digits_are_answered_surely_and_almost_all_of_these_are_right():
    logits, labels, others = drawings()
    labels = logits.argmax(1)
    calibrated = calibrate(Checkpoint({}), logits, labels, others)
    digits = interpret(calibrated, logits)
    assert digits.sure.double().mean() == pytest.approx(0.95, abs=0.001)
    order = evidence(logits).argsort()
    assert not digits.sure[order[:1000]].any()
    assert digits.sure[order[1001:]].all()
    unclear = labels.clone()
    unclear[order[:1000]] += 1  # misread where the answer is not sure anyway
    assert calibrate(Checkpoint({}), logits, unclear % 10, others).sure_above < 0.5
    wrong = labels.clone()
    wrong[order[1001:1201]] += 1
    again = calibrate(Checkpoint({}), logits, wrong % 10, others)
    sure = interpret(again, logits).sure
    assert 0.5 < sure.double().mean() < 0.95
    assert (logits.argmax(1) == wrong % 10)[sure].double().mean() >= 0.999


@pytest.fixture
def few_digits(monkeypatch):
    """A small data set, of which a few digits are held out."""
    digits = DataSet(
        "synthetic", Digits(*synthetic_digits(600, seed=1)), Digits(*synthetic_digits(50, seed=2))
    )
    monkeypatch.setattr(data, "HELD_OUT", 200)
    monkeypatch.setattr("lenet.train.load", lambda name, *_: digits)
    monkeypatch.setattr(lenet.calibrate, "load", lambda name: digits)
    monkeypatch.setattr(lenet.calibrate, "OTHERS", 200)


def test_the_command_stores_what_it_found(few_digits, tmp_path, capsys, monkeypatch):
    twin, target = str(tmp_path / "twin.pt"), str(tmp_path / "target.pt")
    common = ["--data", "synthetic", "--epochs", "1", "--batch-size", "16"]
    assert train([*common, "--hold-out", "--out", twin]) == 0
    assert train([*common, "--out", target]) == 0
    assert read(twin).run.settings.hold_out
    before = read(target)
    capsys.readouterr()
    assert main([twin, "--into", target]) == 0
    after = read(target)
    assert all(torch.equal(before.weights[name], after.weights[name]) for name in before.weights)
    assert after.run.step == before.run.step
    assert after.temperature != 1 and after.digit_slope != 0
    assert before.digit_offset == torch.inf > after.digit_offset
    assert 0 < after.sure_digit_above < 1
    printed = capsys.readouterr().out
    assert f"{after.temperature:.3f}" in printed
    assert "of 200 held-out digits are taken" in printed and "of 200 others are taken" in printed
    # Drawings are digits too, and others are made with parts of them.
    drawn = tmp_path / "drawn.jsonl"
    strokes = [[[0, 0], [30, 0], [30, 40]]]
    drawn.write_text(100 * f"{json.dumps({'label': 7, 'strokes': strokes})}\n")
    had = []
    other_segments = lenet.calibrate.other_segments
    monkeypatch.setattr(
        lenet.calibrate,
        "other_segments",
        lambda count, random, of: had.append(len(of)) or other_segments(count, random, of),
    )
    assert main([twin, "--drawings", str(drawn), "--into", target]) == 0
    assert had == [100]
    assert "of 300 held-out digits" in capsys.readouterr().out
    assert read(target).digit_slope != after.digit_slope


def test_a_network_that_learnt_from_the_held_out_digits_is_refused(few_digits, tmp_path, capsys):
    path = str(tmp_path / "all.pt")
    train(["--data", "synthetic", "--epochs", "1", "--out", path])
    before = read(path)
    assert main([path, "--into", path]) == 1
    assert "was not trained with --hold-out" in capsys.readouterr().err
    assert read(path).temperature == before.temperature == 1
