"""lenet.calibrate: probabilities that mean what they say."""

import pytest
import torch

from lenet import calibrate, data
from lenet.calibrate import fit_temperature, main, pick_threshold
from lenet.checkpoint import read
from lenet.data import DataSet, Digits
from lenet.evaluate import Evaluation
from lenet.synthetic import synthetic_digits
from lenet.train import main as train


def test_the_temperature_that_made_the_labels_is_found():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20_000, 10, generator=generator)
    labels = (logits / 2.5).softmax(1).multinomial(1, generator=generator)[:, 0]
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(2.5, rel=0.03)
    before, after = (
        Evaluation(labels, (logits / t).softmax(1), 0).calibration_error for t in (1, temperature)
    )
    assert after < 0.01 < before


def test_the_threshold_is_the_lowest_that_keeps_the_share():
    best = torch.tensor([0.5, 0.9, 0.6, 0.8, 0.7])
    right = torch.tensor([False, True, True, True, False])
    assert pick_threshold(best, right, share=1.0) == pytest.approx(0.8)
    assert pick_threshold(best, right, share=0.75) == pytest.approx(0.6)
    assert pick_threshold(best, right, share=0.1) == pytest.approx(0.5)
    assert pick_threshold(best, ~right, share=0.99) == 1.0


@pytest.fixture
def few_digits(monkeypatch):
    """A small data set, of which a few digits are held out."""
    digits = DataSet(
        "synthetic", Digits(*synthetic_digits(600, seed=1)), Digits(*synthetic_digits(50, seed=2))
    )
    monkeypatch.setattr(data, "HELD_OUT", 200)
    monkeypatch.setattr("lenet.train.load", lambda name, *_: digits)
    monkeypatch.setattr(calibrate, "load", lambda name: digits)


def test_the_command_stores_what_it_found(few_digits, tmp_path, capsys):
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
    assert after.temperature != 1
    assert f"{after.temperature:.3f}" in capsys.readouterr().out


def test_a_network_that_learnt_from_the_held_out_digits_is_refused(few_digits, tmp_path, capsys):
    path = str(tmp_path / "all.pt")
    train(["--data", "synthetic", "--epochs", "1", "--out", path])
    before = read(path)
    assert main([path, "--into", path]) == 1
    assert "was not trained with --hold-out" in capsys.readouterr().err
    assert read(path).temperature == before.temperature == 1
