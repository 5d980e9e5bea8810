"""lenet.numbers and Recognizer.recognize_number: which strokes are one digit, and the best path."""

import itertools
import math
import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import torch

from lenet import Recognizer
from lenet.numbers import (
    CUT,
    MAX_GROUPS,
    MAX_PIECES,
    SMALL,
    TOGETHER,
    WIDTH,
    Group,
    Line,
    Piece,
    best_path,
    best_way,
    segment,
)
from lenet.recognize import REMEMBERED
from lenet.synthetic import example_strokes

Drawing = list[list[list[float]]]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


# ---------------------------------------------------------------- drawings

CROSSED = [[[15, 10], [85, 8], [40, 100]], [[35, 52], [78, 50]]]  # a 7
CUP = [[[18, 4], [14, 52], [84, 52]], [[62, 20], [60, 100]]]  # a 4
HAT = [[[26, 3], [21, 44], [54, 36], [84, 58], [74, 90], [42, 100], [10, 90]], [[30, 3], [90, 0]]]
STEM = [[[50, 0], [48, 100]]]
SLASH = [[96, -12], [4, 112]]  # of a 0, longer than it
BACK_SLASH = [[30, 6], [72, 98]]
FOOT = [[[4, 44], [50, 0], [52, 100]], [[0, 100], [100, 98]]]  # a 1 as wide as high
THREE = [[[50, 0], [6, 42]], [[50, 0], [52, 100]], [[0, 100], [100, 98]]]


def circle(x: float, y: float, wide: float, high: float) -> list[list[float]]:
    """From the top round to the left, and back to the top."""
    angles = np.linspace(0, math.tau, 40)
    return [[x - wide * math.sin(a), y - high * math.cos(a)] for a in angles]


@cache
def example(digit: int) -> Drawing:
    """100 units high."""
    return [[[100 * x, 100 * y] for x, y in stroke] for stroke in example_strokes()[digit]]


def arc(x: float, begin: float, end: float) -> list[list[float]]:
    """A part of a 0 around x, 100 high: from one angle to another, in degrees from the top to the
    left.
    """
    angles = np.radians(np.linspace(begin, end, 70))
    return [[x - 34 * math.sin(a), 50 - 50 * math.cos(a)] for a in angles]


def line(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0 + (x1 - x0) * t, y0 + (y1 - y0) * t] for t in np.linspace(0, 1, 20)]


def coil(way: int, start: float, turns: float = 2.2) -> list[list[float]]:
    """Loops that never close, 100 high, to the left (1) or to the right (-1) at their top; from an
    angle in degrees from the top on.
    """
    angles = np.linspace(0, math.tau * turns, 90)
    round_it = angles + way * math.radians(start)
    x = 52 * angles / math.tau - way * 30 * np.sin(round_it)
    return np.stack([x, 50 - 50 * np.cos(round_it)], 1).tolist()


def moved(drawing: Drawing, x: float, y: float = 0, size: float = 1) -> Drawing:
    return [[[size * a + x, size * b + y] for a, b in stroke] for stroke in drawing]


def beside(*drawings: Drawing, gap: float = 20) -> Drawing:
    """Drawings from left to right."""
    row: Drawing = []
    right = 0.0
    for drawing in drawings:
        left = min(x for stroke in drawing for x, _ in stroke)
        placed = moved(drawing, right - left)
        right = max(x for stroke in placed for x, _ in stroke) + gap
        row += placed
    return row


def digits(text: str, gap: float = 20) -> Drawing:
    return beside(*(example(int(digit)) for digit in text), gap=gap)


ZERO = [circle(50, 50, 34, 50)]
NUMBERS = {
    "a digit": (example(5), "5"),
    "a digit of two strokes": (example(4), "4"),
    "every digit": (digits("0123456789"), "0123456789"),
    "the year": (digits("2024"), "2024"),
    "a dozen": (digits("314159265358"), "314159265358"),
    "touching": (digits("2385", gap=0), "2385"),
    "far apart": (digits("719", gap=300), "719"),
    "11": (beside(STEM, STEM, gap=30), "11"),
    "111, close": (beside(STEM, STEM, STEM, gap=18), "111"),
    "100": (beside(STEM, ZERO, ZERO, gap=15), "100"),
    "touching 00": (beside(ZERO, ZERO, gap=0), "00"),
    "4 of an L and a short stem": (
        [[[12, 0], [6, 40], [0, 80], [8, 84], [16, 82]], [[28, 60], [27, 80], [26, 100]]],
        "4",
    ),
    "47 with a crossed 7": (beside(CUP, CROSSED), "47"),
    "747": (beside(CROSSED, CUP, CROSSED, gap=6), "747"),
    "55 with hats": (beside(HAT, HAT), "55"),
    "57, the hat over the 7": (beside(HAT, CROSSED, gap=-4), "57"),
    "8 of two circles": ([circle(50, 25, 20, 24), circle(50, 75, 26, 26)], "8"),
    "18 of two circles": (
        beside(STEM, [circle(50, 25, 20, 24), circle(50, 75, 26, 26)], gap=30),
        "18",
    ),
    "uneven sizes": (beside(example(3), moved(example(6), 0, 30, 0.7), example(2)), "362"),
    "uphill": (
        beside(*(moved(example(d), 0, -45 * place) for place, d in enumerate((2, 5, 3, 6)))),
        "2536",
    ),
    "steep": (
        beside(*(moved(example(d), 0, -150 * place) for place, d in enumerate((2, 5, 3)))),
        "253",
    ),
    "a hat high above": (beside(example(3), [HAT[0], moved([HAT[1]], 0, -32)[0]]), "35"),
    "two lines": (digits("35") + moved(digits("26"), 0, 130), "3526"),
    "two lines, close": (digits("120") + moved(digits("973"), 10, 112), "120973"),
    "a dozen on two close lines": (
        digits("352640", gap=8) + moved(digits("971835", gap=8), 20, 112),
        "352640971835",
    ),
    "three lines": (
        digits("32") + moved(digits("5"), 30, 140) + moved(digits("96"), 0, 280),
        "32596",
    ),
    "slashed": ([*ZERO, SLASH], "0"),
    "slashed the other way": ([*ZERO, BACK_SLASH], "0"),
    "slashed beside others": (beside(CUP, [*ZERO, SLASH], CROSSED, gap=10), "407"),
    "two slashed": (beside([*ZERO, SLASH], [*ZERO, SLASH], gap=8), "00"),
    "1 with a flag and a foot": (FOOT, "1"),
    "1 of three strokes": (THREE, "1"),
    "101 with feet": (beside(FOOT, ZERO, THREE), "101"),
    "a touch of the pen": ([*digits("27"), [[92, 60]], [[220, 101], [222, 102]]], "27"),
}


@pytest.mark.parametrize(("strokes", "number"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_read(recognizer, strokes: Drawing, number: str):
    assert recognizer.recognize_number(strokes).number == number


IN_ONE_STROKE = {
    "a line along the top": arc(34, 0, 360) + line(34, 0, 102, 0) + arc(102, 0, 360),
    "a line along the foot": arc(34, 180, 540) + line(34, 100, 102, 100) + arc(102, 180, 540),
    "a long line": arc(34, 0, 360) + line(34, 0, 130, 0) + arc(130, 0, 360),
    "a dip": arc(34, -20, 345) + line(43, 2, 68, 12) + line(68, 12, 90, 3) + arc(102, 20, 380),
    "from the middle": arc(34, -90, 270) + arc(102, 90, 450),
    "up from the foot": arc(34, 0, 360) + arc(34, 0, -150) + arc(102, 150, -210),
    "loops as of an e": arc(34, 200, -160) + line(46, 97, 90, 97) + arc(102, 200, -160),
    "half a lying 8": arc(34, -90, 270) + arc(102, 90, -270),
    "a coil along the top": coil(-1, 0),
    "a coil along the foot": coil(1, 180),
}


@pytest.mark.parametrize("stroke", IN_ONE_STROKE.values(), ids=IN_ONE_STROKE)
def test_two_zeros_in_one_stroke_are_read(recognizer, stroke):
    assert recognizer.recognize_number([stroke]).number == "00"


@pytest.mark.parametrize("name", ["the year", "747", "55 with hats", "two lines"])
@pytest.mark.parametrize(("scale", "shift"), [(0.001, -3.0), (50.0, 4000.0)])
def test_size_and_place_do_not_matter(recognizer, name: str, scale: float, shift: float):
    strokes, number = NUMBERS[name]
    assert recognizer.recognize_number(moved(strokes, shift, shift, scale)).number == number


@pytest.mark.parametrize(
    "name",
    [
        "every digit",
        "747",
        "57, the hat over the 7",
        "slashed beside others",
        "101 with feet",
        "steep",
        "three lines",
    ],
)
def test_the_order_of_the_strokes_does_not_matter(recognizer, name: str):
    strokes, number = NUMBERS[name]
    for seed in range(5):
        shuffled = random.Random(seed).sample(strokes, len(strokes))
        assert recognizer.recognize_number(shuffled).number == number


# ---------------------------------------------------------------- the answer


def test_each_digit_comes_with_its_box_and_its_recognition(recognizer):
    answer = recognizer.recognize_number(beside(example(2), CROSSED, gap=40))
    assert [digit.recognition.digit for digit in answer.digits] == [2, 7]
    two, seven = answer.digits
    assert two.box == pytest.approx((0, -0.5, 78, 100), abs=1)
    assert seven.box == pytest.approx((118, 8, 188, 100), abs=1)
    alone = recognizer.recognize(CROSSED)
    assert seven.recognition.probabilities == pytest.approx(alone.probabilities, abs=1e-3)
    assert seven.recognition.pixels.shape == (32, 32)
    assert all(digit.chosen and digit.score <= 0 for digit in answer.digits)


def test_a_stroke_is_read_as_it_is_alone(recognizer):
    answer = recognizer.recognize_number(example(3))
    alone = recognizer.recognize(example(3))
    assert answer.digits[0].recognition.frame.equal(alone.frame)
    assert answer.digits[0].recognition.probabilities == alone.probabilities


def test_the_lattice_holds_every_candidate_of_each_line(recognizer):
    upper, lower = digits("35"), beside(example(2))
    answer = recognizer.recognize_number(upper + moved(lower, 0, 200))
    assert len(answer.lattice) == 2
    for line, chosen in zip(answer.lattice, (["3", "5"], ["2"]), strict=True):
        path = sorted((c for c in line if c.chosen), key=lambda c: c.box[0])
        assert [str(c.recognition.digit) for c in path] == chosen
        assert max(len(line) for line in answer.lattice) > 2  # the hat of the 5 is one too
    assert sum(c.chosen for line in answer.lattice for c in line) == len(answer.digits) == 3


EYES_NOSE_MOUTH = [[[5, 25], [8, 28]], [[5, 72], [8, 75]], [[40, 50], [47, 50]],
                   [[70, 0], [88, 25], [93, 50], [88, 75], [70, 100]]]  # fmt: skip


def test_the_eyes_of_a_smiley_count_though_a_touch_of_the_pen_beside_digits_does_not(recognizer):
    assert recognizer.recognize_number([EYES_NOSE_MOUTH[-1]]).number != ""
    answer = recognizer.recognize_number(EYES_NOSE_MOUTH)
    assert (answer.number, len(answer.digits)) == ("", 1)
    assert answer.digits[0].recognition.frame.equal(recognizer.recognize(EYES_NOSE_MOUTH).frame)
    far = [*example(7), [[300, 50], [302, 51]]]
    assert recognizer.recognize_number(far).digits[0].box[2] < 150


@pytest.mark.parametrize("strokes", [[], [[]], [[], []]])
def test_nothing_drawn_is_no_number(recognizer, strokes):
    answer = recognizer.recognize_number(strokes)
    assert (answer.number, answer.digits, answer.lattice) == ("", [], [])


@pytest.mark.parametrize(
    "strokes",
    [None, "7", 7, [1], [[1, 2]], [[[1]]], [[[1, None]]], [[[float("nan"), 0]]]],
    ids=repr,
)
def test_malformed_strokes_are_a_value_error(recognizer, strokes):
    with pytest.raises(ValueError, match=r"troke.*\.$"):
        recognizer.recognize_number(strokes)


ODD = {
    "a dot": [[[5, 5]]],
    "two dots": [[[5, 5]], [[90, 5]]],
    "the same dot often": [[[5, 5]]] * 200,
    "a level line": [[[0, 5], [100, 5]]],
    "upright lines of no width": [[[x, 0], [x, 100]] for x in (0, 0, 40)],
    "huge": [[[-1e29, 0], [1e29, 1e29]], [[0, 0], [0, 1e29]]],
    "tiny": [[[0, 0], [1e-9, 1e-9]], [[3e-9, 0], [3e-9, 1e-9]]],
}


@pytest.mark.parametrize("strokes", ODD.values(), ids=ODD)
def test_odd_drawings_are_answered(recognizer, strokes):
    answer = recognizer.recognize_number(strokes)
    assert len(answer.digits) > 0
    found = any(digit.recognition.is_digit for digit in answer.digits)
    assert len(answer.number) == (len(answer.digits) if found else 0)


# ---------------------------------------------------------------- candidates


def lines(strokes: Drawing) -> list[Line]:
    """The lines of a drawing that can be read in one way."""
    (way,) = segment([np.array(stroke, float) for stroke in strokes])
    return way


def spans(line: Line) -> set:
    return {group.spans for group in line.groups}


def penalty(line: Line, *strokes: int) -> float:
    """Of the group of whole strokes."""
    (found,) = (g for g in line.groups if tuple(i for i, _, _ in g.spans) == strokes)
    return found.penalty


def test_neighbours_are_candidates_together_and_what_is_far_apart_is_not():
    (line,) = lines([[[x, 0], [x, 100]] for x in (0, 10, 60, 100, 125)])
    assert {tuple(i for i, _, _ in found) for found in spans(line)} == {
        (0,), (1,), (2,), (3,), (4,), (0, 1), (3, 4),
    }  # fmt: skip


def test_a_late_stroke_is_a_candidate_with_what_it_reaches_over():
    """The hat of the first stroke reaches over the whole second one, and is ordered after it."""
    strokes = [[[0, 0], [20, 100]], [[30, 20], [32, 100]], [[5, 0], [70, 2]]]
    (line,) = lines(strokes)
    assert ((0, 0, 1), (2, 0, 1)) in spans(line)


def test_a_stroke_is_cut_where_it_passes_a_neck():
    lying_8 = arc(34, 0, 240) + arc(102, 60, -240) + arc(34, -60, 0)
    there, back = (lying_8[i] for i in sorted(cuts(lying_8)) if 60 < lying_8[i][0] < 76)
    assert abs(there[0] - back[0]) < 10  # from the left part to the right one, and back
    both_left = {spans for spans in spans(lines([lying_8])[0]) if len(spans) == 2}
    assert any(first == 0 for (_, first, _), _ in both_left)


def test_a_loop_is_a_candidate_without_the_joins_that_leave_it_too():
    stroke = IN_ONE_STROKE["a long line"]
    (line,) = lines([stroke])
    ends = [last for ((_, first, last),) in spans(line) if first == 0 and 60 < last < 100]
    assert min(ends) in range(66, 73) and max(ends) in range(76, 84)  # the 0, and half of the line


def test_what_the_score_takes_from_a_group():
    (line,) = lines([[[0, 0], [0, 100]], [[10, 0], [10, 100]], [[20, 80], [21, 100]]])
    assert penalty(line, 0) == 0
    assert penalty(line, 0, 1) == 0
    assert penalty(line, 2) == pytest.approx(SMALL * (0.5 - 0.2))
    (line,) = lines([[[0, 0], [70, 100]], [[60, 0], [140, 100]]])
    assert penalty(line, 0, 1) == pytest.approx(WIDTH * 0.4)
    (line,) = lines(
        [[[0, 0], [50, 100]], [[20, 50], [60, 50]]]
    )  # three quarters are over the other
    assert penalty(line, 0) == pytest.approx(0.25)
    assert penalty(line, 0, 1) == 0


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ([[90, -10], [10, 110]], True),  # crosses the 0
        ([[82, 20], [40, 60]], True),  # touches it from within
        ([[58, 30], [42, 70]], False),  # lies in it, and does not meet it
        ([[60, 30], [160, 35]], False),  # crosses it, for the most part beside it
        ([[70, 0], [78, 3], [140, 100]], False),  # touches it, beside it
    ],
)
def test_a_stroke_that_lies_over_one_that_it_meets_stays_with_it(other, kept):
    """Unless they are surely no digit together; whatever the order of writing."""
    for strokes in ([*ZERO, other], [other, *ZERO]):
        ways = segment([np.array(stroke, float) for stroke in strokes])
        (found,) = ways[0]
        plain = {g.spans: g.penalty for g in found.groups}
        both = [spans for spans in plain if len({number for number, _, _ in spans}) == 2]
        apart = [((number, 0, len(stroke) - 1),) for number, stroke in enumerate(strokes)]
        for digit, cost in ((0.0, 0.0), (0.5, -math.log(1 - TOGETHER / 2))):
            log_p = dict.fromkeys(plain, 0.0)
            digit_p = dict.fromkeys(plain, 1.0) | dict.fromkeys(both, digit)
            ((paid,), _) = best_way(ways, log_p, digit_p)
            more = {g.spans: g.penalty - plain[g.spans] for g in paid.groups}
            assert both and not any(more[spans] for spans in both)
            assert sum(more[spans] for spans in apart) == pytest.approx(cost if kept else 0)


def test_a_sign_that_takes_both_pays_where_another_of_them_is_a_digit():
    """Else "29472" would be read as "2?2": no cut, and no stroke of the digits apart."""
    strokes = [*ZERO, [[90, -10], [10, 110]], [[100, 0], [104, 100]]]
    ways = segment([np.array(stroke, float) for stroke in strokes])
    plain = {g.spans: g.penalty for g in ways[0][0].groups}
    digit = ((0, 0, len(ZERO[0]) - 1), (1, 0, 1))
    sign = (*digit, (2, 0, 1))
    digit_p = dict.fromkeys(plain, 0.1) | {digit: 0.9}
    ((paid,), _) = best_way(ways, dict.fromkeys(plain, 0.0), digit_p)
    more = {g.spans: g.penalty - plain[g.spans] for g in paid.groups}
    assert more[sign] == pytest.approx(-math.log(1 - TOGETHER * 0.8))
    assert more[digit] == 0


def test_a_stroke_that_lies_over_two_others_may_stay_with_either():
    """A stem between two digits that it touches: neither pays where the other takes it."""
    stem = [[66, 10], [68, 100]]
    strokes = [[[0, 0], [10, 60], [80, 60]], stem, [[50, 0], [140, 20], [60, 100], [150, 100]]]
    ways = segment([np.array(stroke, float) for stroke in strokes])
    plain = {g.spans: g.penalty for g in ways[0][0].groups}
    ((paid,), _) = best_way(ways, dict.fromkeys(plain, 0.0), dict.fromkeys(plain, 1.0))
    dear = {tuple(i for i, _, _ in g.spans) for g in paid.groups if g.penalty > plain[g.spans] + 1}
    assert dear == {(1,)}


ZIGZAG = [[10, 0], [12, 100], [40, 2], [42, 100]]  # two 1s and the way from one to the other
JOINED = [*circle(40, 50, 30, 50), [70, 0], *circle(130, 50, 30, 50)]


def cuts(stroke: list) -> list[int]:
    (line,) = lines([stroke])
    return sorted(last for piece in line.pieces for _, _, last in piece.spans)[:-1]


def test_a_stroke_is_cut_at_peaks_valleys_and_horizontal_joins():
    assert cuts(ZIGZAG) == [1, 2]
    assert cuts(JOINED) == [20, 40, 61]  # each 0 has two halves, too


@pytest.mark.parametrize("digit", [2, 3, 4, 5, 6, 7, 8, 9, "low", "back", "flat"], ids=str)
def test_where_there_is_no_second_digit_no_stroke_is_cut(digit):
    """No side of a cut may be low, and the later one lies further to the right."""
    strokes = {
        "low": [[[0, 0], [2, 100], [30, 75], [32, 100]]],
        "back": [[[42, 0], [40, 100], [12, 2], [10, 100]]],
        "flat": [[[0, 0], [0, 100]], [[20, 50], [50, 46], [100, 50], [150, 46]]],
    }.get(digit) or example(digit)
    (line,) = lines(strokes)
    assert all(piece.cuts == 0 for piece in line.pieces)


def test_a_cut_stroke_is_a_candidate_as_a_whole_however_wide_it_is():
    wide = [[x + 400 * place, y] for place in range(4) for x, y in circle(0, 50, 190, 50)]
    (line,) = lines([wide])
    assert len(line.pieces) > 5
    assert ((0, 0, len(wide) - 1),) in spans(line)


def test_the_best_path_through_joined_digits_is_that_of_their_probabilities():
    (line,) = lines([JOINED])
    whole = ((0, 0, len(JOINED) - 1),)
    halves = [((0, 0, 40),), ((0, 40, len(JOINED) - 1),)]
    for p, expected in ((0.1, halves), (0.99, [whole])):
        known = {whole: p, halves[0]: 0.9, halves[1]: 0.9}
        log_p = [math.log(known.get(group.spans, 0.5)) for group in line.groups]
        score, path = best_path(line, log_p)
        assert [line.groups[number].spans for number in path] == expected
    assert score == pytest.approx(math.log(0.99) - line.groups[path[0]].penalty)
    (half,) = (group for group in line.groups if group.spans == halves[0])
    assert half.penalty == pytest.approx(CUT)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_path_is_the_best_of_all(seed: int):
    """Groups of random pieces, not of neighbours alone, against a search through all sets."""
    generator = random.Random(seed)
    count = 6
    sets = {1 << place for place in range(count)}
    sets |= {generator.randrange(1, 1 << count) for _ in range(15)}
    groups = [Group(s, (s, 0, s, 0), ((s, 0, 0),), generator.random()) for s in sorted(sets)]
    log_p = [math.log(generator.random()) for _ in groups]
    line = Line([Piece((0, 0, 0, 0), ())] * count, groups)
    best = -math.inf
    for size in range(1, count + 1):
        for chosen in itertools.combinations(range(len(groups)), size):
            if sum(groups[i].pieces for i in chosen) == (1 << count) - 1 and not any(
                groups[a].pieces & groups[b].pieces for a, b in itertools.combinations(chosen, 2)
            ):
                best = max(best, sum(log_p[i] - groups[i].penalty for i in chosen))
    score, path = best_path(line, log_p)
    assert score == pytest.approx(best)
    assert sum(log_p[i] - groups[i].penalty for i in path) == pytest.approx(best)


def test_two_circles_are_one_line_or_two_as_they_are_read():
    strokes = [circle(50, 25, 20, 24), circle(50, 75, 26, 26)]
    ways = segment([np.array(stroke, float) for stroke in strokes])
    assert [len(way) for way in ways] == [2, 1]
    both = ((0, 0, 39), (1, 0, 39))
    for log_p, count in ((-0.01, 1), (-1.0, 2)):
        known = {group.spans: 0.0 for way in ways for line in way for group in line.groups}
        chosen, paths = best_way(ways, known | {both: log_p}, dict.fromkeys(known, 1.0))
        assert len(chosen) == len(paths) == count


def test_lines_are_joined_only_where_there_is_time_to_read_them_finely():
    """Read coarser, few groups would win over many."""
    row = [[[x, 0], [x + 2, 100]] for x in range(0, 1200, 12)]
    strokes = row + moved(row, 0, 110)
    ways = segment([np.array(stroke, float) for stroke in strokes])
    assert [len(way) for way in ways] == [2]
    assert len(segment([np.array(s, float) for s in row[:3] + moved(row[:3], 0, 110)])) == 2


# ---------------------------------------------------------------- what was read before


def count_frames(recognizer: Recognizer, monkeypatch) -> list[int]:
    """How many frames are read in each batch from now on."""
    batches = []
    read = recognizer.recognize_frames

    def counted(frames: torch.Tensor):
        batches.append(len(frames))
        return read(frames)

    monkeypatch.setattr(recognizer, "recognize_frames", counted)
    return batches


def test_candidates_are_read_in_one_batch_and_not_again(monkeypatch):
    recognizer = Recognizer.load()
    batches = count_frames(recognizer, monkeypatch)
    strokes = digits("374")
    first = recognizer.recognize_number(strokes)
    (many,) = batches
    assert many == sum(map(len, first.lattice))
    again = recognizer.recognize_number(strokes)
    assert batches == [many]
    assert again.number == first.number
    with_more = recognizer.recognize_number([*strokes, [[300, 0], [300, 100]]])
    assert with_more.number == "3741"
    assert len(batches) == 2 and batches[1] <= 3  # the 1, and it with its neighbours
    strokes[0][-1][0] += 9  # the 3 has changed
    recognizer.recognize_number(strokes)
    assert 0 < batches[2] < many


SINGLE = [example(digit) for digit in range(10)] + [CROSSED, CUP, HAT, ZERO]


@pytest.mark.parametrize("drawing", [CROSSED, CUP, HAT], ids=["7", "4", "5"])
def test_where_a_digit_wins_anyway_its_parts_are_not_read(monkeypatch, drawing):
    recognizer = Recognizer.load()
    batches = count_frames(recognizer, monkeypatch)
    (line,) = recognizer.recognize_number(drawing).lattice
    assert (batches, len(line)) == ([1], 1)
    recognizer.recognize_number([[[0, 0], [2, 100]], [[20, 0], [22, 100]]])  # two may win
    assert batches[1:] == [3]


@pytest.mark.parametrize(
    "drawing",
    [*SINGLE, digits("11"), digits("10", gap=2), digits("47")],
    ids=range(len(SINGLE) + 3),
)
def test_what_need_not_be_read_changes_no_answer(recognizer, monkeypatch, drawing):
    answer = recognizer.recognize_number(drawing)
    monkeypatch.setattr("lenet.recognize.find_whole", lambda ways: (None, 0.0))
    full = recognizer.recognize_number(drawing)
    assert full.number == answer.number
    assert [d.spans for d in full.digits] == [d.spans for d in answer.digits]


def test_what_is_remembered_is_bounded_and_what_was_asked_for_last_stays(monkeypatch):
    monkeypatch.setattr("lenet.recognize.REMEMBERED", 10)
    recognizer = Recognizer.load()
    batches = count_frames(recognizer, monkeypatch)
    kept = [[[0, 0], [1, 100]]]
    for x in range(30):
        recognizer.recognize_number(kept)
        recognizer.recognize_number([[[0, 0], [x + 2, 100]]])
    assert len(batches) == 31
    recognizer.recognize_number([[[0, 0], [2, 100]]])  # was forgotten
    assert len(batches) == 32
    assert REMEMBERED > 1000


def test_what_is_remembered_holds_no_batch_in_memory():
    recognizer = Recognizer.load()
    recognizer.recognize_number(digits("2024"))
    answers = recognizer.recognize_number(digits("2024")).digits
    for digit in answers:
        for picture in (digit.recognition.pixels, digit.recognition.frame):
            assert picture.untyped_storage().nbytes() == picture.numel()


def test_several_threads_may_read_at_once():
    recognizer = Recognizer.load()
    texts = [f"{number:03}" for number in range(100, 160)] * 2
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda t: recognizer.recognize_number(digits(t)).number, texts))
    assert read == texts


# ---------------------------------------------------------------- time


def scribble(seed: int, strokes: int, points: int, width: float = 1000) -> Drawing:
    generator = np.random.default_rng(seed)
    places = np.stack([generator.uniform(0, width, strokes), np.zeros(strokes)], 1)
    return (generator.uniform(0, 100, (strokes, points, 2)) + places[:, None]).tolist()


LONG = {
    "200 strokes in a heap": scribble(1, 200, 5, 50),
    "200 strokes in a row": [[[9 * x, 0], [9 * x + 3, 100]] for x in range(200)],
    "eight lines": [
        [[20 * x, 150 * y], [20 * x + 9, 150 * y + 100]] for y in range(8) for x in range(25)
    ],
    "200 lines": [[[0, 30 * y], [9, 30 * y + 10]] for y in range(200)],
    "20,000 points": scribble(2, 200, 100),
    "one stroke up and down": [[[x, 100 * (x % 2)] for x in range(2000)]],
    "one stroke of 20,000 points": scribble(3, 1, 20_000),
    "50 digits": digits("3516824907" * 5),
}


@pytest.mark.parametrize("strokes", LONG.values(), ids=LONG)
def test_a_long_drawing_has_no_more_candidates_than_can_be_read_in_time(strokes: Drawing):
    ways = segment([np.array(stroke, float) for stroke in strokes])
    assert sum(len(line.groups) for way in ways for line in way) <= MAX_GROUPS
    for line in itertools.chain(*ways):
        assert 0 < len(line.pieces) <= MAX_PIECES
        best_path(line, [0.0] * len(line.groups))


def test_a_line_of_too_many_strokes_is_read_coarser_and_whole():
    (line,) = lines(LONG["200 strokes in a row"])
    inked = sorted(span for piece in line.pieces for span in piece.spans)
    assert inked == [(i, 0, 1) for i in range(200)]
    assert 10 < len(line.pieces) <= MAX_PIECES
