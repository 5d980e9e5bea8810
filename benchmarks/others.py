"""How well recipe best tells digits from what is none, and what that costs in accuracy.

`python -m benchmarks.others DRAWINGS [--keep FOLDER]` trains as `benchmarks.handwriting` does: each
time without a fifth of the writers of a drawings file and without the last 10,000 training images
of MNIST. It is judged by these digits, and by new others that contain digits of these writers.
`--without KIND` holds kinds of others out of training, to see how the network does with what it has
never been shown. The test set is not looked at.

A fold takes a quarter of an hour of a core. Folds can be trained side by side, each by a command of
its own with `--folds N --train-only` and the same `--keep`; a command without `--train-only` then
prints the table. `OMP_NUM_THREADS=1` keeps them from each other's cores, an empty
`CUDA_VISIBLE_DEVICES` from the GPU.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import torch

from benchmarks.handwriting import FOLDS, accuracy, split
from lenet import train
from lenet.calibrate import OTHERS, calibrate
from lenet.checkpoint import Checkpoint, read
from lenet.data import Digits, hold_out, load_mnist
from lenet.drawings import Drawing, read_drawings, to_tensors
from lenet.evaluate import summarize_others
from lenet.others import KINDS, SHARES, other_segments
from lenet.preprocess import rasterize
from lenet.recipes import RECIPES
from lenet.recognize import Recognitions, interpret, predict

EACH = 1000  # others of each kind that a network is judged by
ACCEPTED = 0.95  # of the digits; the table has the share of others that are accepted with them
WAYS = (
    "as they were written",
    "small in a corner",
    "turned by 10° to the right",
    "turned by 10° to the left",
)


@dataclass(frozen=True)
class Variant:
    """What recipe best is changed to.

    Attributes:
        without: kinds of others that are held out of training.
        weight: of others, or None for the recipe's own; 0 leaves them all out.
        epochs: None for the recipe's own.
    """

    without: tuple[str, ...]
    weight: float | None
    epochs: int | None

    def name(self, fold: int) -> str:
        """The file of a fold's network."""
        parts = [f"fold-{fold}"]
        parts += [f"weight-{self.weight:g}"] if self.weight is not None else []
        parts += [f"epochs-{self.epochs}"] if self.epochs else []
        parts += [f"without-{kind.replace(' ', '-')}" for kind in self.without]
        return "_".join(parts) + ".pt"


def train_fold(variant: Variant, drawings: list[Drawing], fold: int, out: Path) -> list[Drawing]:
    """Train without a fifth of the writers, or go on with a run that was interrupted.

    Returns:
        The drawings of these writers.
    """
    rest = out.with_suffix(".jsonl")
    held_out = split(drawings, fold, rest)
    if out.exists() and (run := read(out).run) and run.finished:
        return held_out
    best = RECIPES["best"]
    if variant.weight is not None:
        best = replace(best, others_weight=variant.weight)
        best = best if variant.weight else replace(best, others=0)
    RECIPES["best"] = best
    for kind in variant.without:
        SHARES.pop(kind, None)
    if out.exists():
        train.main(["--resume", str(out), "--out", str(out)])
        return held_out
    command = ["--recipe", "best", "--hold-out", "--drawings", str(rest), "--out", str(out)]
    train.main([*command, *(["--epochs", str(variant.epochs)] if variant.epochs else [])])
    return held_out


def judge(
    checkpoint: Checkpoint, drawings: list[Drawing], held_out: Digits
) -> dict[str, list[float]]:
    """The rows of the tables: the columns by the name of each row.

    Args:
        drawings: of the writers that the network has not learnt from.
        held_out: of MNIST, what it has not learnt from.
    """
    rows = {"MNIST held out": [checkpoint.accuracy or 0.0]}
    rows |= {f"writers, {way}": [accuracy(checkpoint, drawings, way)] for way in WAYS}
    model = checkpoint.model()
    segments = to_tensors(drawings).segments
    generator = torch.Generator().manual_seed(1)
    logits = torch.cat([predict(model, held_out.frames), predict(model, rasterize(segments))])
    truth = torch.cat([held_out.labels, to_tensors(drawings).labels])
    others = predict(model, rasterize(*other_segments(OTHERS, generator, segments)))
    calibrated = calibrate(checkpoint, logits, truth, others)
    both = interpret(calibrated, logits)
    rows["taken for digits"] = [both.is_digit.double().mean().item()]
    rows["sure"] = [both.sure.double().mean().item()]
    digits = interpret(calibrated, logits[-len(drawings) :])
    for kind in KINDS:
        frames = rasterize(other_segments(EACH, generator, segments, {kind: 1.0})[0])
        found = interpret(calibrated, predict(model, frames))
        summary = summarize_others(found, digits)
        taken = [accepted(found, digits), summary["taken_for_digits"], summary["sure"]]
        rows[kind] = [summary["auroc"], *taken]
    return rows


def accepted(others: Recognitions, digits: Recognitions) -> float:
    """The share of others, 0..1, that are taken where `ACCEPTED` of the digits are."""
    gate = digits.digit_probability.quantile(1 - ACCEPTED)
    return (others.digit_probability >= gate).double().mean().item()


def print_table(folds: Sequence[dict[str, list[float]]], without: Sequence[str]) -> None:
    """Print the means over the folds."""
    print("| digits | read right | folds |\n|---|---|---|")
    for name in folds[0]:
        shares = [fold[name][0] for fold in folds]
        if name not in KINDS:
            print(f"| {name} | {mean(shares):.2%} | {' '.join(f'{s:.2%}' for s in shares)} |")
    print(f"\n| others | AUROC | taken where {ACCEPTED:.0%} of digits are | taken | sure |")
    print("|---|---|---|---|---|")
    for name in KINDS:
        columns = [mean(values) for values in zip(*(f[name] for f in folds), strict=True)]
        new = " (held out)" if name in without else ""
        print(f"| {name}{new} | {columns[0]:.4f} | {' | '.join(f'{c:.1%}' for c in columns[1:])} |")


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("drawings", metavar="DRAWINGS", help="a drawings file with writers")
    add("--keep", metavar="FOLDER", type=Path, help="keep what was trained, or take it from there")
    add("--folds", metavar="N", type=int, nargs="+", default=list(range(FOLDS)), help="of 0 to 4")
    add("--without", metavar="KIND", action="append", default=[], choices=KINDS, help="hold out")
    add("--weight", metavar="X", type=float, help="of others; 0 trains without them")
    add("--epochs", metavar="N", type=int, help="fewer than the recipe's")
    add("--train-only", action="store_true", help="print no table")
    options = parser.parse_args()
    variant = Variant(tuple(options.without), options.weight, options.epochs)
    drawings, _ = read_drawings(options.drawings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {fold: folder / variant.name(fold) for fold in options.folds}
        parts = {f: train_fold(variant, drawings, f, path) for f, path in paths.items()}
        if options.train_only:
            return
        held_out = hold_out(load_mnist()).test
        folds = [judge(read(paths[fold]), own, held_out) for fold, own in parts.items()]
    print_table(folds, variant.without)


if __name__ == "__main__":
    main()
