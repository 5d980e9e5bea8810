"""How long reading a number takes, by its digits: at first, and while its last stroke grows.

`python -m benchmarks.numbers DRAWINGS` composes numbers of 1, 2, 4, 6 and 12 digits of a drawings
file and reads each with one thread: as if nothing of it had been seen before, again after only its
last stroke has changed, and again unchanged; beside these, a digit by `recognize`. Prints medians,
and the times of drawings with more strokes than can be searched finely. Takes a minute.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

from lenet import Recognizer
from lenet.checkpoint import SHIPPED, Checkpoint, read
from lenet.drawings import Drawing, compose_numbers, read_drawings
from lenet.preprocess import MAX_POINTS, MAX_STROKES

LENGTHS = 1, 2, 4, 6, 12
REPEATS = 40
LAST = 3  # points that the last stroke lacks before it changes


def milliseconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def unknowing(checkpoint: Checkpoint) -> Recognizer:
    """A recognizer that has seen nothing of any number, and is past what its first call takes."""
    reader = Recognizer(checkpoint)
    reader.recognize([[[0.0, 0.0], [1.0, 1.0]]])
    return reader


def measure(drawings: list[Drawing], length: int) -> list[float]:
    """The medians for numbers of so many digits: new, last stroke changed, unchanged."""
    checkpoint = read(SHIPPED)
    times: list[tuple[float, ...]] = []
    for number in compose_numbers(drawings, REPEATS, seed=length, lengths=(length, length)):
        strokes = [stroke.tolist() for stroke in number.strokes]
        before = [*strokes[:-1], strokes[-1][:-LAST] or strokes[-1][:1]]
        reader = unknowing(checkpoint)
        new = milliseconds(lambda r=reader, s=strokes: r.recognize_number(s))
        reader = unknowing(checkpoint)
        reader.recognize_number(before)
        grown = milliseconds(lambda r=reader, s=strokes: r.recognize_number(s))
        same = milliseconds(lambda r=reader, s=strokes: r.recognize_number(s))
        times.append((new, grown, same))
    return [median(column) for column in zip(*times, strict=True)]


def measure_digit(drawings: list[Drawing]) -> float:
    """The median for a digit that `recognize` reads."""
    reader = Recognizer(read(SHIPPED))
    digits = [[stroke.tolist() for stroke in drawing.strokes] for drawing in drawings[:REPEATS]]
    return median(milliseconds(lambda s=strokes: reader.recognize(s)) for strokes in digits)


def worst() -> dict[str, tuple[float, float]]:
    """Milliseconds, as a number and as a digit, for drawings that cannot be searched finely."""
    random = np.random.default_rng(0)
    points = MAX_POINTS // MAX_STROKES
    places = np.stack([random.uniform(0, 1000, MAX_STROKES), np.zeros(MAX_STROKES)], 1)
    drawings = {
        "200 strokes in a row": [
            [[9.0 * x, 0.0], [9.0 * x + 3, 100.0]] for x in range(MAX_STROKES)
        ],
        "200 strokes over each other": random.uniform(0, 100, (MAX_STROKES, 5, 2)).tolist(),
        "20,000 points": (
            random.uniform(0, 100, (MAX_STROKES, points, 2)) + places[:, None]
        ).tolist(),
        "20,000 points, one stroke": random.uniform(0, 100, (1, MAX_POINTS, 2)).tolist(),
    }
    found = {}
    for name, strokes in drawings.items():
        reader = Recognizer(read(SHIPPED))
        number = milliseconds(lambda r=reader, s=strokes: r.recognize_number(s))
        found[name] = number, milliseconds(lambda r=reader, s=strokes: r.recognize(s))
    return found


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("drawings", metavar="DRAWINGS", help="a drawings file")
    drawings, _ = read_drawings(parser.parse_args().drawings)
    torch.set_num_threads(1)
    measure(drawings, 1)  # the first calls take longer
    print(f"a digit by recognize: {measure_digit(drawings):.1f} ms")
    print("| digits | ms, all new | ms, the last stroke has changed | ms, unchanged |")
    print("|---|---|---|---|")
    for length in LENGTHS:
        print(f"| {length} | " + " | ".join(f"{t:.1f}" for t in measure(drawings, length)) + " |")
    print("| more than can be searched | ms as a number | ms as a digit |")
    print("|---|---|---|")
    for name, times in worst().items():
        print(f"| {name} | " + " | ".join(f"{t:.1f}" for t in times) + " |")


if __name__ == "__main__":
    main()
