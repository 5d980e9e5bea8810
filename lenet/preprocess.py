"""The only way into the network: strokes → 28×28 frame → 1×32×32 input.

Training, evaluation and the drawing pad all take it, so a visitor's drawing is prepared exactly as
the training digits are. A *frame* is MNIST's picture of a digit: uint8, white ink on black, the
ink scaled into a 20×20 box and its centre of mass in the middle of 28×28
(http://yann.lecun.com/exdb/mnist/). `lenet.image` makes frames from pictures. This file knows
nothing of networks, data sets or files.
"""

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

FRAME = 28  # pixels a side of a frame
BOX = 20  # pixels a side of the box that the ink is scaled into
CENTRE = 14.5  # MNIST's centre of mass: the middle of pixel 14, counted from the frame's edge
INPUT = 32  # pixels a side of what the network takes
PEN_WIDTH = 2.4  # pixels of the frame: gives pen digits the mean ink of MNIST's
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in 0..1

# Small drawings show the mouse's steps: see `smooth_steps`.
STEPS = 4.0, 60.0  # steps: the height of a drawing that shows them
UNEVEN = 0.1  # of a step: by how much a move may miss a whole number of steps
NEAR = 3.0  # steps: points further apart are meant as they are, such as a square's corners

MAX_STROKES = 200
MAX_POINTS = 20_000

Strokes = Sequence[Sequence[Sequence[float]]]

_STEP = 0.5  # pixels of the frame: a polyline's points closer than this are merged
_SHORT = 2.0  # pixels: segments are drawn in parts of at most this, each in a window of few pixels
_DRAWINGS = 500  # that are drawn together
_ELEMENTS = 1 << 17  # floats of the windows drawn together: about what a core's cache holds


# ---------------------------------------------------------------- frame → input


def resize_frames(frames: torch.Tensor) -> torch.Tensor:
    """Resize uint8 N×28×28 frames to uint8 N×1×32×32, bilinear and antialiased."""
    channels = 4 if len(frames) % 4 == 0 else 1  # four at once as channels take a third of the time
    pixels = frames.view(len(frames) // channels, channels, FRAME, FRAME)
    if frames.is_cuda:  # CUDA antialiases floating point only
        pixels = pixels.float()
    pixels = F.interpolate(pixels, (INPUT, INPUT), mode="bilinear", antialias=True)
    if frames.is_cuda:
        pixels = pixels.round_().to(torch.uint8)
    return pixels.view(len(frames), 1, INPUT, INPUT)


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """Turn uint8 pixels 0..255 of any shape into float32 with MNIST's mean 0 and deviation 1."""
    return pixels.float().sub_(255 * MEAN).div_(255 * STD)


def frames_to_inputs(frames: torch.Tensor) -> torch.Tensor:
    """Turn uint8 N×28×28 frames into the network's float32 N×1×32×32 inputs."""
    return normalize(resize_frames(frames))


# ---------------------------------------------------------------- strokes → frame


def check_strokes(strokes: object) -> list[np.ndarray]:
    """Check strokes that somebody sent and return them as float64 arrays of shape P×2.

    Strokes are a list of strokes, each a list of `[x, y]`, y downwards, in any unit. Strokes
    without points are left out.

    Raises:
        ValueError: one sentence that says which stroke is wrong, and how.
    """
    if not isinstance(strokes, list | tuple):
        raise ValueError(
            f"Strokes must be a list of strokes, each a list of [x, y], not {_kind(strokes)}."
        )
    if len(strokes) > MAX_STROKES:
        raise ValueError(
            f"The drawing has {len(strokes):,} strokes; at most {MAX_STROKES} are read."
        )
    arrays = []
    points = 0
    for number, stroke in enumerate(strokes, 1):
        if not isinstance(stroke, list | tuple):
            raise ValueError(
                f"Stroke {number} must be a list of [x, y] points, not {_kind(stroke)}."
            )
        points += len(stroke)
        if points > MAX_POINTS:
            raise ValueError(
                f"The drawing has more than {MAX_POINTS:,} points; draw it with fewer."
            )
        if not _are_points(stroke):
            raise ValueError(f"Stroke {number} has a point that is not [x, y] of two numbers.")
        if not stroke:
            continue
        try:
            array = np.array(stroke, dtype=np.float64)
        except OverflowError:  # an integer beyond float64
            array = np.array([[np.inf, np.inf]])
        if not (np.abs(array) < 1e30).all():  # false for NaN too; float32 squares stay finite
            raise ValueError(f"Stroke {number} has a point that is NaN, infinite or out of range.")
        arrays.append(array)
    return arrays


def _are_points(stroke: Sequence[Any]) -> bool:
    """Whether a stroke holds pairs of numbers; types are compared as sets, in a tenth of the time
    that looking at each of thousands of points takes."""
    if not all(issubclass(kind, list | tuple) for kind in set(map(type, stroke))):
        return False
    if not set(map(len, stroke)) <= {2}:
        return False
    kinds = set(map(type, chain.from_iterable(stroke)))
    return all(issubclass(kind, int | float) and kind is not bool for kind in kinds)


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def smooth_steps(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Smooth a drawing so small that it shows the mouse's steps, which are whole pixels.

    Each point is averaged once with its neighbours, 1 2 1. With this, the network reads digits of
    five to thirty pixels half a point worse than larger ones; without it, nearly a point worse. Any
    other drawing stays as it is.

    Args:
        strokes: float64 P×2 each, as `check_strokes` returns them.
    """
    moves = np.concatenate([np.zeros((1, 2)), *(stroke[1:] - stroke[:-1] for stroke in strokes)])
    lengths = np.abs(moves[moves != 0])
    if not len(lengths):
        return list(strokes)
    step = lengths.min()
    height = np.ptp(np.concatenate([stroke[:, 1] for stroke in strokes]))
    if not STEPS[0] * step <= height <= STEPS[1] * step:
        return list(strokes)
    in_steps = lengths / step
    if np.abs(in_steps - in_steps.round()).max() > UNEVEN:
        return list(strokes)
    return [_smooth(stroke, NEAR * step) for stroke in strokes]


def _smooth(stroke: np.ndarray, near: float) -> np.ndarray:
    """Average the points of a stroke that have both neighbours near; equal points become one."""
    moves = np.abs(stroke[1:] - stroke[:-1]).max(1)
    stroke = stroke[np.append(True, moves > 0)]
    moves = moves[moves > 0]
    average = (stroke[:-2] + 2 * stroke[1:-1] + stroke[2:]) / 4
    inside = np.maximum(moves[:-1], moves[1:]) <= near
    stroke[1:-1][inside] = average[inside]
    return stroke


def thin_stroke(stroke: np.ndarray, side: float) -> np.ndarray:
    """Merge points of a stroke, float64 P×2, that lie closer along it than half a frame's pixel.

    So the number of segments depends on the ink and not on the mouse. `side` is the longer side of
    the drawing's box, or 1 where it has none.
    """
    x, y = (stroke[1:] - stroke[:-1]).T
    bins = np.zeros(len(stroke))
    np.floor((np.hypot(x, y) / side).cumsum() / (_STEP / BOX), out=bins[1:])
    keep = np.ones(len(stroke), bool)  # the first and the last point always
    keep[1:-1] = bins[1:-1] != bins[:-2]
    return stroke[keep]


def longer_side(points: np.ndarray) -> float:
    """The longer side of the box of points P×2, or 1 where it has none."""
    return float((points.max(0) - points.min(0)).max()) or 1.0


def strokes_to_segments(strokes: Iterable[np.ndarray]) -> torch.Tensor:
    """Turn checked strokes into float32 S×4 line segments `(x0, y0, x1, y1)` in a box of side 1.

    They are smoothed and thinned first. A stroke of one point is a segment of no length. No strokes
    give 0×4.
    """
    strokes = smooth_steps(list(strokes))
    if not strokes:
        return torch.zeros(0, 4)
    side = longer_side(np.concatenate(strokes))
    return polylines_to_segments([thin_stroke(stroke, side) for stroke in strokes])


def polylines_to_segments(polylines: Sequence[np.ndarray]) -> torch.Tensor:
    """Turn polylines, at least one, float64 P×2 each, into float32 S×4 segments in a box of side 1.

    They are neither smoothed nor thinned.
    """
    points = np.concatenate(polylines)
    low, side = points.min(0), longer_side(points)
    segments = []
    for line in polylines:
        line = (line - low) / side
        if len(line) == 1:
            line = line[[0, 0]]
        segments.append(np.concatenate([line[:-1], line[1:]], axis=1))
    return torch.from_numpy(np.concatenate(segments).astype(np.float32))


def pad_segments(drawings: Sequence[torch.Tensor]) -> torch.Tensor:
    """Put drawings of at least one segment, float32 S×4 each, into one batch N×S×4.

    S is the longest drawing's; the others repeat their last segment, which adds no ink.
    """
    if len(drawings) == 1:
        return drawings[0][None]
    batch = torch.empty(len(drawings), max(map(len, drawings), default=0), 4)
    for padded, own in zip(batch, drawings, strict=True):
        padded[: len(own)] = own
        padded[len(own) :] = own[-1]
    return batch


def rasterize(segments: torch.Tensor, pen_width: float | torch.Tensor = PEN_WIDTH) -> torch.Tensor:
    """Draw a batch of drawings as MNIST frames.

    The segments are scaled to the 20×20 box with their proportions kept, drawn with round joins and
    an antialiased edge at the pen's width, and shifted, by fractions of a pixel, until the centre
    of mass lies in MNIST's middle. Size and place of the drawing therefore do not matter.

    Args:
        segments: float32 N×S×4, `(x0, y0, x1, y1)` in any unit; pad by repeating a segment.
        pen_width: in pixels of the frame, one for all or float32 of shape N.

    Returns:
        uint8 N×28×28; all zero where S is 0.
    """
    count, length, _ = segments.shape
    frames = np.zeros((count, FRAME, FRAME), np.uint8)
    if length:
        widths = torch.as_tensor(pen_width, dtype=torch.float32).expand(count).numpy()

        def draw(first: int) -> None:
            part = slice(first, first + _DRAWINGS)
            frames[part] = _rasterize_chunk(segments[part].numpy(), widths[part])

        parts = range(0, count, _DRAWINGS)
        if len(parts) > 1:  # NumPy and PyTorch let other threads work meanwhile
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(draw, parts))
        else:
            for first in parts:
                draw(first)
    return torch.from_numpy(frames)


# NumPy, since one drawing takes mostly the time of the calls: PyTorch's take several times as long.


def _rasterize_chunk(segments: np.ndarray, width: np.ndarray) -> np.ndarray:
    points = segments.reshape(len(segments), -1, 2, 2)  # N×S×2×2: the ends, their x and y
    low, high = points.min((1, 2)), points.max((1, 2))
    extent = (high - low).max(1)
    scale = (BOX - width) / np.where(extent > 0, extent, np.float32(1))
    points = (points - ((low + high) / 2)[:, None, None]) * scale[:, None, None, None]
    start, along, owner = _short_segments(points)
    # A quarter of the pixels is enough to find the centre of mass to a tenth of a pixel.
    half = FRAME // 2
    ink = _coverage(start / 2 + np.float32(half / 2), along / 2, owner, width / 2, half)
    grid = np.arange(half, dtype=np.float32) + np.float32(0.5)
    mass = np.stack([ink.sum(1) @ grid, ink.sum(2) @ grid], 1)
    off_centre = mass / ink.sum((1, 2))[:, None] * 2 - FRAME / 2
    shift = (CENTRE - off_centre).clip(BOX / 2, FRAME - BOX / 2)  # the box stays in the frame
    ink = _coverage(start + shift.astype(np.float32)[owner], along, owner, width, FRAME)
    return np.rint(ink * 255).astype(np.uint8)


def _short_segments(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut segments N×S×2×2, in pixels, into parts of at most `_SHORT` pixels.

    Returns:
        Where the parts of all drawings begin, float32 M×2, where they go from there, float32 M×2,
        and the drawing that each belongs to, int64 M. Segments that only pad are left out.
    """
    count, length = points.shape[:2]
    differs = (points != points[:, -1:]).any((2, 3))
    lengths = 1 + (differs * np.arange(1, length + 1)).max(1)
    owner = np.arange(count).repeat(lengths)
    ends = points[np.arange(length) < lengths[:, None]]
    start, along = ends[:, 0], ends[:, 1] - ends[:, 0]
    parts = np.ceil(np.hypot(*along.T) / _SHORT).clip(1).astype(np.int64)
    which = np.arange(len(parts)).repeat(parts)
    if len(which) > len(parts):
        number = np.arange(len(which)) - (parts.cumsum() - parts)[which]
        along = (along / parts[:, None].astype(np.float32))[which]
        start = start[which] + along * number[:, None].astype(np.float32)
        owner = owner[which]
    return start, along, owner


def _coverage(
    start: np.ndarray, along: np.ndarray, owner: np.ndarray, width: np.ndarray, size: int
) -> np.ndarray:
    """How much of each pixel, 0..1, the short segments of N drawings cover: float32 N×size×size.

    That follows from the distance of the pixel's middle to the nearest segment. Only the pixels in
    a window around a short segment are near enough to be covered.
    """
    reach = float(width.max()) / 2 + 0.5
    side = min(size, math.ceil(_SHORT + 2 * reach) + 1)
    corner = np.floor(np.minimum(start, start + along) - np.float32(reach - 0.5))
    corner = corner.clip(0, size - side)
    column, row = corner.astype(np.int64).T
    pixel = np.arange(side)
    window = pixel[:, None] * size + pixel
    first = (owner * size + row) * size + column
    square = torch.full((len(width) * size * size,), 4.0 * size * size)
    block = max(1, _ELEMENTS // (side * side))
    for begin in range(0, len(start), block):
        part = slice(begin, begin + block)
        near = _squared_distances(start[part] - corner[part], along[part], side)
        pixels = first[part, None, None] + window
        # NumPy's minimum.at takes several times as long.
        square.scatter_reduce_(
            0, torch.from_numpy(pixels.ravel()), torch.from_numpy(near.ravel()), "amin"
        )
    distance = np.sqrt(square.numpy().reshape(-1, size, size))
    return (width[:, None, None] / 2 + np.float32(0.5) - distance).clip(0, 1)


def _squared_distances(start: np.ndarray, along: np.ndarray, side: int) -> np.ndarray:
    """From each of M segments to the middles of the pixels of its window: float32 M×side×side."""
    grid = np.arange(side, dtype=np.float32) + np.float32(0.5)
    per_length = along / (along * along).sum(1, keepdims=True).clip(1e-12)
    offset = grid - start[:, :, None]  # M×2×side: from the segment's start, by x and by y
    share = offset * per_length[:, :, None]
    # M×side×side: how far along its segment the point nearest to each pixel lies
    nearest = (share[:, 1, :, None] + share[:, 0, None, :]).clip(0, 1)
    dx = offset[:, 0, None, :] - nearest * along[:, 0, None, None]
    dy = offset[:, 1, :, None] - nearest * along[:, 1, None, None]
    return dx * dx + dy * dy


def strokes_to_frame(strokes: Strokes, pen_width: float = PEN_WIDTH) -> torch.Tensor:
    """Draw strokes, `[[[x, y], …], …]` with y downwards in any unit, as a uint8 28×28 frame.

    The frame is all zero where nothing is drawn.

    Raises:
        ValueError: the strokes are not what `check_strokes` takes.
    """
    return rasterize(strokes_to_segments(check_strokes(strokes))[None], pen_width)[0]
