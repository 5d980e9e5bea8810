"""How well recipe best reads people that it never saw, and digits that are drawn unusually.

`python -m benchmarks.handwriting DRAWINGS [--keep FOLDER]` trains five times, each time without a
fifth of the writers of a drawings file and without the last 10,000 training images of MNIST, reads
what was left out, and prints the means. The held-out writers' digits are read as they were drawn,
and drawn again: small, large, thin, thick, with a third of the points, turned, slanted. Takes 20
minutes on two cores. The test set is not looked at.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np

from lenet.checkpoint import Checkpoint, read
from lenet.data import Digits
from lenet.drawings import Drawing, read_drawings, to_tensors, write_drawings
from lenet.evaluate import evaluate
from lenet.preprocess import PEN_WIDTH, rasterize

FOLDS = 5
THIN, THICK = 1.6, 4.0  # pixels of the frame


def _scaled(side: int) -> Callable[[np.ndarray], np.ndarray]:
    """Drawn over about so many pixels of the pad, near a corner; a mouse moves by whole ones."""
    return lambda stroke: np.round(stroke * side / 400) + 3


def _mapped(*matrix: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda stroke: stroke @ np.reshape(matrix, (2, 2))


def _turned(degrees: float) -> Callable[[np.ndarray], np.ndarray]:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _mapped(cos, sin, -sin, cos)


def _slanted(degrees: float) -> Callable[[np.ndarray], np.ndarray]:
    return _mapped(1, 0, -np.tan(np.radians(degrees)), 1)


def _third(stroke: np.ndarray) -> np.ndarray:
    return np.concatenate([stroke[:-1:3], stroke[-1:]])


# What is done to each stroke, and the pen's width.
WAYS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "as they were written": (lambda stroke: stroke, PEN_WIDTH),
    "small in a corner": (_scaled(30), PEN_WIDTH),
    "large": (_scaled(2000), PEN_WIDTH),
    "with a thin pen": (lambda stroke: stroke, THIN),
    "with a thick pen": (lambda stroke: stroke, THICK),
    "a third of the points": (_third, PEN_WIDTH),
    "turned by 10° to the right": (_turned(10), PEN_WIDTH),
    "turned by 10° to the left": (_turned(-10), PEN_WIDTH),
    "slanted by 20° to the right": (_slanted(20), PEN_WIDTH),
    "slanted by 20° to the left": (_slanted(-20), PEN_WIDTH),
}


def accuracy(checkpoint: Checkpoint, drawings: list[Drawing], way: str) -> float:
    """The share of drawings, drawn that way, that the checkpoint reads right."""
    change, pen_width = WAYS[way]
    drawn = [replace(d, strokes=[change(stroke) for stroke in d.strokes]) for d in drawings]
    tensors = to_tensors(drawn)
    frames = rasterize(tensors.segments, pen_width)
    return evaluate(checkpoint, Digits(frames, tensors.labels)).accuracy


def split(drawings: list[Drawing], fold: int, rest: Path) -> list[Drawing]:
    """Hold a fifth of the writers out: their drawings, which also go into `held-out-N.jsonl`
    beside the file `rest` of the other writers' (`lenet.calibrate` takes them).
    """
    writers = sorted({d.writer for d in drawings if d.writer}, key=lambda w: (len(w), w))
    out = set(writers[fold::FOLDS])
    held_out = [d for d in drawings if d.writer in out]
    for path, part in (
        (rest.with_name(f"held-out-{fold}.jsonl"), held_out),
        (rest, [d for d in drawings if d.writer not in out]),
    ):
        with path.open("w") as file:
            write_drawings(part, file)
    return held_out


def train_fold(
    drawings: list[Drawing], fold: int, folder: Path
) -> tuple[Checkpoint, list[Drawing]]:
    """Train without a fifth of the writers, unless the folder holds the network already.

    Returns:
        The checkpoint, and the drawings of these writers.
    """
    trained = folder / f"fold-{fold}.pt"
    rest = trained.with_suffix(".jsonl")
    held_out = split(drawings, fold, rest)
    if trained.exists() and (run := read(trained).run) and run.finished:
        return read(trained), held_out
    command = [sys.executable, "-m", "lenet.train", "--recipe", "best", "--hold-out"]
    command += ["--drawings", str(rest), "--out", str(trained)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read(trained), held_out


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("drawings", metavar="DRAWINGS", help="a drawings file with writers")
    parser.add_argument(
        "--keep", metavar="FOLDER", type=Path, help="keep what was trained, or take it from there"
    )
    options = parser.parse_args()
    drawings, _ = read_drawings(options.drawings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folds = [train_fold(drawings, fold, folder) for fold in range(FOLDS)]
    print("| digits that it has not learnt from | read right | folds |")
    print("|---|---|---|")
    found = {"the last 10,000 of MNIST's training set": [c.accuracy or 0.0 for c, _ in folds]}
    found |= {f"writers, {way}": [accuracy(*fold, way) for fold in folds] for way in WAYS}
    for name, shares in found.items():
        print(f"| {name} | {mean(shares):.2%} | {' '.join(f'{s:.2%}' for s in shares)} |")


if __name__ == "__main__":
    main()
