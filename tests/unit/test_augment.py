"""lenet.augment: digits that vary, each on its own, and stay digits."""

import math

import pytest
import torch

from lenet.augment import (
    COARSE,
    PEN_WIDTHS,
    SIDES,
    random_affine,
    random_shift,
    vary_frames,
    vary_strokes,
)
from lenet.preprocess import frames_to_inputs, normalize, rasterize
from lenet.synthetic import synthetic_digits

IDENTITY = torch.tensor([[1.0, 0, 0], [0, 1, 0]])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return synthetic_digits(50, seed=2)[0]


# ---------------------------------------------------------------- affine maps


def test_the_maps_stay_in_their_ranges_and_fill_them():
    affine = random_affine(20_000, seeded())
    assert affine.shape == (20_000, 2, 3) and affine.dtype == torch.float32
    shift = affine[:, :, 2] * 14  # half a frame is 1
    assert shift.abs().max() <= 2.001 and shift.min() < -1.9 and shift.max() > 1.9
    first, second = affine[:, 0, 0], affine[:, 1, 0]
    width = torch.hypot(first, second)
    angle = torch.atan2(second, first) * 180 / math.pi
    assert width.min() >= 0.849 and width.max() <= 1.151
    assert width.min() < 0.86 and width.max() > 1.14
    assert -15.01 <= angle.min() < -14.5 and 8.5 < angle.max() <= 9.01  # three to the right
    height = torch.linalg.det(affine[:, :, :2]) / width
    assert height.min() >= 0.84 and height.max() <= 1.16 and height.std() > 0.05
    # Turned back upright, what is left beside the size is the slant.
    slant = (affine[:, :, 0] * affine[:, :, 1]).sum(1) / width
    assert slant.abs().max() <= 0.2501 and slant.min() < -0.24 and slant.max() > 0.24
    cos, sin = math.cos(math.radians(3)), math.sin(math.radians(3))
    leaning = torch.tensor([[cos, sin, 0], [-sin, cos, 0]])
    assert affine.mean(0).sub(leaning).abs().max() < 0.02  # no other side is preferred


def test_what_reaches_half_as_far_varies_half_as_much():
    whole = random_affine(2000, seeded())
    half = random_affine(2000, seeded(), torch.cat([torch.ones(1000), torch.full((1000,), 0.5)]))
    assert half[:1000].equal(whole[:1000])
    assert torch.allclose(half[1000:, :, 2], whole[1000:, :, 2] / 2)  # the shifts
    assert half[1000:].std(0).sub(whole[1000:].std(0) / 2).abs().max() < 0.01


def test_frames_lean_to_the_right():
    upright = torch.zeros(500, 28, 28, dtype=torch.uint8)
    upright[:, 5:23, 13:15] = 255
    ink = vary_frames(upright, random_affine(500, seeded())).mul(0.3081).add(0.1307)[:, 0].mean(0)
    column = torch.arange(32.0)
    top, bottom = ((ink[row] * column).sum() / ink[row].sum() for row in (9, 22))
    assert 0.4 < top - bottom < 1.0  # 13 pixels apart, 3 degrees: 0.7 of a pixel


def test_the_generator_decides_the_maps():
    assert random_affine(9, seeded(1)).equal(random_affine(9, seeded(1)))
    assert not random_affine(9, seeded(1)).equal(random_affine(9, seeded(2)))
    assert len(random_affine(0, seeded())) == 0


def test_each_digit_gets_a_map_of_its_own():
    maps = random_affine(200, seeded()).flatten(1)
    assert len(maps.unique(dim=0)) == 200
    assert maps.std(0).min() > 0.05


# ---------------------------------------------------------------- frames


def test_the_identity_gives_what_the_network_sees_otherwise(frames):
    inputs = vary_frames(frames, IDENTITY.expand(len(frames), 2, 3))
    expected = frames_to_inputs(frames)
    assert inputs.shape == (50, 1, 32, 32) and inputs.dtype == torch.float32
    # The resize rounds to whole levels of 255, and takes no paper in at the edge.
    level = 1 / (255 * 0.3081)
    assert (inputs - expected)[..., 1:-1, 1:-1].abs().max() <= 1.01 * level
    assert (inputs - expected).abs().max() <= 15 * level


def test_what_comes_from_beyond_the_frame_is_paper(frames):
    far = torch.tensor([[1.0, 0, 3], [0, 1, 0]])
    paper = normalize(torch.zeros(1, dtype=torch.uint8))
    assert (vary_frames(frames, far.expand(50, 2, 3)) == paper).all()


def test_a_shift_of_a_pixel_is_a_pixel(frames):
    right = torch.tensor([[1.0, 0, -2 / 28], [0, 1, 0]])
    shifted = vary_frames(frames, right.expand(50, 2, 3))
    rolled = frames.roll(1, 2)
    rolled[:, :, 0] = 0
    torch.testing.assert_close(
        shifted, vary_frames(rolled, IDENTITY.expand(50, 2, 3)), atol=1e-3, rtol=0
    )


def test_every_digit_of_a_batch_is_varied_by_its_own_map(frames):
    affine = random_affine(50, seeded())
    together = vary_frames(frames, affine)
    for i in (0, 1, 49):
        torch.testing.assert_close(
            together[i : i + 1], vary_frames(frames[i, None], affine[i, None])
        )
    same = vary_frames(frames[:1].expand(50, 28, 28), affine)
    assert len(same.flatten(1).unique(dim=0)) == 50


def test_varied_digits_keep_their_ink(frames):
    """Nothing falls out of the frame, and nothing grows out of bounds."""
    ink = vary_frames(frames, random_affine(50, seeded())).mul(0.3081).add(0.1307)
    assert ink.min() >= -1e-4 and ink.max() <= 1 + 1e-4
    before = frames_to_inputs(frames).mul(0.3081).add(0.1307).sum((1, 2, 3))
    ratio = ink.sum((1, 2, 3)) / before
    assert ratio.min() > 0.7 and ratio.max() < 1.45  # 1.15² at most, and 0.85² at least


# ---------------------------------------------------------------- strokes


@pytest.fixture(scope="module")
def segments() -> torch.Tensor:
    return torch.rand(500, 12, 4, generator=seeded(4))


def test_varied_strokes_keep_their_shape_and_get_pens_in_range(segments):
    varied, widths = vary_strokes(segments, seeded())
    assert varied.shape == segments.shape and varied.dtype == torch.float32
    assert widths.shape == (500,) and widths.dtype == torch.float32
    low, high = PEN_WIDTHS
    assert low <= widths.min() < low + 0.1 and high - 0.2 < widths.max() <= high
    frames = rasterize(varied[:20], widths[:20])
    assert (frames.flatten(1).amax(1) > 200).all()


def test_each_drawing_is_varied_on_its_own_and_its_lines_stay_joined(segments):
    joined = segments.clone()
    joined[:, 1:, :2] = joined[:, :-1, 2:]  # each segment begins where the last one ended
    varied, _ = vary_strokes(joined, seeded())
    assert varied[:, 1:, :2].equal(varied[:, :-1, 2:])
    same, _ = vary_strokes(segments[:1].expand(500, 12, 4), seeded())
    assert len(same.flatten(1).unique(dim=0)) == 500


def test_some_drawings_show_the_steps_of_a_small_pad():
    segments = torch.rand(400, 100, 4, generator=seeded(5))
    varied, _ = vary_strokes(segments, seeded())
    columns = torch.tensor([len(drawing[:, ::2].unique()) for drawing in varied])
    coarse = columns <= 1.5 * SIDES[1]  # a drawing may be wider than its box
    assert COARSE - 0.1 < coarse.double().mean() < COARSE + 0.1
    assert columns[coarse].min() < SIDES[0] + 10 and columns[~coarse].min() > 150


def test_the_generator_decides_the_strokes(segments):
    for one, other in zip(
        vary_strokes(segments, seeded(1)), vary_strokes(segments, seeded(1)), strict=True
    ):
        assert one.equal(other)
    assert not vary_strokes(segments, seeded(1))[0].equal(vary_strokes(segments, seeded(2))[0])


def test_no_strokes_stay_no_strokes(segments):
    varied, widths = vary_strokes(segments[:0], seeded())
    assert varied.shape == (0, 12, 4) and widths.shape == (0,)


def test_a_batch_is_moved_as_a_whole(frames):
    moves = set()
    for seed in range(60):
        moved = random_shift(frames, 1, seeded(seed))
        down, right = next(
            (d, r)
            for d in (-1, 0, 1)
            for r in (-1, 0, 1)
            if moved.equal(frames.roll((d, r), (1, 2)))
        )
        moves.add((down, right))
    assert len(moves) == 9
    assert not frames[..., 0].any() and not frames[..., -1].any()
