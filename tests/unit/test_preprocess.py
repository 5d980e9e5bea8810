"""lenet.preprocess: strokes → frame → input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from random_drawings import SAME, curve, difference, quick
from torchvision.transforms import Compose, Normalize, Resize, ToTensor

from lenet.preprocess import (
    MAX_POINTS,
    MAX_STROKES,
    check_strokes,
    frames_to_inputs,
    polylines_to_segments,
    rasterize,
    smooth_steps,
    strokes_to_frame,
    strokes_to_segments,
)


def transform(strokes: list, scale: float, dx: float, dy: float) -> list:
    return [[[x * scale + dx, y * scale + dy] for x, y in stroke] for stroke in strokes]


def extent(frame: torch.Tensor, threshold: int = 127) -> tuple[int, int]:
    """Height and width of the ink that is darker than the threshold."""
    rows, columns = torch.where(frame > threshold)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def centre_of_mass(frame: torch.Tensor) -> np.ndarray:
    """Row and column, in indices of pixels."""
    ink = frame.double().numpy()
    along = np.arange(28)
    return np.array([(ink.sum(1) * along).sum(), (ink.sum(0) * along).sum()]) / ink.sum()


# ---------------------------------------------------------------- strokes → frame


@quick
@given(
    st.integers(0, 10_000),
    st.floats(1e-4, 1e4),
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_size_and_place_of_a_drawing_do_not_matter(seed, scale, dx, dy):
    strokes = curve(seed, 60, pieces=2)
    moved = transform(strokes, scale, dx * scale, dy * scale)
    assert difference(strokes_to_frame(strokes), strokes_to_frame(moved)) < SAME


@quick
@given(st.integers(0, 10_000))
def test_the_sampling_rate_does_not_matter(seed):
    few, some, many = (strokes_to_frame(curve(seed, points)) for points in (20, 100, 1000))
    assert difference(some, many) < 3
    assert difference(few, many) < 12  # the chords of 20 points cut the corners


@quick
@given(st.integers(0, 10_000))
def test_points_are_merged_without_a_change_that_shows(seed):
    strokes = curve(seed, 5000, pieces=3)
    segments = strokes_to_segments(check_strokes(strokes))
    every = np.concatenate([np.hstack([s[:-1], s[1:]]) for s in map(np.array, strokes)])
    assert len(segments) < 400
    unmerged = rasterize(torch.tensor(every).float()[None])[0]
    assert difference(rasterize(segments[None])[0], unmerged) < 3


def test_a_drawing_of_few_pixels_is_read_without_their_steps():
    """Closer to what it would be without them than as it is; also moved, and in another unit."""
    nearer = []
    for seed in range(20):
        fine = np.array(curve(seed, 60)[0])
        fine *= 15 / np.ptp(fine[:, 1])
        coarse = fine.round()
        frame = strokes_to_frame([fine.tolist()])
        rough = rasterize(polylines_to_segments([coarse])[None])[0]
        read = strokes_to_frame([coarse.tolist()])
        nearer.append(difference(read, frame) < difference(rough, frame))
        other_unit = strokes_to_frame([(coarse * 1.7 + 11.3).tolist()])
        assert difference(read, other_unit) < SAME
    assert sum(nearer) >= 18


@pytest.mark.parametrize(
    "strokes",
    [
        [curve(1, 60)[0]],  # no steps
        [np.round(np.array(curve(1, 60)[0]) * 200).tolist()],  # too small to be seen
        [[[0, 0], [20, 0], [20, 20], [0, 20], [0, 0]]],  # corners far apart
        [[[0, 0], [0, 3], [4, 3]], [[8, 0], [8, 3], [12, 7]]],  # a few lines
        [[[0, 0]], [[0, 5]]],
        [],
    ],
)
def test_any_other_drawing_stays_as_it_is(strokes):
    checked = check_strokes(strokes)
    for before, after in zip(checked, smooth_steps(checked), strict=True):
        assert np.array_equal(before, after)


def test_a_corner_between_long_lines_stays_in_a_drawing_of_few_pixels():
    hook = [[[0, 0], [10, 0], [10, 1], [9, 2], [8, 3], [8, 12]]]
    (smooth,) = smooth_steps(check_strokes(hook))
    assert smooth[[0, 1, -2, -1]].tolist() == [[0, 0], [10, 0], [8, 3], [8, 12]]
    assert smooth[2].tolist() == [9.75, 1]


def test_a_thousand_samples_of_a_resting_pen_add_no_ink():
    strokes = curve(1, 100)
    resting = [strokes[0][:50] + [strokes[0][50]] * 1000 + strokes[0][50:]]
    assert difference(strokes_to_frame(strokes), strokes_to_frame(resting)) < SAME


@quick
@given(st.integers(0, 10_000), st.sampled_from([1.5, 2.4, 4.0]))
def test_the_ink_fills_the_box_of_20_pixels_pen_width_included(seed, pen_width):
    frame = strokes_to_frame(curve(seed, 100), pen_width)
    assert 19 <= max(extent(frame)) <= 21
    assert max(extent(frame, 0)) <= 22  # the antialiased edge


@quick
@given(st.integers(0, 10_000))
def test_the_centre_of_mass_is_pixel_14_unless_the_ink_would_leave_the_frame(seed):
    frame = strokes_to_frame(curve(seed, 100))
    for axis, centre in enumerate(centre_of_mass(frame)):
        outermost = frame.amax(1 - axis)[[0, -1]]
        assert abs(centre - 14) < 0.5 or outermost.any()


def test_a_lopsided_drawing_stays_whole_in_the_frame():
    block = [[x, 85 + 15 * (x % 4 > 1)] for x in range(0, 101, 2)]
    frame = strokes_to_frame([[[50, 0], [50, 100]], block], pen_width=1)
    assert min(extent(frame)) >= 19
    assert centre_of_mass(frame)[0] > 15


@pytest.mark.parametrize(
    ("strokes", "height", "width"),
    [
        ([[[3, 4]]], 2, 2),
        ([[[3, 4]] * 50], 2, 2),
        ([[[0, 0], [10, 0]]], 2, 20),
        ([[[0, 0], [0, 10]]], 20, 2),
        ([[[0, 0], [10, 10]]], 20, 20),
        ([[[0, 10], [10, 0]]], 20, 20),
        ([[[0, 0], [10, 0]], [[0, 10], [10, 10]]], 20, 20),
        ([[], [[0, 0], [0, 10]], []], 20, 2),
    ],
    ids=["dot", "resting", "horizontal", "vertical", "falling", "rising", "two", "with empty"],
)
def test_straight_strokes_have_the_length_of_the_box_and_the_width_of_the_pen(
    strokes, height, width
):
    rows, columns = extent(strokes_to_frame(strokes))
    assert abs(rows - height) <= 1
    assert abs(columns - width) <= 1


def test_x_points_to_the_right_and_y_downwards():
    ell = strokes_to_frame([[[0, 0], [0, 10], [10, 10]]])
    ink = ell > 127
    assert ink[:, :14].sum() > ink[:, 14:].sum()
    assert ink[14:].sum() > ink[:14].sum()


@pytest.mark.parametrize("strokes", [[], [[]], [[], [], []], ()])
def test_nothing_drawn_is_an_empty_frame(strokes):
    frame = strokes_to_frame(strokes)
    assert frame.shape == (28, 28)
    assert frame.dtype == torch.uint8
    assert not frame.any()


def test_a_wider_pen_leaves_more_ink():
    thin, usual, thick = (strokes_to_frame(curve(3, 100), width) for width in (1.5, 2.4, 3.5))
    assert thin.sum() * 1.2 < usual.sum()
    assert usual.sum() * 1.2 < thick.sum()


def test_a_batch_is_drawn_as_its_drawings_are_one_by_one():
    segments = [strokes_to_segments(check_strokes(curve(seed, 30 + seed))) for seed in range(40)]
    longest = max(map(len, segments))
    padded = [torch.cat([s, s[-1:].expand(longest - len(s), 4)]) for s in segments]
    widths = torch.linspace(1.5, 3.5, 40)
    batch = rasterize(torch.stack(padded), widths)
    for frame, own, width in zip(batch, segments, widths, strict=True):
        assert difference(frame, rasterize(own[None], width)[0]) < 0.01


# ---------------------------------------------------------------- bad strokes

POINT = "Stroke 2 has a point that is not [x, y] of two numbers."
RANGE = "Stroke 2 has a point that is NaN, infinite or out of range."


@pytest.mark.parametrize(
    ("stroke", "sentence"),
    [
        ([[1, "2"]], POINT),
        ([["1", "2"]], POINT),
        (["12"], POINT),
        ([[1, None]], POINT),
        ([None], POINT),
        ([[True, False]], POINT),
        ([[1, 2], [3]], POINT),
        ([[1, 2], [3, 4, 5]], POINT),
        ([1, 2], POINT),
        ([[[1, 2], [3, 4]]], POINT),
        ([{"x": 1, "y": 2}], POINT),
        ([[1, 1j]], POINT),
        ([[float("nan"), 0]], RANGE),
        ([[0, 0], [0, float("inf")]], RANGE),
        ([[0, -float("inf")]], RANGE),
        ([[10**400, 0]], RANGE),
        ([[0, 1e31]], RANGE),
        ("a text", "Stroke 2 must be a list of [x, y] points, not a value of type str."),
        (7, "Stroke 2 must be a list of [x, y] points, not a value of type int."),
        (None, "Stroke 2 must be a list of [x, y] points, not nothing."),
        ({"x": 1}, "Stroke 2 must be a list of [x, y] points, not a value of type dict."),
    ],
    ids=repr,
)
def test_a_bad_stroke_is_named(stroke, sentence):
    with pytest.raises(ValueError) as error:
        check_strokes([[[0, 0], [1, 1]], stroke])
    assert str(error.value) == sentence


@pytest.mark.parametrize("strokes", [None, "a text", 7, {"strokes": []}, True, 1.5])
def test_what_is_no_list_of_strokes_is_refused(strokes):
    with pytest.raises(ValueError, match="Strokes must be a list of strokes, each a list of"):
        check_strokes(strokes)


def test_as_many_strokes_and_points_as_the_limits_allow_are_read_and_no_more():
    assert len(check_strokes([[[0, 0]]] * MAX_STROKES)) == 200
    with pytest.raises(ValueError, match=r"has 201 strokes; at most 200 are read"):
        check_strokes([[[0, 0]]] * (MAX_STROKES + 1))
    half = [[0, 0]] * (MAX_POINTS // 2)
    assert sum(map(len, check_strokes([half, half]))) == 20_000
    with pytest.raises(ValueError, match=r"more than 20,000 points"):
        check_strokes([half, half, [[0, 0]]])


@quick
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    )
)
def test_whatever_is_sent_is_a_frame_or_a_value_error(strokes):
    try:
        frame = strokes_to_frame(strokes)
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert frame.shape == (28, 28)


# ---------------------------------------------------------------- frame → input


def test_inputs_are_what_the_lesson_makes_with_torchvision():
    lesson = Compose([Resize((32, 32)), ToTensor(), Normalize((0.1307,), (0.3081,))])
    frames = torch.stack([strokes_to_frame(curve(seed, 50)) for seed in range(5)])
    expected = torch.stack([lesson(Image.fromarray(frame.numpy())) for frame in frames])
    inputs = frames_to_inputs(frames)
    assert inputs.dtype == torch.float32
    assert inputs.shape == (5, 1, 32, 32)
    torch.testing.assert_close(inputs, expected)


def test_the_input_of_the_empty_frame_is_black():
    inputs = frames_to_inputs(torch.zeros(1, 28, 28, dtype=torch.uint8))
    torch.testing.assert_close(inputs, torch.full((1, 1, 32, 32), -0.1307 / 0.3081))
