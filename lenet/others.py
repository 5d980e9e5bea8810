"""Drawings of what is no digit: letters, signs, parts of digits, several digits, scribbles, shapes.

A network that has only ever seen digits takes a letter for one, and is sure of it. Shown these with
the uniform distribution as their target, it learns to be unsure (Hendrycks, Mazeika, Dietterich,
"Deep anomaly detection with outlier exposure", ICLR 2019). They are varied and drawn as digits are.

`python -m lenet.others N > FILE` writes an others file: one JSON object a line, `{"label": null,
"strokes": [[[x, y], …], …]}`. This file knows nothing of networks or training.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import torch

from lenet.augment import vary_strokes
from lenet.commands import at_least, print_file
from lenet.synthetic import synthetic_segments
from lenet.templates import jitter, join

LETTERS = Path(__file__).with_name("letters.txt")
REACH = 5.0  # as in `lenet.templates`, for letters: with a digit's, a C becomes an O
MOST = 24  # line segments of a letter at most
A_CHORD = 3  # line segments for each of its chords

DIGIT = 16  # line segments of a digit among others, where it is drawn small
PART = 0.25, 0.45  # of a digit's length: with more, a part of an 8 is an S, which is a 5
PIECE = 0.35, 0.75  # of a neighbour's width
GAP = -0.06, 0.6  # in heights, between digits in a row; with less, a 1 would slash a 0
JOINED = 0.2  # the share of digits in a row that are drawn without lifting the pen

SMILEYS = (
    "50,0 15,15 0,50 15,85 50,100 85,85 100,50 85,15 50,0 | 33,35 34,36 | 67,35 68,36 | "
    "25,62 50,80 75,62",
    "50,0 15,15 0,50 15,85 50,100 85,85 100,50 85,15 50,0 | 35,28 35,42 | 65,28 65,42 | "
    "22,60 50,82 78,60",
    "50,0 15,15 0,50 15,85 50,100 85,85 100,50 85,15 50,0 | 35,35 36,36 | 65,35 66,36 | "
    "50,45 46,58! 54,58 | 28,72 72,72",
    "50,0 15,15 0,50 15,85 50,100 85,85 100,50 85,15 50,0 | 33,35 34,36 | 67,35 68,36 | "
    "27,78 50,62 73,78",
    "30,30 31,31 | 70,30 71,31 | 10,60 50,90 90,60",
    "30,20 30,42 | 70,20 70,42 | 50,40 42,62! 54,62 | 5,62 50,95 95,62",
    "25,35 26,36 | 25,65 26,66 | 50,50 65,50 | 75,15 95,50 75,85",  # :-)
)

SHAPES = (
    "50,100 12,60 0,30 20,5 50,28! 80,5 100,30 88,60 50,100",  # heart
    "50,0 20,95! 98,35! 2,35! 80,95! 50,0",  # star, in one go
    "50,0 62,36! 100,36! 69,58! 81,95! 50,72! 19,95! 31,58! 0,36! 38,36! 50,0",
    "0,100 0,45! 100,45! 100,100! 0,100 | 0,45 50,0! 100,45",  # house
    "0,100 100,100! 100,40! 0,40! 0,100! 100,40! 50,0! 0,40! 100,100",  # in one go
    "50,0 38,8 38,22 50,30 62,22 62,8 50,0 | 50,30 50,65 | 20,42 80,42 | 50,65 25,100 | "
    "50,65 75,100",  # a man
    "30,35 30,65 50,70 70,65 70,35 50,30 30,35 | 50,0 50,18 | 50,82 50,100 | 0,50 15,50 | "
    "85,50 100,50 | 15,15 25,25 | 75,75 85,85 | 85,15 75,25 | 15,85 25,75",  # sun
    "15,80 0,62 18,45! 22,22 48,25! 62,5 85,20 78,42! 100,58 88,80! 15,80",  # cloud
    "100,85 65,42 35,22 0,50! 35,78 65,58 100,15! 100,85",  # fish
    "50,50 40,20 50,2 60,20 50,50 80,40 98,50 80,60 50,50 60,80 50,98 40,80 50,50 20,60 2,50 20,40 "
    "50,50",  # flower
    "0,15 100,15! 100,85! 0,85! 0,15 | 0,15 50,55! 100,15",  # envelope
    "0,0 100,0! 100,100! 0,100! 0,0! 100,100 | 100,0 0,100",  # crossed box
    "0,0 70,0! 70,70! 0,70! 0,0 | 30,30 100,30! 100,100! 30,100! 30,30",  # two boxes
    "25,0 25,100 | 75,0 75,100 | 0,28 100,28 | 0,72 100,72",  # grid
    "5,50 40,95! 100,5",  # check mark
    "0,35 60,35! 60,10! 100,50! 60,90! 60,65! 0,65! 0,35",  # arrow
    "0,45 40,45! 25,100! 95,35! 55,40! 75,0! 0,45",  # flash
    "0,50 12,25 25,50 38,75 50,50 62,25 75,50 88,75 100,50",  # wave
    "0,35 12,20 37,50 62,20 87,50 100,35 | 0,70 12,55 37,85 62,55 87,85 100,70",
    "0,30 0,60 25,70 50,50 75,30 100,40 100,65 75,70 50,50 25,30 0,30",  # ∞
    "50,0 15,45! 85,45! 50,0 | 50,30 5,85! 95,85! 50,30 | 50,85 50,100",  # fir
    "0,60 15,95! 85,95! 100,60! 0,60 | 50,60 50,0! 90,50! 50,50",  # boat
    "20,0 20,100 | 20,5 90,20! 20,45",  # flag
    "0,100 30,30! 45,65! 65,10! 100,100",  # mountains
    "50,50 55,40 65,50 50,68 30,50 50,22 85,50 50,95 8,50 50,0 98,20",  # spiral
    "0,20 25,60! 50,0! 75,60! 100,20! 90,100! 10,100! 0,20",  # crown
    "15,30 0,0! 38,18 62,18 100,0! 85,30 90,70 50,100 10,70 15,30 | 33,50 34,51 | "
    "67,50 68,51",  # cat
)


# ---------------------------------------------------------------- what the kinds have in common


def _from_templates(
    templates: tuple[str, ...], count: int, generator: torch.Generator
) -> torch.Tensor:
    """Draw templates, each about equally often: float32 N×S×4."""
    drawings = torch.empty(count, MOST, 4)
    order = torch.randperm(len(templates), generator=generator).tolist()
    for place, number in enumerate(order):
        template = templates[number]
        chords = template.count(",") - template.count("|") - 1
        length = min(MOST, A_CHORD * chords)
        part = drawings[place :: len(templates)]
        points = jitter(template, length, len(part), generator, REACH)
        part.copy_(_padded(join(template, length, points), MOST))
    return drawings


@cache
def _letters(kind: str) -> tuple[str, ...]:
    """The templates of a kind of letters."""
    lines = LETTERS.read_text().splitlines()
    return tuple(line.removeprefix(f"{kind}: ") for line in lines if line.startswith(f"{kind}: "))


def _padded(segments: torch.Tensor, length: int) -> torch.Tensor:
    """Repeat each drawing's last segment until there are `length`."""
    missing = length - segments.shape[1]
    return torch.cat([segments, segments[:, -1:].expand(-1, missing, -1)], 1)


def _lengths(segments: torch.Tensor) -> torch.Tensor:
    """How many segments each drawing has before it only repeats its last, int64 N."""
    places = torch.arange(1, segments.shape[1] + 1)
    return 1 + ((segments != segments[:, -1:]).any(-1) * places).amax(1)


def _ink(segments: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The length of each drawing's first `lengths` segments together, float32 N."""
    each = (segments[..., 2:] - segments[..., :2]).norm(dim=2)
    return (each * (torch.arange(segments.shape[1]) < lengths[:, None])).sum(1)


def _box(segments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The corners of each drawing's box, float32 N×2 each: the low and the high x and y."""
    points = segments.unflatten(-1, (2, 2))
    return points.amin((1, 2)), points.amax((1, 2))


def _fitted(segments: torch.Tensor, high: bool = False) -> torch.Tensor:
    """Move drawings to the origin and scale their longer side, or their height, to 1."""
    low, top = _box(segments)
    extent = top - low
    side = extent[:, 1] if high else extent.amax(1)
    points = segments.unflatten(-1, (2, 2)) - low[:, None, None]
    return (points / side.clamp_min(1e-3)[:, None, None, None]).flatten(-2)


def _uniform(limits: tuple[float, float], count: int, generator: torch.Generator) -> torch.Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(count, generator=generator)


def _best(badness: torch.Tensor, count: int) -> torch.Tensor:
    """The indices of `count` drawings, bad ones only where there are too few good ones."""
    return badness.argsort(stable=True)[:count]


def _thinned(segments: torch.Tensor, length: int) -> torch.Tensor:
    """Merge neighbouring segments of each stroke until there are about `length`: N×length×4.

    A drawing of more strokes than that loses the last ones.
    """
    count, longest, _ = segments.shape
    places = torch.arange(longest).expand(count, longest)
    own = _lengths(segments)[:, None]
    lifted = torch.ones(count, longest, dtype=torch.bool)
    lifted[:, 1:] = (segments[:, 1:, :2] != segments[:, :-1, 2:]).any(-1)
    lifted &= places < own
    begun = (places * lifted).cummax(1).values  # where the segment's stroke begins
    merged = (own / (length - lifted.sum(1, keepdim=True)).clamp_min(1)).ceil().long()
    first = ((places - begun) % merged == 0) & (places < own)
    after = torch.where(first, places, own).roll(-1, 1)
    after[:, -1:] = own
    last = after.flip(1).cummin(1).values.flip(1) - 1  # the last segment of each group
    ends = segments[..., 2:].gather(1, last[..., None].expand(-1, -1, 2))
    groups = torch.cat([segments[..., :2], ends], 2)
    order = (~first).byte().argsort(dim=1, stable=True)[:, :length]
    found = first.sum(1, keepdim=True)
    order = order.gather(1, torch.arange(order.shape[1]).expand(count, -1).minimum(found - 1))
    return _padded(groups.gather(1, order[..., None].expand(-1, -1, 4)), length)


def _digits(
    count: int, length: int, generator: torch.Generator, drawings: torch.Tensor
) -> torch.Tensor:
    """Digits of height 1, float32 N×length×4: half of them drawings where there are some."""
    taken = torch.randint(max(1, len(drawings)), (count // 2,), generator=generator)
    drawn = _thinned(drawings[taken], length) if len(drawings) else torch.empty(0, length, 4)
    made, _, _ = synthetic_segments(count - len(drawn), generator, length)
    both = torch.cat([_fitted(drawn, high=True), _fitted(made, high=True)])
    return both[torch.randperm(count, generator=generator)]


def _row(parts: list[torch.Tensor], generator: torch.Generator) -> torch.Tensor:
    """Set drawings N×S×4 side by side, their sizes, gaps and base lines varied."""
    count = len(parts[0])
    right = torch.zeros(count)
    row: list[torch.Tensor] = []
    for part in parts:
        size = _uniform((0.8, 1.2), count, generator)
        part = part * size[:, None, None]
        low, high = _box(part)
        move = torch.stack([right - low[:, 0], _uniform((-0.12, 0.12), count, generator)], 1)
        part = part + move.repeat(1, 2)[:, None]
        if row:
            link = torch.cat([row[-1][:, -1:, 2:], part[:, :1, :2]], 2)
            lifted = torch.rand(count, 1, 1, generator=generator) >= JOINED
            row.append(link.where(~lifted, row[-1][:, -1:]))
        row.append(part)
        right = right + high[:, 0] - low[:, 0] + _uniform(GAP, count, generator)
    return torch.cat(row, 1)


# ---------------------------------------------------------------- the kinds


def _parts(count: int, generator: torch.Generator, drawings: torch.Tensor) -> torch.Tensor:
    """Parts of digits, in the order of writing, that are no digits themselves.

    What is narrow or nearly straight may be a 1, what ends where it begins a 0, and what falls with
    a bulge to the right a 7.
    """
    tries = 3 * count
    digits = _digits(tries, 2 * MOST, generator, drawings)
    own = _lengths(digits)
    share = _uniform(PART, tries, generator)
    length = (share * own).round().clamp_min(2)
    # A third each: the beginning, the end, and somewhere.
    place = (3 * torch.rand(tries, generator=generator) - 1).clamp(0, 1)
    begin = (place * (own - length).clamp_min(0)).round()  # a line is shorter than what is taken
    most = math.ceil(PART[1] * 2 * MOST)
    places = begin[:, None] + torch.arange(most).minimum(length[:, None] - 1)
    parts = digits.gather(1, places.long()[..., None].expand(-1, -1, 4))
    low, high = _box(parts)
    width, height = (high - low).unbind(1)
    across = parts[:, -1, 2:] - parts[:, 0, :2]
    chord = across.norm(dim=1)
    straight = (chord > 0.8 * _ink(parts, length)) & (height > 0.25 * width)
    closed = chord < 0.5 * torch.maximum(width, height)
    out, on = (parts[..., axis : axis + 2] - parts[:, :1, :2] for axis in (0, 2))
    bulge = (out[..., 0] * on[..., 1] - out[..., 1] * on[..., 0]).sum(1)  # clockwise above 0
    falls = (bulge * across[:, 1] > 0) & (across[:, 1].abs() > 0.5 * height) & (height > width / 2)
    bad = (width < 0.6 * height) | straight | closed | falls
    return parts[_best(bad.byte(), count)]


def _with_a_piece(count: int, generator: torch.Generator, drawings: torch.Tensor) -> torch.Tensor:
    """A digit and the nearer piece of its neighbour, as a wrong cut through a number leaves it."""
    tries = count + count // 2
    whole, neighbour = _digits(2 * tries, DIGIT, generator, drawings).split(tries)
    _, high = _box(neighbour)
    left = torch.rand(tries, generator=generator) < 0.5  # the neighbour is on the left
    middle = (neighbour[..., 0] + neighbour[..., 2]) / 2 / high[:, :1].clamp_min(1e-3)
    share = _uniform(PIECE, tries, generator)[:, None]
    kept = torch.where(left[:, None], middle > 1 - share, middle < share)
    some = kept.byte().argmax(1)[:, None, None].expand(-1, 1, 4)
    piece = neighbour.where(kept[..., None], neighbour.gather(1, some))
    low, high = _box(piece)
    small = ~kept.any(1) | (high[:, 1] - low[:, 1] < 0.3)
    pick = _best(small.byte(), count)
    swap = left[pick, None, None]
    first, second = whole[pick], piece[pick]
    return _row([second.where(swap, first), first.where(swap, second)], generator)


def _two(count: int, generator: torch.Generator, drawings: torch.Tensor) -> torch.Tensor:
    digits = _digits(2 * count, DIGIT, generator, drawings)
    return _row([digits[:count], digits[count:]], generator)


def _three(count: int, generator: torch.Generator, drawings: torch.Tensor) -> torch.Tensor:
    digits = _digits(3 * count, DIGIT - 4, generator, drawings)
    return _row([digits[:count], digits[count : 2 * count], digits[2 * count :]], generator)


def _scribbles(count: int, generator: torch.Generator, _: torch.Tensor) -> torch.Tensor:
    """Tangles, zigzags, coils and spirals."""
    points = 33
    t = torch.linspace(0, 1, points)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    # A tangle: waves of random frequencies, phases and heights, added up.
    phases = 2 * torch.pi * (uniform(1, 4.5, 3, 2)[..., None] * t + uniform(0, 1, 3, 2)[..., None])
    tangle = (uniform(0.3, 1, 3, 2)[..., None] * phases.sin()).sum(1).transpose(1, 2)
    # To and fro, four to eight times, along a line of any direction.
    turns, angle = uniform(4, 8, 1), uniform(0, 2 * torch.pi, 1)
    to_and_fro = (turns * t * 2).remainder(2).sub(1).abs() * uniform(0.6, 1, points)
    forth = uniform(0.3, 1.2, 1) * t
    zigzag = torch.stack([to_and_fro, forth], 2)
    # Loops that wander off, and a spiral where they do not.
    radius = torch.where(uniform(0, 1, 1) < 0.4, t, uniform(0.2, 0.5, 1).expand(count, points))
    wander = torch.where(radius == t, torch.zeros(()), uniform(1, 2.5, 1) * t)
    turning = 2 * torch.pi * uniform(2.5, 4, 1) * t
    coil = torch.stack([wander + radius * turning.cos(), radius * turning.sin()], 2)
    which = torch.randint(5, (count, 1, 1), generator=generator)
    line = tangle.where(which < 3, zigzag.where(which == 3, coil))
    cos, sin = angle[..., None].cos(), angle[..., None].sin()
    line = torch.cat([line[..., :1] * cos - line[..., 1:] * sin,
                      line[..., :1] * sin + line[..., 1:] * cos], 2)  # fmt: skip
    return torch.cat([line[:, :-1], line[:, 1:]], 2)


def _polygons(count: int, generator: torch.Generator, _: torch.Tensor) -> torch.Tensor:
    """Triangles, quadrilaterals and stars, some with a diagonal; one of more sides may be a 0."""
    corners, step = torch.tensor([[3, 1], [3, 1], [4, 1], [4, 1], [5, 2], [7, 3]])[
        torch.randint(6, (count,), generator=generator)
    ].unbind(1)
    number = torch.arange(8).minimum(corners[:, None])
    jittered = 0.12 * torch.randn(count, 8, generator=generator).clamp(-2, 2)
    angle = 2 * torch.pi * (number * step[:, None] + jittered) / corners[:, None]
    angle = angle + _uniform((0, 2 * math.pi), count, generator)[:, None]
    radius = 1 + 0.15 * torch.randn(count, 8, generator=generator).clamp(-2, 2)
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], 2)
    sides = torch.cat([points[:, :-1], points[:, 1:]], 2)
    sides = sides.gather(
        1, torch.arange(7).minimum(corners[:, None] - 1)[..., None].expand(-1, -1, 4)
    )
    diagonal = torch.cat([points[:, :1], points[:, 2:3]], 2)
    with_it = torch.rand(count, 1, 1, generator=generator) < 0.25
    diagonal = diagonal.where(with_it & (corners == 4)[:, None, None], sides[:, -1:])
    return _halved(torch.cat([sides, diagonal], 1))


def _halved(segments: torch.Tensor) -> torch.Tensor:
    """Each segment as two, so that a long line can be bent."""
    middle = (segments[..., :2] + segments[..., 2:]) / 2
    halves = [torch.cat([segments[..., :2], middle], 2), torch.cat([middle, segments[..., 2:]], 2)]
    return torch.stack(halves, 2).flatten(1, 2)


def _dots_and_lines(count: int, generator: torch.Generator, _: torch.Tensor) -> torch.Tensor:
    """One to four dots, and one or two long lines, none so upright that it is a 1."""
    number = torch.randint(1, 5, (count, 1), generator=generator)
    places = torch.arange(4).minimum(number - 1)[..., None].expand(-1, -1, 4)
    dots = torch.rand(count, 4, 2, generator=generator).repeat(1, 1, 2).gather(1, places)
    angle = _uniform((-0.35, 0.35), count, generator)
    along = torch.stack([angle.cos(), angle.sin()], 1)
    below = torch.stack([torch.zeros(count), _uniform((0.2, 0.6), count, generator)], 1)
    line = torch.cat([torch.zeros(count, 2), along], 1)
    second = line + below.repeat(1, 2)
    second = second.where(torch.rand(count, 1, generator=generator) < 0.3, line)
    lines = _halved(torch.stack([line, second], 1))
    return dots.where(torch.rand(count, 1, 1, generator=generator) < 0.4, lines)


def _of(templates: Callable[[], tuple[str, ...]]) -> "Kind":
    return lambda count, generator, drawings: _from_templates(templates(), count, generator)


Kind = Callable[[int, torch.Generator, torch.Tensor], torch.Tensor]

KINDS: dict[str, Kind] = {
    "capitals": _of(lambda: _letters("capitals")),
    "lower case": _of(lambda: _letters("lower case")),
    "Greek": _of(lambda: _letters("Greek")),
    "signs": _of(lambda: _letters("signs")),
    "part of a digit": _parts,
    "digit and a piece": _with_a_piece,
    "two digits": _two,
    "three digits": _three,
    "scribbles": _scribbles,
    "polygons": _polygons,
    "smileys": _of(lambda: SMILEYS),
    "shapes": _of(lambda: SHAPES),
    "dots and lines": _dots_and_lines,
}

# How much of each kind a network is shown.
SHARES = {
    "capitals": 0.13,
    "lower case": 0.13,
    "Greek": 0.06,
    "signs": 0.10,
    "part of a digit": 0.06,
    "digit and a piece": 0.12,
    "two digits": 0.13,
    "three digits": 0.05,
    "scribbles": 0.08,
    "polygons": 0.04,
    "smileys": 0.03,
    "shapes": 0.05,
    "dots and lines": 0.02,
}


def other_segments(
    count: int,
    generator: torch.Generator,
    drawings: torch.Tensor | None = None,
    shares: Mapping[str, float] = SHARES,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw what is no digit, kind after kind.

    Args:
        drawings: digits that people drew, float32 N×S×4 as `lenet.drawings` makes them: half of
            the digits in others are taken from these, the rest from the synthetic templates.
        shares: of kinds in `KINDS`, in any unit; those it does not name are not drawn.

    Returns:
        Segments float32 count×S×4 and pen widths float32 count, as `rasterize` takes them.
    """
    if drawings is None:
        drawings = torch.empty(0, 1, 4)
    made = [torch.empty(0, 1, 4)]
    total, begun, share_begun = sum(shares.values()), 0, 0.0
    for kind, share in shares.items():
        share_begun += share
        end = round(count * share_begun / total)
        if end > begun:
            made.append(_fitted(KINDS[kind](end - begun, generator, drawings)))
        begun = end
    longest = max(part.shape[1] for part in made)
    return vary_strokes(torch.cat([_padded(part, longest) for part in made]), generator)


# ---------------------------------------------------------------- the command line


def to_strokes(segments: torch.Tensor) -> list[list[list[float]]]:
    """The strokes of one drawing, float32 S×4: segments that touch at their ends are one stroke."""
    strokes: list[list[list[float]]] = []
    rounded = segments.double().mul(1000).round().long().tolist()
    for x0, y0, x1, y1 in dict.fromkeys(map(tuple, rounded)):  # without those that only pad
        if not strokes or strokes[-1][-1] != [x0, y0]:
            strokes.append([[x0, y0]])
        if [x1, y1] != [x0, y0]:
            strokes[-1].append([x1, y1])
    return strokes


def main(arguments: list[str] | None = None) -> int:
    """Write an others file to standard output, as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.others",
        usage="%(prog)s [--each] [--seed S] N > FILE.jsonl",
        description="Draw what is no digit, as strokes: one JSON object a line.",
    )
    parser.add_argument(
        "count", metavar="N", type=at_least(1), help="how many, in the mix of training"
    )
    parser.add_argument("--each", action="store_true", help="N of each kind instead")
    parser.add_argument(
        "--seed", metavar="S", type=at_least(0), default=0, help="of all that is random"
    )
    options = parser.parse_args(arguments)
    generator = torch.Generator().manual_seed(options.seed)
    if options.each:
        count, shares = options.count * len(KINDS), dict.fromkeys(KINDS, 1.0)
    else:
        count, shares = options.count, SHARES
    segments, _ = other_segments(count, generator, shares=shares)
    if not options.each:
        segments = segments[torch.randperm(count, generator=generator)]
    drawings = ({"label": None, "strokes": to_strokes(drawing)} for drawing in segments)
    return print_file(json.dumps(drawing) + "\n" for drawing in drawings)


if __name__ == "__main__":
    sys.exit(main())
