"""What tests draw on the pad: digits, numbers and a smiley, as strokes."""

import math

from lenet.synthetic import example_strokes

# A third of the points: each takes a frame of the screen to draw.
EXAMPLES = {
    digit: [[*stroke[:-1:3], stroke[-1]] for stroke in strokes]
    for digit, strokes in example_strokes().items()
}
CROSSED_SEVEN = [[(0, 0), (1, 0), (0.4, 1)], [(0.25, 0.5), (0.85, 0.5)]]

Line = list[tuple[float, float]]


def at(strokes, x: float, y: float = 0.25, width: float = 0.45, height: float = 0.5) -> list[Line]:
    """Strokes in a box of 1, scaled and moved within the box of 1 in the middle of the pad."""
    return [[(x + width * a, y + height * b) for a, b in stroke] for stroke in strokes]


def circle(x: float, y: float, width: float, height: float) -> Line:
    angles = [math.tau * i / 30 - 1.5 for i in range(31)]
    return [(x + width / 2 * math.cos(a), y + height / 2 * math.sin(a)) for a in angles]


def row(digits: str, first: float, gap: float) -> list[Line]:
    """The examples of these digits from left to right."""
    strokes = [at(EXAMPLES[int(digit)], first + i * gap) for i, digit in enumerate(digits)]
    return [stroke for digit in strokes for stroke in digit]


NUMBERS = {
    "2026": row("2026", -0.6, 0.52),
    "47": [*at(EXAMPLES[4], 0), *at(CROSSED_SEVEN, 0.6, width=0.35)],
    "11": row("11", 0, 0.5),
    "100": row("100", -0.3, 0.52),
    "00": [circle(0.3, 0.5, 0.4, 0.6), circle(0.68, 0.5, 0.4, 0.6)],  # they touch
    "00 in one stroke": [circle(0.3, 0.5, 0.4, 0.6) + circle(0.72, 0.5, 0.4, 0.6)],
}
SMILEY = [
    circle(0.5, 0.5, 0.9, 0.9),
    [(0.35, 0.4), (0.35, 0.44)],
    [(0.65, 0.4), (0.65, 0.44)],
    [(0.3, 0.6), (0.4, 0.72), (0.5, 0.76), (0.6, 0.72), (0.7, 0.6)],
]
