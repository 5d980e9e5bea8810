"""lenet.preprocess: strokes or an image → frame → input."""

import io
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps
from torchvision.transforms import Compose, Normalize, Resize, ToTensor

from lenet.preprocess import (
    MAX_POINTS,
    MAX_STROKES,
    check_strokes,
    frames_to_inputs,
    image_to_frame,
    rasterize,
    strokes_to_frame,
    strokes_to_segments,
)

# Frames of different digits differ by 20 to 60 (mean absolute difference of their pixels, of 255),
# one and the same digit moved by a pixel by 5 to 25.
SAME = 1.0

quick = settings(max_examples=30, deadline=None, derandomize=True)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On busy cores the threads of such small work only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a.float() - b.float()).abs().mean().item()


def curve(seed: int, points: int, pieces: int = 1) -> list:
    """A smooth random curve, cut into strokes of `points` points in all."""
    rng = np.random.default_rng(seed)
    amplitude = rng.normal(size=(2, 3, 2)) / np.arange(1, 4)[:, None]
    angle = np.linspace(0, 5, points)[:, None] * np.arange(1, 4)
    x, y = (np.sin(angle) @ a[:, 0] + np.cos(angle) @ a[:, 1] for a in amplitude)
    return [part.tolist() for part in np.array_split(np.stack([x, y], 1), pieces)]


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


def test_the_empty_frame_is_the_input_that_black_is():
    inputs = frames_to_inputs(torch.zeros(1, 28, 28, dtype=torch.uint8))
    torch.testing.assert_close(inputs, torch.full((1, 1, 32, 32), -0.1307 / 0.3081))


# ---------------------------------------------------------------- image → frame

TWO = [
    [
        [12, 22], [20, 10], [34, 4], [50, 4], [62, 12], [64, 26], [58, 40], [44, 54],
        [28, 68], [14, 82], [8, 92], [24, 92], [44, 90], [68, 92],
    ]
]  # fmt: skip


def picture(size=(280, 280), height=200, corner=None, pen=24, strokes=TWO) -> Image.Image:
    """A clean picture of strokes, dark on light, antialiased, in the middle or at a corner."""
    points = np.concatenate(strokes)
    scale = height / np.ptp(points[:, 1])
    if corner is None:
        corner = [(side - scale * np.ptp(points[:, i])) / 2 for i, side in enumerate(size)]
    image = Image.new("L", (size[0] * 2, size[1] * 2), 255)
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        stroke = ((np.array(stroke) - points.min(0)) * scale + corner) * 2
        draw.line([tuple(p) for p in stroke], fill=0, width=2 * pen)
        for x, y in stroke:
            draw.ellipse((x - pen, y - pen, x + pen, y + pen), fill=0)
    return image.resize(size, Image.Resampling.BOX)


def image_difference(a: torch.Tensor, b: torch.Tensor, reach: int = 1) -> float:
    """The difference where one of them may lie a pixel off: images are moved by whole pixels."""
    moves = itertools.product(range(-reach, reach + 1), repeat=2)
    return min(difference(a, b.roll(move, (0, 1))) for move in moves)


def transparent(ink: str) -> Image.Image:
    image = Image.new("RGBA", (280, 280), ink)
    image.putalpha(ImageOps.invert(picture()))
    return image


def coloured(ink: str, paper: str) -> Image.Image:
    sheet = [Image.new("RGB", (280, 280), colour) for colour in (paper, ink)]
    return Image.composite(*sheet, picture())


FORMATS = {
    "light on dark": lambda: ImageOps.invert(picture()),
    "black on nothing": lambda: transparent("black"),
    "white on nothing": lambda: transparent("white"),
    "1 bit": lambda: picture().convert("1", dither=Image.Dither.NONE),
    "palette": lambda: coloured("navy", "ivory").quantize(8),
    "16 bit": lambda: Image.fromarray(np.asarray(picture()).astype(np.uint16) * 250),
    "12 of 16 bit": lambda: Image.fromarray(np.asarray(picture()).astype(np.uint16) * 16),
    "32 bit": lambda: Image.fromarray(np.asarray(picture()).astype(np.int32) * 1000),
    "float 0..1": lambda: Image.fromarray(np.asarray(picture()).astype(np.float32) / 255),
    "CMYK": lambda: picture().convert("CMYK"),
    "red on cream": lambda: coloured("#c01010", "#fff6d8"),
    "white on blue": lambda: coloured("white", "#203080"),
    "pencil": lambda: picture().point(lambda v: 160 + v * 60 // 255),
    "array": lambda: np.asarray(picture()),
    "colour array": lambda: np.asarray(coloured("black", "white")),
}


@pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS)
def test_the_kind_of_picture_does_not_matter(make):
    assert image_difference(image_to_frame(make()), image_to_frame(picture())) < 5


def test_a_clean_picture_gives_the_frame_that_its_strokes_give():
    assert image_difference(image_to_frame(picture()), strokes_to_frame(TWO)) < 12


@pytest.mark.parametrize(
    ("make", "tolerance"),
    [
        (lambda: picture((2000, 1500), 200, (1700, 1250), 24), 16),
        (lambda: picture((2000, 1500), 200, (30, 40), 24), 16),
        (lambda: picture((560, 560), 400, None, 4), 16),
        (lambda: picture((90, 280), 200, (-30, 40)), 25),
    ],
    ids=["large, lower right corner", "large, upper left corner", "thin pen", "over the edge"],
)
def test_size_place_and_pen_of_a_picture_do_not_matter(make, tolerance):
    assert image_difference(image_to_frame(make()), strokes_to_frame(TWO)) < tolerance


def lit(light: np.ndarray, noise: float, image: Image.Image) -> Image.Image:
    """The picture under a light of 0..1, with the noise of a camera."""
    pixels = (40 + np.asarray(image) * 0.75) * light
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


DOWN, RIGHT = np.mgrid[0:280, 0:280] / 280
LIGHTS = {
    "even": np.ones((280, 280)),
    "from below": 0.5 + 0.5 * DOWN,
    "from a corner": 0.4 + 0.3 * (DOWN + RIGHT),
    "dark corners": 1 - 0.7 * ((DOWN - 0.5) ** 2 + (RIGHT - 0.4) ** 2),
}


@pytest.mark.parametrize("noise", [0, 6])
@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
@pytest.mark.parametrize("invert", [False, True], ids=["ink", "chalk"])
def test_uneven_light_and_noise_are_taken_out(light, noise, invert):
    image = ImageOps.invert(picture()) if invert else picture()
    frame = image_to_frame(lit(light, noise, image))
    # What the light leaves brighter weighs more: the centre of mass may move by two pixels.
    assert image_difference(frame, image_to_frame(picture()), reach=2) < 10


@pytest.mark.parametrize("invert", [False, True], ids=["ink", "chalk"])
def test_a_digit_that_runs_over_the_edge_is_no_light(invert):
    wide = picture(pen=40)
    left, top, right, bottom = ImageOps.invert(wide).getbbox()
    cut = wide.crop((left + 8, top + 8, right - 8, bottom - 8))
    margin = ImageOps.expand(cut, 60, 255)
    if invert:
        cut, margin = ImageOps.invert(cut), ImageOps.invert(margin)
    assert image_difference(image_to_frame(cut), image_to_frame(margin)) < 5


@pytest.mark.parametrize("noise", [0, 6, 20])
@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_a_blank_sheet_is_an_empty_frame_under_any_light(light, noise):
    assert not image_to_frame(lit(light, noise, Image.new("L", (280, 280), 255))).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (28, 28), (3000, 20)])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "P", "CMYK", "I;16", "I", "F"])
def test_one_even_colour_is_an_empty_frame_in_any_mode_and_size(mode, size):
    frame = image_to_frame(Image.new(mode, size))
    assert frame.shape == (28, 28)
    assert frame.dtype == torch.uint8
    assert not frame.any()


def test_a_picture_taken_with_the_camera_on_its_side_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    file = io.BytesIO()
    picture().rotate(90).save(file, "PNG", exif=exif)
    sideways = Image.open(file)
    assert image_difference(image_to_frame(sideways), image_to_frame(picture())) < SAME
    assert image_difference(image_to_frame(picture().rotate(90)), image_to_frame(picture())) > 10


def test_a_frame_is_its_own_frame():
    for seed in range(8):
        frame = image_to_frame(picture(strokes=curve(seed, 100)))
        assert difference(image_to_frame(frame.numpy()), frame) < SAME


@quick
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10_000))
def test_any_small_picture_is_framed(height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    assert image_to_frame(pixels).shape == (28, 28)
