"""What is no digit: drawn in any number and of any kind, from a generator, as strokes."""

import json

import pytest
import torch

from lenet import others
from lenet.others import KINDS, SHARES, other_segments, to_strokes
from lenet.preprocess import check_strokes, rasterize, strokes_to_segments
from lenet.synthetic import synthetic_segments
from lenet.templates import spline


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def drawings() -> torch.Tensor:
    """Digits in place of people's drawings, 60 segments each, all in the upper half of the box."""
    segments, _, _ = synthetic_segments(50, seeded(8), 60)
    return segments / 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn(kind, drawings):
    segments, widths = other_segments(60, seeded(), drawings, {kind: 1.0})
    assert segments.shape[0] == 60 and segments.shape[2] == 4 and segments.dtype == torch.float32
    assert widths.shape == (60,) and segments.isfinite().all()
    frames = rasterize(segments, widths)
    assert (frames.flatten(1).amax(1) > 100).all()
    assert len(frames.flatten(1).unique(dim=0)) > 50  # single dots are alike


@pytest.mark.parametrize("count", [0, 1, 2, 13, 100])
def test_any_number_is_drawn_with_and_without_drawings(count, drawings):
    for own in (None, drawings, drawings[:0]):
        segments, widths = other_segments(count, seeded(), own)
        assert len(segments) == len(widths) == count
        assert rasterize(segments, widths).flatten(1).any(1).all()


@pytest.mark.parametrize("drawing", [[[0.5, 0.0, 0.5, 1.0]], [[0.5, 0.5, 0.5, 0.5]]])
def test_a_single_line_or_dot_can_be_a_persons_only_digit(drawing):
    segments, _ = other_segments(1000, seeded(), torch.tensor([drawing]))
    assert len(segments) == 1000 and segments.isfinite().all()


def test_the_generator_decides_every_bit(drawings):
    first, again, other = (other_segments(300, seeded(s), drawings) for s in (1, 1, 2))
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    assert not first[0].equal(other[0])


def test_kinds_come_as_often_as_their_shares_say(monkeypatch):
    asked = {}

    def note(kind):
        def draw(count, generator, drawings):
            asked[kind] = count
            return torch.rand(count, 3, 4, generator=generator)

        return draw

    for kind in KINDS:
        monkeypatch.setitem(KINDS, kind, note(kind))
    assert SHARES.keys() == KINDS.keys()
    other_segments(1000, seeded())
    total = sum(SHARES.values())
    assert asked == {kind: pytest.approx(1000 * SHARES[kind] / total, abs=1) for kind in KINDS}
    asked.clear()
    other_segments(50, seeded(), shares={"signs": 1, "shapes": 4})
    assert asked == {"signs": 10, "shapes": 40}


def test_half_of_the_digits_in_others_are_peoples():
    """The drawings here are dashes: half of all digits are as flat."""
    dashes = torch.tensor([[0.0, 0, 0.5, 0.01], [0.5, 0.01, 1, 0]]).expand(20, 2, 4)
    digits = others._digits(200, 16, seeded(), dashes)
    low, high = others._box(digits)
    flat = (high - low)[:, 0] > 20  # of height 1
    assert flat.sum() == 100
    assert 20 < flat[:100].sum() < 80  # in no order


def test_fewer_segments_keep_a_drawings_ends_and_strokes():
    stroke = torch.linspace(0, 1, 41)
    curve = torch.stack([stroke, stroke.square()], 1)
    bar = torch.stack([stroke[:11], torch.ones(11)], 1)
    whole = torch.cat([torch.cat([s[:-1], s[1:]], 1) for s in (curve, bar)])
    dot = torch.tensor([[0.2, 0.3, 0.2, 0.3]]).expand(len(whole), 4)
    thinned = others._thinned(torch.stack([whole, dot]), 12)
    assert thinned.shape == (2, 12, 4)
    strokes = to_strokes(thinned[0])
    assert [s[0] for s in strokes] == [[0, 0], [0, 1000]]
    assert [s[-1] for s in strokes] == [[1000, 1000], [250, 1000]]
    assert to_strokes(thinned[1]) == [[[200, 300]]]
    same = others._thinned(whole[None], 60)
    assert same[0, : len(whole)].equal(whole) and (same[0, len(whole) :] == whole[-1]).all()


def test_a_part_of_a_digit_is_neither_a_1_nor_a_0_nor_a_7():
    parts = others._parts(300, seeded(), torch.empty(0, 1, 4))
    low, high = others._box(parts)
    width, height = (high - low).unbind(1)
    assert (width >= 0.6 * height).all()
    ends = (parts[:, -1, 2:] - parts[:, 0, :2]).norm(dim=1)
    assert (ends >= 0.5 * torch.maximum(width, height)).all()


@pytest.mark.parametrize("kind", ["two digits", "three digits", "digit and a piece"])
def test_digits_stand_in_a_row(kind):
    """They are wider than a digit, and what is between them can be empty."""
    segments = KINDS[kind](300, seeded(), torch.empty(0, 1, 4))
    low, high = others._box(segments)
    width, height = (high - low).unbind(1)
    assert (width / height).median() > {"two digits": 1.2, "three digits": 1.8}.get(kind, 1.0)
    frames = rasterize(segments, 0.8) > 25
    gaps = [
        bool((~columns[columns.nonzero().min() : columns.nonzero().max()]).any())
        for columns in frames.any(1)
    ]
    assert 0.2 < sum(gaps) / len(gaps) < 0.98  # some touch, some do not


@pytest.mark.parametrize("kind", ["capitals", "lower case", "Greek", "signs"])
def test_letters_fill_the_box(kind):
    templates = others._letters(kind)
    assert len(templates) >= 20 and len(set(templates)) == len(templates)
    for template in templates:
        points = spline(template, others.MOST).knots
        assert points.min() >= 0 and points.max() <= 1.01
        assert (points.amax(0) - points.amin(0)).max() > 0.9, template


@pytest.mark.parametrize("arguments", [["0"], ["-1"], ["3", "--seed", "-1"], ["many"]])
def test_counts_and_seeds_that_are_too_small_are_refused(arguments: list[str], capsys):
    with pytest.raises(SystemExit):
        others.main(arguments)
    said = capsys.readouterr().err
    assert "must be at least" in said or "invalid integer value: 'many'" in said


def test_an_others_file_holds_strokes_and_no_label(capsys):
    assert others.main(["40", "--seed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 40
    for line in lines:
        record = json.loads(line)
        assert record.keys() == {"label", "strokes"} and record["label"] is None
        assert check_strokes(record["strokes"])
    others.main(["40", "--seed", "3"])
    assert capsys.readouterr().out.splitlines() == lines
    others.main(["2", "--each"])
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(KINDS)


def test_strokes_of_a_file_are_what_was_drawn():
    segments, _ = other_segments(60, seeded())
    for drawing in segments:
        strokes = check_strokes(to_strokes(drawing))
        again = rasterize(strokes_to_segments(strokes)[None])
        assert (again.int() - rasterize(drawing[None]).int()).abs().float().mean() < 6
