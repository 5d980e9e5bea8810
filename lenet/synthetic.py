"""Digits drawn from stroke templates: a data set that needs no network and no download.

Each digit has several templates, for the ways in which people in different countries write it. A
template is varied as hands vary it and drawn by the rasteriser that also draws the visitors' own
strokes. This file knows nothing of networks, MNIST or training.
"""

from collections.abc import Iterator

import torch

from lenet.augment import random_widths, vary_points
from lenet.preprocess import rasterize
from lenet.templates import jitter, join, spline

SEGMENTS = 32  # line segments of every drawing: at 20 pixels a digit, a curve is smooth with these
PART = 1000  # digits that are drawn at once: a seventh of a second
EXAMPLE_SEGMENTS = 128  # at the pad's size

LEAN = 8.0  # degrees: most people lean to the right

# As `lenet.templates` reads them. The first template of a digit is its example.
TEMPLATES: dict[int, tuple[str, ...]] = {
    0: (
        "54,0 22,16 12,58 44,100 80,78 85,28 50,1",
        "40,4 14,36 20,84 56,100 86,66 68,5",  # open at the top
        "66,4 28,12 12,58 44,100 80,78 80,22 46,10 36,32",  # the end curls in
        "54,0 22,16 12,58 44,100 80,78 85,28 50,1 | 76,16 24,84",  # slashed
        "54,0 22,16 12,58 44,100 80,78 85,28 50,1 | 90,0 10,100",
        "54,0 22,16 12,58 44,100 80,78 85,28 50,1 | 52,6 46,94",  # an upright bar
    ),
    1: (
        "30,36 54,0! 54,100",
        "50,0 50,100",
        "62,0 40,100",
        "30,34 54,0! 54,100 | 26,100 82,100",
        "20,56 58,0! 58,100",  # long flag, as in Germany
        "26,32 54,0! 52,88 58,99 70,94",  # hooked below
    ),
    2: (
        "12,24 28,5 54,0 78,12 80,34 58,64 12,100! 90,100",
        "14,22 36,2 62,4 72,24 50,62 18,92 4,86 14,75 44,83 68,93 98,84",  # looped foot
        "12,6 84,4! 12,97! 90,96",  # like a z
        "14,22 34,2 62,2 80,20 70,48 14,94! 40,88 66,98 92,92",
        "16,22 40,2 64,6 66,32 42,70 16,96 4,82 20,66 48,82 72,94 98,78",
        "22,20 44,0 68,8 64,36 42,70 20,98! 82,95",
    ),
    3: (
        "16,14 40,0 68,8 72,30 42,47! 72,54 80,76 56,98 14,90",
        "16,10 44,0 74,10 70,34 50,46 36,46 44,42 72,52 84,74 60,98 14,92",  # loop in the middle
        "14,2 82,2! 44,40! 76,48 86,72 60,98 12,92",  # flat top
        "26,10 50,0 66,14 44,38! 68,46 76,70 54,96 14,98",
    ),
    4: (
        "34,0 12,60! 90,60 | 66,30 66,100",
        "18,4 14,52! 84,52 | 78,0 78,100",
        "62,100 62,0! 8,68! 92,68",  # closed
        "48,0 10,64! 90,60 | 62,34 52,100",  # the vertical only crosses the bar
        "14,2 14,38 38,52 76,42 | 82,0 76,100",  # a cup
    ),
    5: (
        "26,3 21,44! 54,36 84,58 74,90 42,100 10,90 | 26,3 86,3",
        "86,3 28,3! 22,44! 56,36 84,58 74,90 42,100 10,90",
        "84,6 54,0 28,14 32,38 62,52 78,74 58,98 14,94",  # like an s
        "22,12 18,46! 54,38 82,60 70,92 38,100 8,90 | 24,8 92,0",  # the hat apart
        "94,0 40,10! 28,46! 58,46 70,66 52,92 6,98",
    ),
    6: (
        "70,2 42,14 18,46 16,80 42,100 74,92 84,72 64,54 38,57 20,70 14,84",
        "62,0 28,46 14,78 34,100 66,94 74,72 52,58 20,76",
        "20,0 16,60 26,92 50,100 78,88 76,62 50,54 18,74",  # upright stem
        "68,0 34,24 14,66 28,97 60,97 74,78 60,62 40,70 36,84",  # the end curls in
        "48,0 24,38 14,74 30,98 68,94 84,72 64,58 34,68 6,84",
    ),
    7: (
        "10,5 88,5! 42,100",
        "10,5 88,5! 42,100 | 40,53 84,53",  # crossed
        "12,20 14,5! 88,5! 42,100",  # with a serif
        "12,20 14,5! 88,5! 42,100 | 40,53 84,53",
        "8,40 12,5! 88,5! 42,100",  # with a long one
        "6,6 46,9 94,5! 60,44 44,100",  # curved stem
        "8,18 24,4 54,9 90,5! 42,100",
    ),
    8: (
        "76,14 50,0 23,16 50,47 80,74 50,100 20,76 50,48 76,26 75,12",
        "50,0 26,14 32,42 64,42 73,14 48,0 | 50,46 19,66 28,96 72,96 80,66 48,46",
        "82,12 56,0 28,10 32,34 60,54 74,80 50,100 26,82 42,56 70,34 88,4",  # from the right, open
        "72,14 50,3 30,14 36,34 60,56 70,78 46,100 24,84 40,58 66,32 92,0",
    ),
    9: (
        "80,14 54,0 22,12 18,40 42,53 70,42 82,8! 78,100",
        "80,10 50,0 20,14 20,42 48,52 76,36 82,6! 82,62 70,94 42,100 16,88",  # like a g
        "82,10 58,0 26,12 20,36 42,48 70,34 84,6! 66,50 40,100",  # slanted
        "86,14 48,0 16,18 18,46 46,54 78,34 | 82,0 80,100",  # like a q
        "72,8 40,2 16,26 30,50 58,42 82,8! 74,100",  # open
        "76,36 64,4 26,6 16,32 40,49 72,46 82,68 60,98 20,94",  # the end misses the loop
        "74,10 52,0 32,12 34,34 52,40 70,26 80,2! 64,52 30,100",
    ),
}


def synthetic_digits(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw uint8 N×28×28 frames and their int64 labels N, in shuffled order.

    Each digit is drawn equally often, and so is each of its templates; equal arguments give equal
    bits.
    """
    frames, labels = zip(*synthetic_parts(count, seed), strict=True)
    return torch.cat(frames), torch.cat(labels)


def synthetic_parts(count: int, seed: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The same digits as `synthetic_digits`, a thousand at a time: uint8 frames, int64 labels."""
    drawings = synthetic_segments(count, torch.Generator().manual_seed(seed))
    for segments, pen_widths, labels in zip(*(d.split(PART) for d in drawings), strict=True):
        yield rasterize(segments, pen_widths), labels


def synthetic_segments(
    count: int, generator: torch.Generator, length: int = SEGMENTS
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vary the templates, as `synthetic_digits` does, into what `rasterize` takes.

    Args:
        length: line segments of each drawing; a digit that is drawn small needs fewer.

    Returns:
        Segments float32 N×S×4, pen widths float32 N in pixels of the frame, labels int64 N.
    """
    segments = torch.empty(count, length, 4)
    # Drawing i is of the digit i % 10, and a digit's templates take turns.
    for digit, templates in TEMPLATES.items():
        for number, template in enumerate(templates):
            part = segments[digit + 10 * number :: 10 * len(templates)]
            part.copy_(_vary(template, length, len(part), generator))
    order = torch.randperm(count, generator=generator)
    return segments[order], random_widths(count, generator), order % 10


def example_strokes() -> dict[int, list[list[list[float]]]]:
    """One well-written example for each digit: strokes of [x, y] in a box of 1, y downwards."""
    examples = {}
    for digit, templates in TEMPLATES.items():
        curve = spline(templates[0], EXAMPLE_SEGMENTS)
        points = (curve.curve @ curve.knots).double().round(decimals=3)
        examples[digit] = [points[stroke].tolist() for stroke in curve.strokes]
    return examples


def _vary(template: str, length: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw a template `count` times, each time differently: float32 N×S×4."""
    points = vary_points(jitter(template, length, count, generator), generator, LEAN)
    return join(template, length, points)
