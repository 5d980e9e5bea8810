"""Stroke templates: drawings as knots in a text, smooth curves through them, and their jitter.

A template is a text of knots `x,y` in a box of 100, y downwards, joined by a smooth curve. `!`
makes a knot a corner, `|` lifts the pen. This file knows nothing of what templates show.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

ROUNDNESS = 1.2  # of the curves: with 1, loops of few knots look like polygons

# How much templates vary before they are varied as every drawing is, in hundredths of the box. What
# is normally distributed is cut at two standard deviations, so that a 1 stays a 1 and a 7 a 7.
JITTER = 4.2  # standard deviation of a single knot
REACH = 10.0  # how much longer or shorter each end of a stroke becomes, standard deviation


def jitter(
    template: str, segments: int, count: int, generator: torch.Generator, reach: float = REACH
) -> torch.Tensor:
    """Draw a template `count` times with its knots moved a little: the points that `join` joins.

    Args:
        template: the text.
        segments: line segments of each drawing.
        reach: as `REACH`.

    Returns:
        Points along the curves, float32 N×P×2 in a box of side 1.
    """

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(count, *shape, generator=generator).clamp_(-2, 2)

    curve = spline(template, segments)
    moved = JITTER / 100 * normal(*curve.knots.shape)
    longer = reach / 100 * normal(len(curve.knots), 1) * curve.outward
    return curve.curve @ (curve.knots + moved + longer)


def join(template: str, segments: int, points: torch.Tensor) -> torch.Tensor:
    """The line segments, float32 N×S×4, between a template's points, float32 N×P×2."""
    starts = spline(template, segments).starts
    return torch.cat([points[:, starts], points[:, starts + 1]], 2)


@dataclass(frozen=True)
class Spline:
    """The curve through a template's knots, in a box of 1.

    Attributes:
        knots: float32 K×2.
        outward: float32 K×2, the direction of length 1 in which a stroke's end leaves it; 0 at all
            other knots.
        curve: float32 P×K. A curve is linear in its knots: `curve @ knots` are points along it.
        strokes: which of the points belong to each stroke.
        starts: int64 S, the points that the segments start from; each ends at the next point. The
            last one is repeated where the template needs fewer.
    """

    knots: torch.Tensor
    outward: torch.Tensor
    curve: torch.Tensor
    strokes: list[slice]
    starts: torch.Tensor


@cache
def spline(template: str, segments: int) -> Spline:
    """The curve of a template, with points for this number of line segments."""
    knots, runs = _parse(template)
    lengths = [_chords(knots[run]).sum() for stroke in runs for run in stroke]
    per_length = (segments - len(lengths)) / sum(lengths)
    outward = np.zeros_like(knots)
    curve: list[np.ndarray] = []
    strokes, starts = [], []
    for stroke in runs:
        for end, inner in ((stroke[0].start, 1), (stroke[-1].stop - 1, -1)):
            step = knots[end] - knots[end + inner]
            outward[end] = step / np.hypot(*step)
        begin = len(curve)
        for run in stroke:
            chords = _chords(knots[run])
            weights = _weights(chords, int(np.ceil(chords.sum() * per_length)))
            weights = weights @ np.eye(len(knots))[run]
            curve += list(weights if run is stroke[0] else weights[1:])
        strokes.append(slice(begin, len(curve)))
        starts += range(begin, len(curve) - 1)
    starts += starts[-1:] * (segments - len(starts))
    a, b, c = (torch.from_numpy(np.array(part)).float() for part in (knots, outward, curve))
    return Spline(a, b, c, strokes, torch.tensor(starts))


def _parse(template: str) -> tuple[np.ndarray, list[list[slice]]]:
    """A template's knots K×2, and of each stroke its smooth runs as slices of the knots."""
    knots: list[list[float]] = []
    strokes = []
    for stroke in template.split("|"):
        start = len(knots)
        runs = []
        for run in stroke.split("!"):
            knots += [[int(number) / 100 for number in knot.split(",")] for knot in run.split()]
            runs.append(slice(start, len(knots)))
            start = len(knots) - 1  # a corner ends one run and begins the next
        strokes.append(runs)
    return np.array(knots), strokes


def _chords(knots: np.ndarray) -> np.ndarray:
    return np.hypot(*np.diff(knots, axis=0).T)


def _weights(chords: np.ndarray, pieces: int) -> np.ndarray:
    """The weights of K knots, K - 1 chords apart, in `pieces + 1` points of a curve through them.

    A Catmull-Rom spline with its parameter along the chords: a cubic Hermite piece from knot to
    knot, its slope at each knot that of the parabola through the knot and its neighbours.
    """
    ends = np.concatenate([[0.0], chords.cumsum()])
    knots = np.eye(len(ends))
    order = 2 if len(chords) > 1 else 1
    slopes = ROUNDNESS * np.asarray(np.gradient(knots, ends, axis=0, edge_order=order))
    along = np.linspace(0, ends[-1], pieces + 1)
    left = np.searchsorted(ends[1:-1], along, side="right")
    chord = chords[left][:, None]
    t = (along - ends[left])[:, None] / chord
    return (
        (1 + 2 * t) * (1 - t) ** 2 * knots[left]
        + t**2 * (3 - 2 * t) * knots[left + 1]
        + chord * (t * (1 - t) ** 2 * slopes[left] - t**2 * (1 - t) * slopes[left + 1])
    )
