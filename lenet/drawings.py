"""Labelled strokes as data: drawings, numbers and others files, and a reader of UNIPEN text.

A drawings file has one JSON object a line: `{"label": 7, "strokes": [[[x, y], …], …], "writer":
"12"}`, y downwards, any unit, `writer` optional. A numbers file is the same with a text of digits,
`"label": "2024"`; an others file, of what is no digit, with `"label": null`. `load_drawings` makes
tensors of drawings files. The command `python -m lenet.drawings FILE.tra > FILE.jsonl` makes a
drawings file of UNIPEN text, and with `--numbers N` a numbers file of a drawings file. This file
knows nothing of networks or training.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
import torch

from lenet.commands import at_least, print_file
from lenet.preprocess import check_strokes, pad_segments, rasterize, strokes_to_segments

NO_DIGIT = 10  # the label that tensors have for what is no digit


class DrawingsError(ValueError):
    """A file of drawings that cannot be read: one sentence with the file, the line, the reason."""


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth
class Drawing:
    """What somebody drew: one digit, or what is no digit.

    Attributes:
        label: the digit, 0 to 9, or None for what is no digit.
        strokes: at least one, each float64 P×2 with y downwards, as `check_strokes` returns them.
        writer: who drew it, or None where that is not known.
    """

    label: int | None
    strokes: list[np.ndarray]
    writer: str | None = None


@dataclass(frozen=True, eq=False)
class DrawnNumber:
    """A number of several digits that somebody drew.

    Attributes:
        label: the digits from left to right, and line by line, at least one.
        strokes: as a `Drawing` has them.
        writer: who drew it, or None where that is not known.
    """

    label: str
    strokes: list[np.ndarray]
    writer: str | None = None


_Drawn = TypeVar("_Drawn", Drawing, DrawnNumber)

# ---------------------------------------------------------------- the files


def read_drawings(path: Path | str, skip_bad: bool = False) -> tuple[list[Drawing], int]:
    """Read a drawings file; blank lines do not count.

    Args:
        skip_bad: leave bad lines out instead of raising at the first.

    Returns:
        The drawings, at least one, and how many bad lines were left out.

    Raises:
        DrawingsError: the file cannot be read, has a bad line, or holds no drawings.
    """
    return _read_lines(path, _parse_digit, "drawings", skip_bad)


def read_numbers(path: Path | str, skip_bad: bool = False) -> tuple[list[DrawnNumber], int]:
    """Read a numbers file, as `read_drawings` reads a drawings file."""
    return _read_lines(path, _parse_number, "numbers", skip_bad)


def read_others(path: Path | str, skip_bad: bool = False) -> tuple[list[Drawing], int]:
    """Read an others file, as `read_drawings` reads a drawings file."""
    return _read_lines(path, _parse_other, "others", skip_bad)


def parse_drawings(content: bytes, name: str) -> list[Drawing]:
    """The drawings, of digits or of what is no digit, that a file of this name would hold.

    Raises:
        DrawingsError: as `read_drawings`.
    """
    return _parse_lines(content, name, _parse_digit_or_other, "drawings")[0]


def _read_lines(
    path: Path | str, parse: Callable[[bytes], _Drawn], what: str, skip_bad: bool
) -> tuple[list[_Drawn], int]:
    return _parse_lines(_read(path), path, parse, what, skip_bad)


def _parse_lines(
    content: bytes,
    path: Path | str,
    parse: Callable[[bytes], _Drawn],
    what: str,
    skip_bad: bool = False,
) -> tuple[list[_Drawn], int]:
    found = []
    bad = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(parse(line))
        except (ValueError, RecursionError) as error:  # thousands of brackets
            bad.append(DrawingsError(f"{path}, line {number}: {error}"))
            if not skip_bad:
                raise bad[0] from error
    if found:
        return found, len(bad)
    if bad:
        raise DrawingsError(f"Every line is bad. {bad[0]}")
    raise DrawingsError(f"{path} holds no {what}: it is empty.")


def _read(path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DrawingsError(f"{path} could not be read: {error.strerror}.") from error


def _parse_digit(line: bytes) -> Drawing:
    """Turn one line into a drawing, or raise ValueError with one sentence that says why not."""
    label, strokes, writer = _parse(line)
    if type(label) is not int or not 0 <= label <= 9:  # bool is an int too
        raise ValueError(f"The label must be an integer 0 to 9, not {json.dumps(label):.40}.")
    return Drawing(label, _check_drawn(strokes), writer)


def _parse_number(line: bytes) -> DrawnNumber:
    """The same for a number."""
    label, strokes, writer = _parse(line)
    if not isinstance(label, str) or not (label.isascii() and label.isdigit()):
        raise ValueError(
            f'The label must be a text of digits such as "2024", not {json.dumps(label):.40}.'
        )
    return DrawnNumber(label, _check_drawn(strokes), writer)


def _parse_other(line: bytes) -> Drawing:
    """The same for what is no digit."""
    label, strokes, writer = _parse(line)
    if label is not None:
        raise ValueError(f"The label must be null, not {json.dumps(label):.40}.")
    return Drawing(None, _check_drawn(strokes), writer)


def _parse_digit_or_other(line: bytes) -> Drawing:
    """The same for either."""
    return _parse_other(line) if _parse(line)[0] is None else _parse_digit(line)


def _parse(line: bytes) -> tuple[Any, Any, str | None]:
    """A line's label and strokes, to be checked, and its writer."""
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError("The line is not UTF-8 text.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"The line is not JSON: {error.msg} at column {error.colno}.") from error
    if not isinstance(record, dict):
        raise ValueError('The line must be an object {"label": …, "strokes": …}.')
    writer = record.get("writer")
    if writer is not None and not isinstance(writer, str):
        raise ValueError(f'The writer must be a text such as "12", not {json.dumps(writer):.40}.')
    return record.get("label"), record.get("strokes"), writer


def _check_drawn(strokes: object) -> list[np.ndarray]:
    checked = check_strokes(strokes)
    if not checked:
        raise ValueError("The drawing has no strokes with points.")
    return checked


def write_drawings(drawings: Iterable[Drawing | DrawnNumber], file: TextIO) -> None:
    """Write drawings, or numbers, to an open text file, one JSON object a line."""
    file.writelines(to_lines(drawings))


def to_lines(drawings: Iterable[Drawing | DrawnNumber]) -> Iterator[str]:
    """Drawings, or numbers, as the lines of their file."""
    for drawing in drawings:
        record = {"label": drawing.label, "strokes": [s.tolist() for s in drawing.strokes]}
        if drawing.writer is not None:
            record["writer"] = drawing.writer
        yield json.dumps(record) + "\n"


# ---------------------------------------------------------------- UNIPEN text

# .SEGMENT DIGIT 3-4 ? "7": the strokes that the file has as its 3rd and 4th, counted from 0
_SEGMENT = re.compile(r'\.SEGMENT\s+DIGIT\s+(\d{1,9})(?:-(\d{1,9}))?\s+\S+\s+"([0-9])"\s*')
_COMMENT = re.compile(r"\.COMMENT\s+\d\s+(\d+)\s+\d+\s*")  # label, writer, number of the sample


def read_unipen(path: Path | str) -> list[Drawing]:
    """Read the digits of a UNIPEN text file, as UCI's "Pen-Based Recognition of Handwritten Digits"
    (https://doi.org/10.24432/C5MG6K) has them: y is upwards there, and downwards in what comes
    back.

    Raises:
        DrawingsError: the file cannot be read, has a bad line, or holds no digits.
    """
    segments = []  # the line's number, first and last stroke, label
    writers = {}
    strokes = []
    pen_down = False
    for number, line in enumerate(_read(path).decode("latin-1").split("\n"), 1):
        where = f"{path}, line {number}"
        if line.startswith(".SEGMENT"):
            match = _SEGMENT.fullmatch(line)
            if not match:
                raise DrawingsError(f'{where}: expected .SEGMENT DIGIT n ? "digit".')
            first, last, label = match.groups()
            segments.append((where, int(first), int(last or first), int(label)))
        elif match := _COMMENT.fullmatch(line):
            writers[len(segments)] = match[1]
        elif line.startswith(".PEN_DOWN"):
            strokes.append([])
            pen_down = True
        elif line.startswith("."):
            pen_down = False
        elif pen_down and line.strip():
            try:
                x, y = map(float, line.split())
            except ValueError as error:
                raise DrawingsError(f"{where}: expected a point, x y.") from error
            strokes[-1].append([x, 0.0 - y])
    if not segments:
        raise DrawingsError(f"{path} holds no digits in UNIPEN text: no line begins with .SEGMENT.")
    drawings = []
    for index, (where, first, last, label) in enumerate(segments, 1):
        if not first <= last < len(strokes):
            raise DrawingsError(f"{where}: strokes {first} to {last} are not in the file.")
        try:
            checked = _check_drawn(strokes[first : last + 1])
        except ValueError as error:
            raise DrawingsError(f"{where}: {error}") from error
        drawings.append(Drawing(label, checked, writers.get(index)))
    return drawings


# ---------------------------------------------------------------- digits → numbers

LENGTHS = 2, 7  # digits of a composed number
GAPS = 0.0, 0.6  # of a digit's height: from ink that touches to wide, one for a number
SIZE = 0.12  # standard deviation of the logarithm of a digit's height
BASE_LINE = 0.08  # of a digit's height: how far it stands above or below the line
UNEVEN = 0.05  # of a digit's height: how far a gap is from the number's
SLACK = 0.3  # of the narrower digit's width: no digit reaches further under its neighbour
HEIGHT = 100.0  # units: a digit's, before it varies


def compose_numbers(
    drawings: Sequence[Drawing], count: int, seed: int = 0, lengths: tuple[int, int] = LENGTHS
) -> list[DrawnNumber]:
    """Compose numbers, each of one writer's digits, all writers and lengths equally often.

    Gaps, sizes and base lines vary (the constants above); a gap is measured between the
    ink of two digits at equal height, so that a 7 may reach over a 4, as when people write.
    """
    random = np.random.default_rng(seed)
    own: dict[str | None, list[Drawing]] = {}
    for drawing in drawings:
        own.setdefault(drawing.writer, []).append(drawing)
    writers = list(own)
    numbers = []
    for _ in range(count):
        digits = own[writers[random.integers(len(writers))]]
        numbers.append(_compose(digits, int(random.integers(lengths[0], lengths[1] + 1)), random))
    return numbers


def _compose(digits: Sequence[Drawing], length: int, random: np.random.Generator) -> DrawnNumber:
    """Set digits of one writer beside each other."""
    chosen = [digits[i] for i in random.integers(len(digits), size=length)]
    gap = random.uniform(*GAPS)
    strokes: list[np.ndarray] = []
    before: list[np.ndarray] = []
    for digit in chosen:
        points = np.concatenate(digit.strokes)
        low, high = points.min(0), points.max(0)
        scale = np.exp(random.normal(0, SIZE)) / ((high - low)[1] or (high - low)[0] or 1.0)
        foot = np.array([low[0], high[1]])
        rise = np.array([0.0, random.normal(0, BASE_LINE)])
        placed = [(stroke - foot) * scale + rise for stroke in digit.strokes]
        if before:
            wanted = max(0.0, gap + random.normal(0, UNEVEN))
            shift = np.array([_shift(before, placed, wanted), 0.0])
            placed = [stroke + shift for stroke in placed]
        strokes += placed
        before = placed
    label = "".join(str(digit.label) for digit in chosen)
    return DrawnNumber(label, [np.round(HEIGHT * s, 1) for s in strokes], chosen[0].writer)


def _shift(left: list[np.ndarray], right: list[np.ndarray], gap: float) -> float:
    """How far to the right a digit is moved, so that its ink keeps a gap to its neighbour's."""
    a, b = _dense(left), _dense(right)
    level = np.abs(a[:, None, 1] - b[None, :, 1]) <= _DENSE
    by_ink = np.where(level, a[:, None, 0] - b[None, :, 0], -np.inf).max() + gap
    narrower = min(np.ptp(a[:, 0]), np.ptp(b[:, 0]))
    by_box = a[:, 0].max() - b[:, 0].min() - SLACK * narrower
    return max(by_ink, by_box)


_DENSE = 0.04  # of a digit's height: between the points that stand for its ink


def _dense(strokes: list[np.ndarray]) -> np.ndarray:
    """Points all along strokes, P×2."""
    dense = []
    for stroke in strokes:
        way = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
        at = np.union1d(way, np.arange(0, way[-1], _DENSE))
        dense.append(np.stack([np.interp(at, way, axis) for axis in stroke.T], 1))
    return np.concatenate(dense)


# ---------------------------------------------------------------- drawings → tensors


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawings of some files as tensors.

    Attributes:
        segments: float32 N×S×4, as `lenet.preprocess.rasterize` takes them.
        labels: int64 N, 0 to 9, or `NO_DIGIT`.
        writers: who drew each, None where that is not known.
        bad_lines: how many lines of the files were left out.
    """

    segments: torch.Tensor
    labels: torch.Tensor
    writers: list[str | None]
    bad_lines: int

    def frames(self) -> torch.Tensor:
        """uint8 N×28×28, the drawings as the pad would draw them."""
        return rasterize(self.segments)

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, indices: Sequence[int]) -> "Drawn":
        """Some of the drawings."""
        writers = [self.writers[i] for i in indices]
        places = torch.tensor(indices, dtype=torch.int64)
        return Drawn(self.segments[places], self.labels[places], writers, self.bad_lines)


def load_drawings(
    paths: Sequence[Path | str], skip_bad: bool = False, others: bool = False
) -> Drawn:
    """Load drawings files, one after the other.

    Args:
        paths: of the files, or none.
        skip_bad: leave bad lines out instead of raising at the first.
        others: whether lines of what is no digit, as an others file has them, are good ones.

    Raises:
        DrawingsError: a file cannot be read, has a bad line, or holds no drawings.
    """
    parse = _parse_digit_or_other if others else _parse_digit
    drawings: list[Drawing] = []
    bad_lines = 0
    for path in paths:
        found, bad = _read_lines(path, parse, "drawings", skip_bad)
        drawings += found
        bad_lines += bad
    return to_tensors(drawings, bad_lines)


def to_tensors(drawings: Sequence[Drawing], bad_lines: int = 0) -> Drawn:
    """Drawings as tensors."""
    labels = [NO_DIGIT if drawing.label is None else drawing.label for drawing in drawings]
    writers = [drawing.writer for drawing in drawings]
    segments = pad_segments([strokes_to_segments(drawing.strokes) for drawing in drawings])
    return Drawn(segments, torch.tensor(labels, dtype=torch.int64), writers, bad_lines)


# ---------------------------------------------------------------- the command line


def main() -> int:
    """Turn the file that the command line names into another on standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.drawings",
        usage="%(prog)s FILE.tra > FILE.jsonl\n       "
        "%(prog)s --numbers N [--seed N] FILE.jsonl > FILE",
        description="Turn digits in UNIPEN text into a drawings file: one JSON object a line, "
        "with the label, the strokes (y downwards) and the writer. Or compose numbers of 2 to 7 "
        "digits of one writer of a drawings file.",
    )
    parser.add_argument("file", metavar="FILE", help="digits in UNIPEN text, or a drawings file")
    parser.add_argument("--numbers", type=at_least(1), metavar="N", help="compose N numbers")
    parser.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="of what is random in them (default: 0)",
    )
    arguments = parser.parse_args()
    try:
        drawings: Sequence[Drawing | DrawnNumber]
        if arguments.numbers:
            digits, _ = read_drawings(arguments.file)
            drawings = compose_numbers(digits, arguments.numbers, arguments.seed)
        else:
            drawings = read_unipen(arguments.file)
    except DrawingsError as error:
        print(error, file=sys.stderr)
        return 2
    return print_file(to_lines(drawings))


if __name__ == "__main__":
    sys.exit(main())
