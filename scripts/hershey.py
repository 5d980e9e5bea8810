"""Make lenet/letters.txt, the templates of letters and signs, of Hershey's single-stroke fonts.

A. V. Hershey, "Calligraphy for computers", 1967; free to use. Run it where they are installed:

    python -m venv hershey && hershey/bin/pip install hershey-fonts==2.1.0
    hershey/bin/python scripts/hershey.py > lenet/letters.txt

Each glyph becomes a template as `lenet.templates` reads them: few knots, corners marked. What looks
like a digit is left out: O, l, S, Z, B, q and their like, but also what is a digit in some hand: a
curled y that is a 4, a J that is a 1 with a hook, a Φ that is a slashed 0, a ⊥ and a [ that are a 1
with a base. They were chosen by eye.
"""

import math
from itertools import groupby, pairwise

from HersheyFonts import HersheyFonts

# For each kind the fonts and their glyphs; a font has its glyphs in the places of ASCII.
GLYPHS = {
    "capitals": {"futural": "ACEFHKLMNPRTUVWXY", "scripts": "AEFHKMNPRUWX"},
    "lower case": {"futural": "acdefhkmnprtuvwxy", "scripts": "adehkmnpuvwx"},
    "Greek": {"greeks": "CDKNPRTWXacegjklmpvw"},
    "signs": {
        "futural": '"#%*+<=>?@^',
        "mathlow": "!\"'?@bdegfhijklx|^~",
        "symbolic": "89:<>M[`fhmnx",
        "astrology": "!#&/<=>@[]~",
    },
}

TOLERANCE = 0.025  # of the longer side: how far a curve may be from the glyph's own points
CORNER = 50.0  # degrees: from here on a turn is a corner
DOT = 0.09  # of the longer side: a stroke that is smaller is a dot

Point = tuple[float, float]


def template(strokes: list[list[Point]]) -> str:
    """A glyph's strokes as a template: in a box of 100, the shorter side in its middle."""
    xs, ys = zip(*(point for stroke in strokes for point in stroke), strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    side = max(width, height)
    left, top = min(xs) - (side - width) / 2, min(ys) - (side - height) / 2
    parts = []
    for stroke in strokes:
        scaled = [((x - left) / side, (y - top) / side) for x, y in stroke]
        parts.append(_stroke([point for point, _ in groupby(scaled)]))
    return " | ".join(parts)


def _stroke(points: list[Point]) -> str:
    if _extent(points) < DOT:
        x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
        return f"{_knot((x, y))} {_knot((x + 0.01, y + 0.01))}"
    corners = [
        place
        for place in range(1, len(points) - 1)
        if _turn(*points[place - 1 : place + 2]) > CORNER
    ]
    ends = [0, *corners, len(points) - 1]
    runs = [_simpler(points[a : b + 1]) for a, b in pairwise(ends)]
    texts = [" ".join(map(_knot, runs[0]))]
    texts += [" ".join(map(_knot, run[1:])) for run in runs[1:]]
    return "! ".join(texts)


def _knot(point: Point) -> str:
    return f"{round(100 * point[0])},{round(100 * point[1])}"


def _extent(points: list[Point]) -> float:
    return max(max(values) - min(values) for values in zip(*points, strict=True))


def _turn(before: Point, at: Point, after: Point) -> float:
    """By how many degrees a polyline turns, 0..180."""
    first = math.atan2(at[1] - before[1], at[0] - before[0])
    second = math.atan2(after[1] - at[1], after[0] - at[0])
    return abs(math.degrees(math.remainder(second - first, 2 * math.pi)))


def _simpler(points: list[Point]) -> list[Point]:
    """A polyline with fewer points (Douglas and Peucker, 1973)."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    chord = math.hypot(x1 - x0, y1 - y0)

    def distance(point: Point) -> float:
        x, y = point
        if chord == 0:
            return math.hypot(x - x0, y - y0)
        return abs((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / chord

    inner = [distance(point) for point in points[1:-1]]
    if not inner or max(inner) <= TOLERANCE:
        return [points[0], points[-1]]
    split = inner.index(max(inner)) + 1
    return _simpler(points[: split + 1])[:-1] + _simpler(points[split:])


def main() -> None:
    """Print the templates, one a line after its kind; each form once, whichever fonts have it."""
    print("# Made by scripts/hershey.py of Hershey's single-stroke fonts.")
    seen = set()
    for kind, fonts in GLYPHS.items():
        for font, characters in fonts.items():
            hershey = HersheyFonts(load_default_font=font)
            for character in characters:
                glyph = hershey.all_glyphs[character]
                text = template([list(stroke) for stroke in glyph.strokes])
                if text not in seen:
                    print(f"{kind}: {text}")
                seen.add(text)


if __name__ == "__main__":
    main()
