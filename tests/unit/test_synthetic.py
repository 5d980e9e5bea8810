"""lenet.synthetic: digits drawn from templates, each another, and the examples."""

import pytest
import torch

from lenet import Recognizer
from lenet.preprocess import check_strokes, rasterize
from lenet.synthetic import TEMPLATES, example_strokes, synthetic_digits, synthetic_segments


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    return synthetic_digits(2000, seed=7)


def test_frames_and_labels_are_what_training_takes(digits):
    frames, labels = digits
    assert frames.shape == (2000, 28, 28) and frames.dtype == torch.uint8
    assert labels.shape == (2000,) and labels.dtype == torch.int64
    assert frames.flatten(1).amax(1).min() > 200


def test_every_digit_is_drawn_equally_often_in_shuffled_order(digits):
    _, labels = digits
    assert labels.bincount().tolist() == [200] * 10
    assert not labels.equal(torch.arange(2000) % 10)
    assert labels[:300].bincount(minlength=10).max() < 60  # not sorted by digit


@pytest.mark.parametrize("count", [0, 1, 23])
def test_any_count_is_drawn(count):
    frames, labels = synthetic_digits(count)
    assert len(frames) == len(labels) == count
    assert labels.bincount(minlength=10).max() <= count // 10 + 1


def test_the_seed_decides_every_bit():
    frames, labels = synthetic_digits(200, seed=3)
    again, same_labels = synthetic_digits(200, seed=3)
    assert frames.equal(again) and labels.equal(same_labels)
    others, other_labels = synthetic_digits(200, seed=4)
    assert not frames.equal(others) and not labels.equal(other_labels)


def test_a_generator_goes_on_to_fresh_digits():
    generator = torch.Generator().manual_seed(0)
    segments = torch.cat([synthetic_segments(300, generator)[0] for _ in range(2)])
    assert len(segments.flatten(1).unique(dim=0)) == 600


@pytest.mark.parametrize("digit", TEMPLATES)
def test_every_template_fills_the_box(digit, monkeypatch):
    for template in TEMPLATES[digit]:
        monkeypatch.setitem(TEMPLATES, digit, (template,))
        segments, pen_widths, labels = synthetic_segments(200, torch.Generator().manual_seed(0))
        drawn = labels == digit
        inked = rasterize(segments[drawn], pen_widths[drawn]) > 25
        longer_side = torch.maximum(inked.any(2).sum(1), inked.any(1).sum(1))
        assert longer_side.min() >= 19 and longer_side.max() <= 22, template


def test_most_digits_are_nearest_to_the_mean_of_their_own_kind(digits):
    frames, labels = digits
    pixels = frames.flatten(1).float()
    means = torch.stack([pixels[:1500][labels[:1500] == digit].mean(0) for digit in range(10)])
    answers = torch.cdist(pixels[1500:], means).argmin(1)
    assert (answers == labels[1500:]).float().mean() > 0.7


@pytest.mark.parametrize("digit", range(10))
def test_the_shipped_network_reads_the_examples(digit):
    strokes = example_strokes()[digit]
    assert all(type(value) is float for stroke in strokes for point in stroke for value in point)
    arrays = check_strokes(strokes)
    assert len(arrays) == TEMPLATES[digit][0].count("|") + 1
    assert all(array.min() > -0.02 and array.max() < 1.02 for array in arrays)
    assert Recognizer.load().recognize(strokes).digit == digit
