"""Which strokes of a drawing belong to which digit of a number: the candidates, and the best path.

Heuristic over-segmentation, as in LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied
to document recognition", Proc. IEEE 86 (1998), section VII. A drawing is divided into lines, and a
line into pieces so small that none belongs to two digits: strokes, and the parts of a stroke that
may run through two. Groups of neighbouring pieces are candidates for a digit, which the network
reads. Each way to make the line of such groups is a path. Its score is the sum over its groups of

    log p − CUT·c − WIDTH·max(0, w/h − 1) − OVERLAP·o − SMALL·max(0, ½ − h)

p: the probability that the group is one digit and read right, or a sign that is none; c: how many
of its ends are cuts through a stroke; w, h: its width, which counts in groups of several strokes,
and its height, both in heights of the line; o: its horizontal overlap with each other piece, in
widths of the narrower one, beyond one half. Where a stroke lies over others and meets them, as the
slash of a 0 meets its circle, each group that takes it also loses −log(1 − TOGETHER·(d − e)): d is
the highest probability that it and one of those are a digit, e the group's own where it takes one
of those too, else 0. So they stay together as a digit, whatever the order of writing, unless the
whole is surely none. The best path is found exactly, by Viterbi's algorithm.
Where a drawing may be two lines or one, as the two circles of an 8 may, both are read and the
higher score wins, less LINE for each line but the first.

No search takes long: a line of too many pieces (`MAX_PIECES`) or candidates (its share of
`MAX_GROUPS` and `MAX_COST`) is read coarser. First its strokes are not cut. Where that is not
enough, the nearest pieces are joined until half as many are left, again and again, if need be until
one is left.

This file knows boxes and polylines, nothing of networks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise

import numpy as np

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Span = tuple[int, int, int]  # a stroke, and the first and the last point of the part that is meant

# The path's score. Measured on 6,000 pen digits: 5 % are wider than 1.03 of their height, 1 % than
# 1.28, 0.1 % than 1.58, so the logarithm of this share falls by 7 for each height more; half of it
# reads the most numbers right. Gaps between strokes cost nothing: at the cost that the same count
# gives, the 4s of some people, an L and a short stem, were read as 11. In nine of ten digits of
# several strokes, each stroke overlaps another by half its width.
CUT = 0.2
WIDTH = 4.0
OVERLAP = 1.0
SMALL = 4.0
LINE = 0.05
# Of 2,801 pairs of strokes that touch in composed numbers of pen writers and overlap by more than
# half of the narrower one, 99.6 % are of one digit; of those that overlap less, 27 %. But a
# network is too sure of some digits with a neighbour's stem: with 0.99, and what is twice as far
# apart, 5 numbers in 2,000 are lost, and no more slashed 0s stay whole.
TOGETHER = 0.9
FREE = 0.3

# What is a candidate.
WIDEST = 2.0  # heights: no pen digit is wider
WIDEST_GAP = 0.3  # heights: no pen digit has a wider gap between its strokes
REACH = 4  # pieces: how far on the next one of a group is looked for
SIDE = 0.3  # of the line's height: the least height of a stroke on both sides of a cut
ASIDE = 0.8  # of the narrower side's width: how far both sides of a cut may overlap
FLAT = 0.1  # of the line's height: lower waves of a stroke are no peaks and valleys
NECK = 0.3  # of the line's height: how close together a stroke's ink lies in a neck
COLUMNS = 32  # of a stroke, in which a neck is looked for
CLOSED = 0.1  # of the line's height: how far apart the ends of a loop may be
# Of the line's height: how much higher a loop is with a stroke's ends that are left out. With 0.1 a
# quarter of the coils of two zeros are read, with 0.2 two thirds. What it costs: of other digits
# that a straight line joins, 29 % of the numbers are read instead of 31 %.
LOOSE = 0.2
LONGEST = 150  # points of a part of a stroke; no digit has more, and comparing them takes too long
NEAR = 0.05  # of the line's height, about a pen's width: strokes that are no further apart meet
SPECK = 0.1  # of the line's height: smaller ink is a touch of the pen, no part of a number's digit

# Lines.
BESIDE = 0.5  # of the smaller one's extent: more overlap puts strokes beside each other, or above
LOW = 0.5  # of the highest line's height: a lower one is a bar or a dot of its neighbour
CLOSE = 0.25  # of the lower one's height: lines that are closer may be the parts of one
MAX_LINES = 8

# With these limits a search takes at most 50 ms of a core.
MAX_GROUPS = 160
MAX_COST = 18_000  # points of all candidates, and SPAN for each of their strokes
SPAN = 10
MAX_PIECES = 48  # of a line: four for each of a dozen digits


@dataclass(frozen=True)
class Piece:
    """An undivided part of a line: a stroke, a part of one, or some that are taken together.

    Attributes:
        box: x0, y0, x1, y1 in the drawing's units.
        spans: its ink.
        cuts: how many of its ends, 0 to 2, are cuts through a stroke.
    """

    box: Box
    spans: tuple[Span, ...]
    cuts: int = 0


@dataclass(frozen=True)
class Group:
    """Pieces of a line that may be one digit.

    Attributes:
        pieces: bit i is set where the line's piece i belongs to it.
        box: x0, y0, x1, y1 in the drawing's units.
        spans: its ink.
        penalty: what its shape and its surroundings take from its score, at least 0.
    """

    pieces: int
    box: Box
    spans: tuple[Span, ...]
    penalty: float


@dataclass(frozen=True)
class Line:
    """The pieces of a line, by their middles from left to right, and the candidates.

    `meetings` has the pieces of each stroke that lies over others, and those of the others, as
    bits. `coarse` where strokes were joined because there was no time for each of them.
    """

    pieces: list[Piece]
    groups: list[Group]
    meetings: tuple[tuple[int, int], ...] = ()
    coarse: bool = False


def segment(strokes: Sequence[np.ndarray], cut: bool = True) -> list[list[Line]]:
    """Divide a drawing into lines and find the candidates of each.

    Args:
        strokes: float64 P×2 each, y downwards; or two corners of each component of a picture's ink.
        cut: whether a stroke may run through several digits.

    Returns:
        One or two ways to divide the drawing into lines, each from the upper line to the lowest; an
        empty list where nothing is drawn.
    """
    if not strokes:
        return []
    boxes = [_box(stroke) for stroke in strokes]
    ways = _ways(boxes)
    share = 1 / (len(ways) * len(strokes))  # of the time, for each stroke
    found = [
        [_line(strokes, boxes, which, cut, share * len(which)) for which in way] for way in ways
    ]
    # Joined lines that were read coarser would win with few groups over lines with many.
    return [way for way in found if way is found[0] or not any(line.coarse for line in way)]


def find_whole(ways: Sequence[Sequence[Line]]) -> tuple[Group | None, float]:
    """The candidate that is a path by itself, where a drawing is one line and has one.

    Returns:
        The group or None, and the most that any other path can score, whatever is read.
    """
    if len(ways) != 1 or len(ways[0]) != 1:
        return None, 0.0
    (line,) = ways[0]
    whole = _whole(line.pieces, line.groups)
    if whole is None or len(line.groups) == 1:
        return whole, -math.inf
    return whole, best_path(line, [-math.inf if g is whole else 0.0 for g in line.groups])[0]


def best_way(
    ways: Sequence[Sequence[Line]],
    log_p: Mapping[tuple[Span, ...], float],
    digit_p: Mapping[tuple[Span, ...], float],
) -> tuple[Sequence[Line], list[list[int]]]:
    """The way to read a drawing with the highest score.

    Args:
        ways: at least one, as `segment` returns them.
        log_p: of each group's reading, by its spans.
        digit_p: 0..1, the probability that each group is one digit, by its spans.

    Returns:
        Its lines, with what a group loses by what was read of others in its penalty, and for each
        the groups of its best path.
    """
    best = None
    for way in ways:
        lines = [_keep_together(line, digit_p) for line in way]
        found = [best_path(line, [log_p[group.spans] for group in line.groups]) for line in lines]
        total = sum(score for score, _ in found) - LINE * (len(lines) - 1)
        if best is None or total > best[0]:
            best = total, lines, [path for _, path in found]
    assert best
    return best[1:]


def _keep_together(line: Line, digit_p: Mapping[tuple[Span, ...], float]) -> Line:
    """A line whose groups pay for each stroke that they take from all that it lies over, or take
    into what is no digit.
    """
    groups = list(line.groups)
    for stroke, others in line.meetings:
        together = [digit_p[g.spans] if g.pieces & others else 0.0 for g in groups]
        of_whole = (p for p, g in zip(together, groups, strict=True) if g.pieces & stroke == stroke)
        whole = max(of_whole, default=0.0)
        for number, group in enumerate(groups):
            if group.pieces & stroke:
                cost = -math.log(1 - TOGETHER * max(0.0, whole - together[number]))
                groups[number] = replace(group, penalty=group.penalty + cost)
    return replace(line, groups=groups)


def best_path(line: Line, log_p: Sequence[float]) -> tuple[float, list[int]]:
    """The best way to make a line of its groups (Viterbi 1967).

    A state is the set of pieces that are taken; the leftmost piece that is left is taken next, with
    one of the groups that begin with it. So groups may interlock, as a 5 whose hat reaches over
    half of a 7 does with it, and each set of pieces is still looked at once.

    Args:
        line: pieces and groups.
        log_p: of each group's reading.

    Returns:
        The score, and the indices of its groups from left to right.
    """
    beginning: dict[int, list[int]] = {}
    for number, group in enumerate(line.groups):
        beginning.setdefault(group.pieces & -group.pieces, []).append(number)
    best = {0: (0.0, -1, 0)}  # by state: the score, the last group, the state before
    waiting: list[set[int]] = [set() for _ in line.pieces]  # states by the leftmost piece left
    waiting[0].add(0)
    for place, states in enumerate(waiting):
        for state in states:
            for number in beginning[1 << place]:
                group = line.groups[number]
                if group.pieces & state:
                    continue
                taken = state | group.pieces
                found = best[state][0] + log_p[number] - group.penalty
                if taken not in best or found > best[taken][0]:
                    best[taken] = found, number, state
                next_place = (~taken & (taken + 1)).bit_length() - 1
                if next_place < len(waiting):
                    waiting[next_place].add(taken)
    total, number, state = best[(1 << len(line.pieces)) - 1]
    path = []
    while number >= 0:
        path.append(number)
        _, number, state = best[state]
    return total, sorted(path, key=lambda number: _middle(line.groups[number].box))


# ---------------------------------------------------------------- boxes


def _box(points: np.ndarray) -> Box:
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return x0, y0, x1, y1


def _around(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _width(box: Box) -> float:
    return box[2] - box[0]


def _height(box: Box) -> float:
    return box[3] - box[1]


def _middle(box: Box) -> float:
    """Twice the middle from left to right, since middles are only compared."""
    return box[0] + box[2]


def _overlap(a: Box, b: Box) -> float:
    """How far two boxes overlap from left to right; a negative number is a gap."""
    return min(a[2], b[2]) - max(a[0], b[0])


def _overlap_down(a: Box, b: Box) -> float:
    return min(a[3], b[3]) - max(a[1], b[1])


# ---------------------------------------------------------------- lines


def _ways(boxes: Sequence[Box]) -> list[list[list[int]]]:
    """The ways to divide strokes into lines: each line a list of strokes, the upper line first."""
    highest = max(boxes, key=_height)
    if all(_overlap_down(box, highest) >= BESIDE * _height(box) for box in boxes):
        return [[list(range(len(boxes)))]]
    lines = _levels(boxes)
    if len(lines) > MAX_LINES:
        return [[list(range(len(boxes)))]]
    lines = _join(lines, boxes, _side_by_side)
    low = LOW * max(_height(_around([boxes[i] for i in line])) for line in lines)
    lines = _join_low(lines, boxes, low)
    joined = _join(lines, boxes, _close)
    return [lines, joined] if len(joined) < len(lines) else [lines]


def _levels(boxes: Sequence[Box]) -> list[list[int]]:
    """Strokes that are connected by neighbours of about their own level."""
    _, top, _, foot = np.array(boxes).T
    height = foot - top
    overlap = np.minimum(foot[:, None], foot) - np.maximum(top[:, None], top)
    beside = overlap >= BESIDE * np.minimum(height[:, None], height)
    levels = []
    left = np.ones(len(boxes), bool)
    while left.any():
        level = np.zeros_like(left)
        level[left.argmax()] = True
        while (more := beside[level].any(0)).sum() > level.sum():
            level = more
        left &= ~level
        levels.append(np.flatnonzero(level).tolist())
    return levels


def _join(
    lines: list[list[int]], boxes: Sequence[Box], together: Callable[[Box, Box], bool]
) -> list[list[int]]:
    """Join lines until no two belong together; the upper line first."""
    joined: list[tuple[Box, list[int]]] = []
    for line in lines:
        box = _around([boxes[i] for i in line])
        while partner := next((other for other in joined if together(box, other[0])), None):
            joined.remove(partner)
            box, line = _around([box, partner[0]]), line + partner[1]
        joined.append((box, line))
    return [line for _, line in sorted(joined, key=lambda found: found[0][1] + found[0][3])]


def _join_low(lines: list[list[int]], boxes: Sequence[Box], low: float) -> list[list[int]]:
    """Join lines that are lower than digits to the nearest: bars, hats and dots."""
    spans = [_around([boxes[i] for i in line]) for line in lines]
    high = [k for k, span in enumerate(spans) if _height(span) >= low]
    joined = {k: list(lines[k]) for k in high}
    for k, span in enumerate(spans):
        if k not in joined:
            nearest = max(high, key=lambda other: _overlap_down(span, spans[other]))
            joined[nearest] += lines[k]
    return list(joined.values())


def _side_by_side(a: Box, b: Box) -> bool:
    return _overlap(a, b) < BESIDE * min(_width(a), _width(b))


def _close(a: Box, b: Box) -> bool:
    return -_overlap_down(a, b) < CLOSE * min(_height(a), _height(b))


# ---------------------------------------------------------------- pieces


def _line(
    strokes: Sequence[np.ndarray],
    boxes: Sequence[Box],
    which: Sequence[int],
    cut: bool,
    share: float,
) -> Line:
    """The pieces and candidates of a line of strokes, as fine as its share of the time allows."""
    height = _digit_height([boxes[i] for i in which])
    inked = [i for i in which if max(_width(boxes[i]), _height(boxes[i])) > SPECK * height]
    inked = inked or list(which)
    whole = _sorted([Piece(boxes[i], ((i, 0, len(strokes[i]) - 1),)) for i in inked])
    finest = whole
    if cut:
        finest = _sorted([part for piece in whole for part in _parts(strokes, piece, height)])
    pieces = finest
    while len(pieces) > MAX_PIECES or (groups := _groups(pieces, height, share)) is None:
        pieces = whole if pieces is finest and finest is not whole else _coarser(pieces)
    if len(inked) < len(which) and (digit := _whole(pieces, groups)):
        specks = [i for i in which if i not in inked]
        groups[groups.index(digit)] = _with_specks(digit, specks, boxes, strokes, height)
    if any(piece.cuts for piece in pieces):
        groups += [bare for group in groups if (bare := _without_joins(group, strokes, height))]
    coarse = pieces is not finest and pieces is not whole
    meetings = () if coarse else _meetings(strokes, boxes, pieces, groups, height)
    return Line(pieces, groups, meetings, coarse)


def _meetings(
    strokes: Sequence[np.ndarray],
    boxes: Sequence[Box],
    pieces: Sequence[Piece],
    groups: Sequence[Group],
    height: float,
) -> tuple[tuple[int, int], ...]:
    """The strokes that lie by more than half over others that they meet: the pieces of each, and
    those of the others, as bits. Strokes meet where they cross, touch or nearly do.
    """
    own: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        number = piece.spans[0][0]
        own[number] = own.get(number, 0) | 1 << place

    @cache
    def points(number: int) -> np.ndarray:
        return _dense(strokes[number], NEAR / 2 * height)

    def meet(i: int, j: int) -> bool:
        if _reaches_in(boxes[i], boxes[j]) == 0:
            return False
        if not any(group.pieces & own[i] and group.pieces & own[j] for group in groups):
            return False
        (x, y), (other_x, other_y) = points(i).T, points(j).T
        near = np.hypot(x[:, None] - other_x, y[:, None] - other_y) <= NEAR * height
        return bool(near.any())

    over: dict[int, int] = {}
    for i, j in combinations(sorted(own, key=lambda number: _width(boxes[number])), 2):
        if meet(i, j):
            over[i] = over.get(i, 0) | own[j]
    return tuple((own[i], others) for i, others in over.items())


def _dense(stroke: np.ndarray, apart: float) -> np.ndarray:
    """Points along a stroke, at most so far apart where that takes no more than `LONGEST`."""
    x, y = stroke.T
    along = np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])).cumsum()
    count = min(LONGEST, 2 + int(along[-1] / apart)) if apart else 2
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, x), np.interp(at, along, y)], 1)


def _without_joins(group: Group, strokes: Sequence[np.ndarray], height: float) -> Group | None:
    """A part of a stroke without the joins at its ends, where these leave a closed loop; None where
    it has none.

    A stroke's own ends are left out as well where the loop is about as high as with them: the ends
    of a coil of zeros are, the stem of a 6 or a 9 is not.
    """
    (number, first, last), *others = group.spans
    stroke = strokes[number]
    if others or last - first in (0, len(stroke) - 1) or last - first >= LONGEST:
        return None
    part = stroke[first : last + 1]
    head, tail = _join_length(part[::-1], height), _join_length(part, height)
    loop = part[head : len(part) - tail]
    if len(loop) < len(part) / 2 or np.ptp(part[:, 1]) - np.ptp(loop[:, 1]) > LOOSE * height:
        head, tail = head if first else 0, tail if last < len(stroke) - 1 else 0
        loop = part[head : len(part) - tail]
    if len(loop) == len(part) or len(loop) < len(part) / 2:
        return None
    return replace(group, box=_box(loop), spans=((number, first + head, last - tail),))


def _join_length(part: np.ndarray, height: float) -> int:
    """How many points follow the one where a part of a stroke last comes back to itself."""
    x, y = part.T
    along = np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])).cumsum()
    half = len(part) // 2
    apart = np.hypot(x[half:, None] - x, y[half:, None] - y)
    nearest = np.where(along[half:, None] - along >= height, apart, np.inf).min(1)
    back = _runs(nearest <= CLOSED * height)
    if not back:
        return 0
    first, last = back[-1]
    end = half + first + int(nearest[first : last + 1].argmin())
    return len(part) - 1 - end if along[-1] - along[end] > CLOSED * height else 0


def _whole(pieces: Sequence[Piece], groups: Sequence[Group]) -> Group | None:
    """The group of all pieces, where there is one."""
    return next((g for g in groups if g.pieces == (1 << len(pieces)) - 1), None)


def _with_specks(
    digit: Group,
    specks: Sequence[int],
    boxes: Sequence[Box],
    strokes: Sequence[np.ndarray],
    height: float,
) -> Group:
    """A line's only digit, with the specks that are no further away than it is high: they may tell
    a sign from a digit, as the eyes tell a smiley from a 0.
    """
    near = [i for i in specks if _overlap(boxes[i], digit.box) >= -height]
    spans = (*digit.spans, *((i, 0, len(strokes[i]) - 1) for i in near))
    box = _around([digit.box, *(boxes[i] for i in near)])
    return replace(digit, box=box, spans=tuple(sorted(spans)))


def _digit_height(boxes: Sequence[Box]) -> float:
    """The height of the highest column of ink: what stands above each other counts as one."""
    highest = 0.0
    column: list[Box] = []
    for box in sorted(boxes):
        if column and _overlap(_around(column), box) < 0:
            column = []
        column.append(box)
        highest = max(highest, _height(_around(column)))
    return highest


def _sorted(pieces: list[Piece]) -> list[Piece]:
    return sorted(pieces, key=lambda piece: (_middle(piece.box), piece.box))


def _parts(strokes: Sequence[np.ndarray], piece: Piece, height: float) -> list[Piece]:
    """A stroke's parts between the points where it may pass from one digit to the next."""
    ((number, first, last),) = piece.spans
    stroke = strokes[number]
    cuts = _cuts(stroke, height)
    if _width(piece.box) > height:
        cuts = sorted({*cuts, *_necks(stroke, height, stroke[cuts, 0])})
    if not 0 < len(cuts) < MAX_PIECES:
        return [piece]
    ends = [first, *cuts, last]
    return [
        Piece(_box(stroke[a : b + 1]), ((number, a, b),), (a != first) + (b != last))
        for a, b in pairwise(ends)
    ]


def _cuts(stroke: np.ndarray, height: float) -> list[int]:
    """Points where a stroke may pass from one digit to the next.

    These are its peaks, valleys and cusps, and the middles of horizontal joins, where there is
    enough height on both sides and the side that comes later lies further to the right.
    """
    before = [np.minimum.accumulate(stroke), np.maximum.accumulate(stroke)]
    after = [f.accumulate(stroke[::-1])[::-1] for f in (np.minimum, np.maximum)]
    (left, top), (right, foot) = before[0].T, before[1].T
    (next_left, next_top), (next_right, next_foot) = after[0].T, after[1].T
    high = np.minimum(foot - top, next_foot - next_top) >= SIDE * height
    narrower = np.minimum(right - left, next_right - next_left)
    aside = (right - next_left <= ASIDE * narrower) & (left < next_left) & (right < next_right)
    may = high & aside
    return [i for i in _turns(stroke, FLAT * height) if may[i]] if may.any() else []


def _necks(stroke: np.ndarray, height: float, known: np.ndarray) -> list[int]:
    """Where a stroke passes its necks, as a lying 8 has one: columns in which all of its ink lies
    close together, with the height of a digit on both sides. Those with a known cut are left out.

    Args:
        stroke: wider than 0.
        known: the cuts' places from left to right.
    """
    x, y = stroke.T
    left, width = x.min(), np.ptp(x)
    apart = width / COLUMNS
    columns = left + apart * np.arange(1, COLUMNS)
    right = x[:, None] > columns
    passes = right[1:] != right[:-1]
    step = np.diff(x)
    step[step == 0] = 1
    level = y[:-1, None] + (columns - x[:-1, None]) * (np.diff(y) / step)[:, None]
    spread = _spread(level, passes)
    high = np.minimum(_spread(y[:, None], right), _spread(y[:, None], ~right)) >= LOW * height
    neck = (spread <= NECK * height) & high
    cuts = []
    for first, last in _runs(neck):
        inside = (known > columns[first] - apart) & (known < columns[last] + apart)
        if not inside.any():
            narrowest = first + spread[first : last + 1].argmin()
            cuts += (np.flatnonzero(passes[:, narrowest]) + 1).tolist()
    return [i for i in cuts if i < len(stroke) - 1]


def _spread(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """By column, the range of the values that `which` marks; -inf where it marks none."""
    return np.where(which, values, -np.inf).max(0) - np.where(which, values, np.inf).min(0)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """The first and the last place of each run of flags that are set."""
    ends = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return [(first, after - 1) for first, after in zip(ends[::2], ends[1::2], strict=True)]


def _turns(stroke: np.ndarray, flat: float) -> list[int]:
    """The middles of a stroke's peaks and valleys; what is lower than `flat` is none."""
    down = stroke[:, 1].tolist()
    turns = []
    highest = lowest = way = 0  # points, and -1 or 1 while the stroke goes up or down
    for i, y in enumerate(down):
        if y < down[highest]:
            highest = i
        if y > down[lowest]:
            lowest = i
        if way <= 0 and y > down[highest] + flat:
            if way:
                turns.append(_middle_of_turn(stroke, highest, flat))
            way, lowest = 1, i
        elif way >= 0 and y < down[lowest] - flat:
            if way:
                turns.append(_middle_of_turn(stroke, lowest, flat))
            way, highest = -1, i
    return turns


def _middle_of_turn(stroke: np.ndarray, turn: int, flat: float) -> int:
    """The middle, from left to right, of the points of about a turn's height around it."""
    away = np.flatnonzero(np.abs(stroke[:, 1] - stroke[turn, 1]) > flat)
    place = np.searchsorted(away, turn)
    first = away[place - 1] + 1 if place else 0
    last = away[place] - 1 if place < len(away) else len(stroke) - 1
    across = stroke[first : last + 1, 0]
    return int(first + np.abs(across - (across[0] + across[-1]) / 2).argmin())


def _coarser(pieces: list[Piece]) -> list[Piece]:
    """Join the nearest neighbours until half of the pieces are left."""
    left = max(1, min(MAX_PIECES, len(pieces) // 2))
    overlaps = [_overlap(a.box, b.box) for a, b in pairwise(pieces)]
    nearest = sorted(range(len(overlaps)), key=overlaps.__getitem__)[left - 1 :]
    joined = pieces[:1]
    for place, piece in enumerate(pieces[1:]):
        if place in nearest:
            last = joined.pop()
            piece = Piece(_around([last.box, piece.box]), last.spans + piece.spans)
        joined.append(piece)
    return _sorted(joined)


# ---------------------------------------------------------------- groups


def _groups(pieces: list[Piece], height: float, share: float) -> list[Group] | None:
    """The candidates of a line: each piece, each whole stroke, and either with near neighbours.

    A piece between two of a group is left out where the further one reaches over it to the group.
    None where they take more than a share of the time; a line of one piece is always read.
    """
    costs = [sum(last - first + SPAN for _, first, last in piece.spans) for piece in pieces]
    found: set[tuple[int, ...]] = set()
    cost = 0
    growing = [(place,) for place in range(len(pieces))] + _whole_strokes(pieces)
    while growing:
        members = growing.pop()
        if members in found:
            continue
        found.add(members)
        cost += sum(costs[place] for place in members)
        if len(pieces) > 1 and (len(found) > share * MAX_GROUPS or cost > share * MAX_COST):
            return None
        box = _around([pieces[place].box for place in members])
        nearest = members[-1] + 1
        for place in range(nearest, min(nearest + REACH, len(pieces))):
            overlap = _overlap(box, pieces[place].box)
            near = overlap >= (-WIDEST_GAP * height if place == nearest else 0)
            wider = _around([box, pieces[place].box])
            if near and _width(wider) <= WIDEST * max(height, _height(wider)):
                growing.append((*members, place))
    return [_group(pieces, members, height) for members in sorted(found)]


def _whole_strokes(pieces: list[Piece]) -> list[tuple[int, ...]]:
    """The pieces of each stroke that is cut."""
    parts: dict[int, list[int]] = {}
    for place, piece in enumerate(pieces):
        if piece.cuts:
            parts.setdefault(piece.spans[0][0], []).append(place)
    return [tuple(places) for places in parts.values()]


def _group(pieces: list[Piece], members: tuple[int, ...], height: float) -> Group:
    own = [pieces[place] for place in members]
    box = _around([piece.box for piece in own])
    spans, cuts = _ink(own)
    unit = height or 1.0
    penalty = CUT * cuts + SMALL * max(0.0, 0.5 - _height(box) / unit)
    if len(spans) > 1:
        penalty += WIDTH * max(0.0, _width(box) / max(unit, _height(box)) - 1)
    others = (piece for place, piece in enumerate(pieces) if place not in members)
    penalty += OVERLAP * sum(_reaches_in(box, other.box) for other in others)
    return Group(sum(1 << place for place in members), box, spans, penalty)


def _ink(pieces: Sequence[Piece]) -> tuple[tuple[Span, ...], int]:
    """The spans of pieces, those that follow each other joined, and how many ends are cuts."""
    cuts = sum(piece.cuts for piece in pieces)
    spans: list[Span] = []
    for number, first, last in sorted(span for piece in pieces for span in piece.spans):
        if spans and spans[-1][0] == number and spans[-1][2] == first:
            _, first, _ = spans.pop()
            cuts -= 2
        spans.append((number, first, last))
    return tuple(spans), cuts


def _reaches_in(box: Box, other: Box) -> float:
    """By how much the overlap of two boxes exceeds half the width of the narrower, in widths."""
    narrower = min(_width(box), _width(other))
    overlap = _overlap(box, other)
    share = overlap / narrower if narrower else float(overlap >= 0)
    return max(0.0, share - BESIDE)
