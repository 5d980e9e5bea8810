"""How well a checkpoint reads: accuracy, confusions and mistakes, and the command line.

`python -m lenet.evaluate --help` shows how to use it. This file knows checkpoints, labelled digits
and what is no digit, nothing of pages or of how a network was trained.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lenet.checkpoint import SHIPPED, Checkpoint, CheckpointError, read
from lenet.data import DataError, Digits, load_mnist
from lenet.drawings import (
    DrawingsError,
    DrawnNumber,
    load_drawings,
    read_numbers,
    read_others,
    to_tensors,
)
from lenet.recognize import Recognitions, Recognizer, interpret, predict

CALIBRATION_BINS = 15
STEP = 1000  # digits that are read between two reports of progress


@dataclass(frozen=True)
class Evaluation(Recognitions):
    """What a network answered about labelled digits, and what follows from it.

    Attributes:
        labels: int64 N, the truth.
    """

    labels: torch.Tensor

    @property
    def answers(self) -> torch.Tensor:
        """int64 N, the digit with the highest probability."""
        return self.probabilities.argmax(1)

    @property
    def right(self) -> torch.Tensor:
        """bool N, whether the answer is the truth."""
        return self.answers == self.labels

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0..1."""
        return _share(self.right)

    @property
    def per_digit(self) -> list[float | None]:
        """The share of right answers among the zeros, the ones …; None where there are none."""
        return [
            _share(self.right[self.labels == digit]) if (self.labels == digit).any() else None
            for digit in range(10)
        ]

    @property
    def confusion(self) -> torch.Tensor:
        """int64 10×10, the confusion matrix: how many digits of a row's label got the column's."""
        return torch.bincount(self.labels * 10 + self.answers, minlength=100).view(10, 10)

    @property
    def mistakes(self) -> torch.Tensor:
        """int64, the indices of the digits read wrong, the surest mistakes first."""
        wrong = (~self.right).nonzero().flatten()
        return wrong[self.probabilities[wrong].amax(1).argsort(descending=True)]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0..1: by how much the highest probability misses the share
        of right answers, over 15 bins of equal width (Guo, Pleiss, Sun, Weinberger, "On calibration
        of modern neural networks", 2017, section 2).
        """
        best = self.probabilities.amax(1)
        bins = (best * CALIBRATION_BINS).ceil().clamp(1, CALIBRATION_BINS)
        error = 0.0
        for number in range(1, CALIBRATION_BINS + 1):
            inside = bins == number
            if inside.any():
                error += abs(float((best - self.right.float())[inside].sum()))
        return error / len(self.labels)

    def summary(self) -> dict[str, Any]:
        """The figures as plain numbers; shares and rates are fractions."""
        return {
            "count": len(self.labels),
            "errors": int((~self.right).sum()),
            "accuracy": self.accuracy,
            "per_digit": self.per_digit,
            "error_rate_per_digit": [None if a is None else 1 - a for a in self.per_digit],
            "calibration_error": self.calibration_error,
            "taken_for_digits": _share(self.is_digit),
            "sure": _share(self.sure),
            "accuracy_when_sure": _share(self.right[self.sure]) if self.sure.any() else None,
        }


def evaluate(
    checkpoint: Checkpoint, digits: Digits, progress: Callable[[int], None] = lambda done: None
) -> Evaluation:
    """Read labelled digits with a checkpoint.

    Args:
        checkpoint: what reads.
        digits: what is read.
        progress: called from time to time with the number of digits that have been read.
    """
    return judge(checkpoint, read_digits(checkpoint, digits, progress), digits.labels)


def read_digits(
    checkpoint: Checkpoint, digits: Digits, progress: Callable[[int], None] = lambda done: None
) -> torch.Tensor:
    """The logits, float32 N×10, of digits as `evaluate` takes them."""
    model = checkpoint.model()
    logits = []
    for frames in digits.frames.split(STEP):
        progress(STEP * len(logits))
        logits.append(predict(model, frames))
    return torch.cat(logits)


def judge(checkpoint: Checkpoint, logits: torch.Tensor, labels: torch.Tensor) -> Evaluation:
    """The evaluation of a network's float32 N×10 logits of digits whose labels are int64 N."""
    return Evaluation(**vars(interpret(checkpoint, logits)), labels=labels)


def summarize_others(others: Recognitions, digits: Recognitions) -> dict[str, Any]:
    """What a network answered about what is no digit, as plain numbers; shares are fractions.

    `auroc` is the area under the ROC curve of `digit_probability` against digits, those of the test
    set on the command line: 1 where each digit has a higher one than each of the others, 0.5 where
    the network knows nothing of others.
    """
    return {
        "count": len(others.is_digit),
        "taken_for_digits": _share(others.is_digit),
        "sure": _share(others.sure),
        "auroc": auroc(digits.digit_probability, others.digit_probability),
    }


def auroc(of_digits: torch.Tensor, of_others: torch.Tensor) -> float:
    """How probable it is that a digit's score is higher than another's, 0..1; a tie is half a win.

    That is the area under the ROC curve (Hanley, McNeil, 1982).
    """
    of_others = of_others.sort().values
    below = torch.searchsorted(of_others, of_digits)
    upto = torch.searchsorted(of_others, of_digits, right=True)
    return (below + upto).double().mean().item() / 2 / len(of_others)


def error_rate_per_writer(
    evaluation: Evaluation, writers: Sequence[str | None]
) -> dict[str, float]:
    """The share of wrong answers, 0..1, about each writer's digits."""
    rates = {}
    for writer in sorted({w for w in writers if w is not None}, key=lambda w: (len(w), w)):
        own = torch.tensor([w == writer for w in writers])
        rates[writer] = 1 - _share(evaluation.right[own])
    return rates


def count_right(checkpoint: Checkpoint, numbers: Sequence[DrawnNumber]) -> int:
    """How many numbers a checkpoint reads right: every digit, and no other."""
    reader = Recognizer(checkpoint)
    read = [reader.recognize_number([s.tolist() for s in n.strokes]).number for n in numbers]
    return sum(found == n.label for found, n in zip(read, numbers, strict=True))


def _share(flags: torch.Tensor) -> float:
    return flags.double().mean().item()


# ---------------------------------------------------------------- the command line


def main(arguments: list[str] | None = None) -> int:
    """Evaluate as the command line says; 0, or 1 where something could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.evaluate",
        description="Read the MNIST test set, drawings and numbers with a checkpoint and print how "
        "many it reads right, and how often it takes what is no digit for one.",
    )
    parser.add_argument("--checkpoint", metavar="FILE", default=SHIPPED, help="default: shipped")
    parser.add_argument(
        "--drawings", metavar="FILE", action="append", default=[], help="a drawings file too"
    )
    parser.add_argument(
        "--numbers", metavar="FILE", action="append", default=[], help="a numbers file too"
    )
    parser.add_argument(
        "--others", metavar="FILE", action="append", default=[], help="an others file too"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave bad lines of files out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        checkpoint = read(options.checkpoint)
        mnist = evaluate(checkpoint, load_mnist().test)
        result = {"mnist": mnist.summary(), "drawings": {}, "numbers": {}, "others": {}}
        for path in options.drawings:
            drawn = load_drawings([path], options.skip_bad)
            evaluation = evaluate(checkpoint, Digits(drawn.frames(), drawn.labels))
            per_writer = error_rate_per_writer(evaluation, drawn.writers)
            result["drawings"][path] = {
                **evaluation.summary(),
                "error_rate_per_writer": per_writer,
                "bad_lines_skipped": drawn.bad_lines,
            }
        for path in options.numbers:
            numbers, bad_lines = read_numbers(path, options.skip_bad)
            right = count_right(checkpoint, numbers)
            result["numbers"][path] = {
                "count": len(numbers),
                "right": right,
                "accuracy": right / len(numbers),
                "bad_lines_skipped": bad_lines,
            }
        model = checkpoint.model()
        for path in options.others:
            others, bad_lines = read_others(path, options.skip_bad)
            logits = predict(model, to_tensors(others).frames())
            result["others"][path] = {
                **summarize_others(interpret(checkpoint, logits), mnist),
                "bad_lines_skipped": bad_lines,
            }
    except (CheckpointError, DataError, DrawingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result, indent=2) if options.json else _table(result))
    return 0


def _table(result: dict[str, Any]) -> str:
    lines = []
    for name, found in [("MNIST test set", result["mnist"]), *result["drawings"].items()]:
        lines += [
            f"{name}: {found['accuracy']:.2%} of {found['count']:,} read right "
            f"({found['errors']} errors)",
            "  error rate by digit   "
            + "  ".join(
                f"{digit}: {rate:.2%}"
                for digit, rate in enumerate(found["error_rate_per_digit"])
                if rate is not None
            ),
            f"  calibration error     {found['calibration_error']:.2%}",
            f"  taken for digits      {found['taken_for_digits']:.2%}",
            f"  sure of               {found['sure']:.2%}"
            + (
                f", {found['accuracy_when_sure']:.2%} of these right"
                if found["accuracy_when_sure"] is not None
                else ""
            ),
        ]
        if found.get("error_rate_per_writer"):
            rates = found["error_rate_per_writer"].items()
            lines.append(
                "  error rate by writer  " + "  ".join(f"{writer}: {r:.1%}" for writer, r in rates)
            )
        lines += _skipped(found)
    for name, found in result["numbers"].items():
        lines += [
            f"{name}: {found['accuracy']:.2%} of {found['count']:,} numbers read right",
            *_skipped(found),
        ]
    for name, found in result["others"].items():
        lines += [
            f"{name}: {found['taken_for_digits']:.2%} of {found['count']:,} others taken for "
            f"digits, {found['sure']:.2%} surely; AUROC {found['auroc']:.4f}",
            *_skipped(found),
        ]
    return "\n".join(lines)


def _skipped(found: dict[str, Any]) -> list[str]:
    bad = found.get("bad_lines_skipped")
    return [f"  bad lines skipped     {bad}"] if bad else []


if __name__ == "__main__":
    sys.exit(main())
