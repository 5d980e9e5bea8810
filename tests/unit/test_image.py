"""lenet.image: a picture of a digit → frame."""

import io
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps
from random_drawings import SAME, curve, difference, quick

from lenet.image import find_components, find_ink, image_to_frame
from lenet.preprocess import strokes_to_frame

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
def test_uneven_light_and_noise_are_removed(light, noise, invert):
    image = ImageOps.invert(picture()) if invert else picture()
    frame = image_to_frame(lit(light, noise, image))
    # What the light leaves brighter weighs more: the centre of mass may move by two pixels.
    assert image_difference(frame, image_to_frame(picture()), reach=2) < 10


@pytest.mark.parametrize("invert", [False, True], ids=["ink", "chalk"])
def test_a_digit_that_runs_over_the_edge_is_not_taken_for_light(invert):
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


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_with_a_damaged_orientation_is_read_as_it_lies(kind: str):
    exif = b"Exif\0\0MM\0\0\0\0\0\x08 and no more"
    file = io.BytesIO()
    picture().save(file, kind, exif=exif)
    with pytest.raises(SyntaxError):
        ImageOps.exif_transpose(Image.open(file))
    damaged = image_to_frame(Image.open(file))
    assert image_difference(damaged, image_to_frame(picture())) < SAME


def test_a_frame_is_its_own_frame():
    for seed in range(8):
        frame = image_to_frame(picture(strokes=curve(seed, 100)))
        assert difference(image_to_frame(frame.numpy()), frame) < SAME


# ---------------------------------------------------------------- components


def flooded(inked: np.ndarray) -> np.ndarray:
    """Each pixel's component, found pixel by pixel, and -1 where there is no ink."""
    labels = np.full(inked.shape, -1)
    for number, start in enumerate(zip(*np.nonzero(inked), strict=True)):
        waiting = [start] if labels[start] < 0 else []
        while waiting:
            y, x = waiting.pop()
            near = np.s_[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            new = inked[near] & (labels[near] < 0)
            labels[near][new] = number
            waiting += [(y + a - (y > 0), x + b - (x > 0)) for a, b in np.argwhere(new)]
    return labels


@quick
@given(st.integers(1, 14), st.integers(1, 14), st.floats(0.1, 0.9), st.integers(0, 10_000))
def test_components_are_those_of_a_flood_fill(height: int, width: int, share: float, seed: int):
    inked = np.random.default_rng(seed).random((height, width)) < share
    labels, corners = find_components(inked.astype(np.float32))
    expected = flooded(inked)
    pairs = set(zip(labels[inked].tolist(), expected[inked].tolist(), strict=True))
    assert len(pairs) == len(corners) == len(set(expected[inked].tolist()))
    for label, ((x0, y0), (x1, y1)) in enumerate(corners):
        rows, columns = np.nonzero(inked & (labels == label))
        assert (x0, y0) == (columns.min(), rows.min())
        assert (x1, y1) == (columns.max() + 1, rows.max() + 1)


def test_the_faint_edge_of_ink_belongs_to_its_component_and_joins_none():
    ink = np.zeros((5, 9), np.float32)
    ink[1:4, 1:4] = ink[1:4, 5:8] = 1
    ink[1:4, 4] = 0.2
    labels, corners = find_components(ink)
    assert len(corners) == 2
    assert set(labels[:, 4]) <= {0, 1}
    assert (labels >= 0).all()


def test_of_very_many_components_the_largest_are_kept():
    ink = np.zeros((101, 101), np.float32)
    ink[::2, ::2] = 1
    ink[40:61, 40:61] = 1
    _, corners = find_components(ink)
    assert len(corners) == 200
    assert any((corner == [[40, 40], [61, 61]]).all() for corner in corners)


def test_a_picture_without_ink_has_no_components():
    labels, corners = find_components(find_ink(Image.new("L", (50, 40), 255)))
    assert corners == []
    assert (labels == -1).all()


@quick
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10_000))
def test_any_small_picture_is_framed(height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    assert image_to_frame(pixels).shape == (28, 28)
