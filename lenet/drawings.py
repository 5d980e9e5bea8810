"""Labelled strokes as data: drawings and others files, and a reader of UNIPEN text.

A drawings file has one JSON object a line: `{"label": 7, "strokes": [[[x, y], …], …], "writer":
"12"}`, y downwards, any unit, `writer` optional. An others file, of what is no digit, is the same
with `"label": null`. `load_drawings` makes tensors of drawings files. The command
`python -m lenet.drawings FILE.tra > FILE.jsonl` makes one of UNIPEN text. This file knows nothing
of networks or training.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
import torch

from lenet.preprocess import check_strokes, rasterize, strokes_to_segments


class DrawingsError(ValueError):
    """A file of drawings that cannot be read: one sentence with the file, the line, the reason."""


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth
class Drawing:
    """One digit that somebody drew.

    Attributes:
        label: the digit, 0 to 9.
        strokes: at least one, each float64 P×2 with y downwards, as `check_strokes` returns them.
        writer: who drew it, or None where that is not known.
    """

    label: int
    strokes: list[np.ndarray]
    writer: str | None = None


@dataclass(frozen=True, eq=False)
class DrawnOther:
    """What somebody drew that is no digit.

    Attributes:
        strokes: as a `Drawing` has them.
        writer: who drew it, or None where that is not known.
    """

    strokes: list[np.ndarray]
    writer: str | None = None


_Drawn = TypeVar("_Drawn", Drawing, DrawnOther)

# ---------------------------------------------------------------- drawings and others files


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


def read_others(path: Path | str, skip_bad: bool = False) -> tuple[list[DrawnOther], int]:
    """Read an others file, as `read_drawings` reads a drawings file."""
    return _read_lines(path, _parse_other, "others", skip_bad)


def _read_lines(
    path: Path | str, parse: Callable[[bytes], _Drawn], what: str, skip_bad: bool
) -> tuple[list[_Drawn], int]:
    found = []
    bad = []
    for number, line in enumerate(_read(path).split(b"\n"), 1):
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


def _parse_other(line: bytes) -> DrawnOther:
    """The same for what is no digit."""
    label, strokes, writer = _parse(line)
    if label is not None:
        raise ValueError(f"The label must be null, not {json.dumps(label):.40}.")
    return DrawnOther(_check_drawn(strokes), writer)


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


def write_drawings(drawings: Iterable[Drawing], file: TextIO) -> None:
    """Write drawings to an open text file, one JSON object a line."""
    for drawing in drawings:
        record = {"label": drawing.label, "strokes": [s.tolist() for s in drawing.strokes]}
        if drawing.writer is not None:
            record["writer"] = drawing.writer
        file.write(json.dumps(record) + "\n")


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


# ---------------------------------------------------------------- drawings → tensors


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawings of some files as tensors.

    Attributes:
        segments: float32 N×S×4, as `drawings_to_segments` returns them.
        labels: int64 N.
        writers: who drew each, None where that is not known.
        bad_lines: how many lines of the files were left out.
    """

    segments: torch.Tensor
    labels: torch.Tensor
    writers: list[str | None]
    bad_lines: int

    def frames(self) -> torch.Tensor:
        """uint8 N×28×28, the drawings as the canvas would draw them."""
        return rasterize(self.segments)


def load_drawings(paths: Sequence[Path | str], skip_bad: bool = False) -> Drawn:
    """Load drawings files, one after the other.

    Args:
        paths: of the files, or none.
        skip_bad: leave bad lines out instead of raising at the first.

    Raises:
        DrawingsError: a file cannot be read, has a bad line, or holds no drawings.
    """
    drawings: list[Drawing] = []
    bad_lines = 0
    for path in paths:
        found, bad = read_drawings(path, skip_bad)
        drawings += found
        bad_lines += bad
    labels = torch.tensor([drawing.label for drawing in drawings], dtype=torch.int64)
    writers = [drawing.writer for drawing in drawings]
    return Drawn(drawings_to_segments(drawings), labels, writers, bad_lines)


def drawings_to_segments(drawings: Sequence[Drawing | DrawnOther]) -> torch.Tensor:
    """Turn drawings into one float32 N×S×4 batch for `lenet.preprocess.rasterize`.

    S is the longest drawing's; the others repeat their last segment, which adds no ink.
    """
    segments = [strokes_to_segments(drawing.strokes) for drawing in drawings]
    batch = torch.empty(len(segments), max(map(len, segments), default=0), 4)
    for padded, own in zip(batch, segments, strict=True):
        padded[: len(own)] = own
        padded[len(own) :] = own[-1]
    return batch


# ---------------------------------------------------------------- the command line


def main() -> int:
    """Turn the UNIPEN file that the command line names into a drawings file on standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.drawings",
        usage="%(prog)s FILE.tra > FILE.jsonl",
        description="Turn digits in UNIPEN text into a drawings file: one JSON object a line, "
        "with the label, the strokes (y downwards) and the writer.",
    )
    parser.add_argument("file", metavar="FILE.tra", help="digits in UNIPEN text")
    arguments = parser.parse_args()
    try:
        drawings = read_unipen(arguments.file)
    except DrawingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        write_drawings(drawings, sys.stdout)
        sys.stdout.flush()
    except OSError as error:
        # What Python still holds back must go nowhere, or it complains once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `| head` has had enough
            return 0
        print(f"The drawings could not be written: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
