"""Make a checkpoint's probabilities mean what they say, and the command line.

All of it is fitted on digits that a twin of the network, trained with `--hold-out`, has not learnt
from: the twin's checkpoint says which. What is no digit is drawn for this, partly from such digits.
This file knows nothing of pages or of the training loop.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from lenet.checkpoint import SHIPPED, Checkpoint, CheckpointError, read, write
from lenet.data import DataError, Digits, hold_out, load
from lenet.drawings import DrawingsError, Drawn, load_drawings
from lenet.others import other_segments
from lenet.preprocess import rasterize
from lenet.recognize import Recognitions, evidence, interpret, predict

SURE = 0.999  # the share of sure answers that are to be right
SURE_DIGITS = 0.95  # the share of digits, the clearest ones, whose answers can be sure
OTHERS = 10_000  # drawings that are no digits, to fit with
OTHERS_SHARE = 0.1  # of the drawings that visitors bring, as is assumed


def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature that makes the cross-entropy of float32 N×10 logits the smallest.

    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017, section 4.2.
    """
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)  # of the logits: 1/temperature
    logits = logits.double()
    _minimize(lambda: F.cross_entropy(logits * scale, labels), scale)
    return 1 / scale.item()


def fit_digit_probability(
    of_digits: torch.Tensor, of_others: torch.Tensor, share: float = OTHERS_SHARE
) -> tuple[float, float]:
    """The slope and the offset of the logistic function that makes evidence a probability.

    Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods", 1999, section 2.

    Args:
        of_digits: float N, their evidence (`lenet.recognize`).
        of_others: float M, those of what is no digit.
        share: of others among all drawings, 0..1, which these M are weighted to.
    """
    digits, others = len(of_digits), len(of_others)
    x = torch.cat([of_digits, of_others]).double()
    target = (torch.arange(len(x)) < digits).double()
    weight = torch.where(target > 0, (1 - share) / digits, share / others)
    line = torch.zeros(2, dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        score = line[0] * x + line[1]
        return F.binary_cross_entropy_with_logits(score, target, weight, reduction="sum")

    _minimize(loss, line)
    slope, offset = line.tolist()
    return slope, offset


def _minimize(loss: Callable[[], torch.Tensor], parameter: torch.Tensor) -> None:
    """Move a parameter to where a smooth loss is the smallest."""
    optimizer = torch.optim.LBFGS([parameter], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(step)


def pick_threshold(best: torch.Tensor, right: torch.Tensor, share: float = SURE) -> float:
    """The smallest highest probability above which at least `share` of the answers are right.

    Args:
        best: float N, the highest probability of each answer.
        right: bool N, whether the answer is right.

    Returns:
        The threshold, 0..1; 1 where even the surest answers are wrong too often.
    """
    best, order = best.sort(descending=True)
    right_so_far = right[order].cumsum(0) / torch.arange(1, len(best) + 1)
    enough = (right_so_far >= share).nonzero()
    return best[enough[-1]].item() if len(enough) else 1.0


def answers(
    twin: Checkpoint, digits: Digits, drawn: Drawn
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What a network answers about digits and drawings that it has not learnt from, and about
    others with such drawings in them: logits, labels and others as `calibrate` takes them.
    """
    model = twin.model()
    logits = predict(model, torch.cat([digits.frames, drawn.frames()]))
    others = other_segments(OTHERS, torch.Generator().manual_seed(0), drawn.segments)
    labels = torch.cat([digits.labels, drawn.labels])
    return logits, labels, predict(model, rasterize(*others))


def calibrate(
    checkpoint: Checkpoint, logits: torch.Tensor, labels: torch.Tensor, others: torch.Tensor
) -> Checkpoint:
    """The checkpoint with a new calibration.

    A drawing counts as a digit where that is more probable than not. Since visitors mostly draw
    digits (`OTHERS_SHARE`), this refuses few digits and lets more of the others pass. Only the
    clearest 95 % of digits can be answered surely: that costs a hundredth of the sure answers, and
    halves those about letters of a kind that the network was never shown.

    Args:
        logits: float32 N×10, the network's about digits that it has not learnt from.
        labels: int64 N, these digits.
        others: float32 M×10, the network's about what is no digit.
    """
    slope, offset = fit_digit_probability(evidence(logits), evidence(others))
    fitted = replace(
        checkpoint,
        temperature=fit_temperature(logits, labels),
        sure_above=0.0,
        digit_slope=slope,
        digit_offset=offset,
        sure_digit_above=0.0,
    )
    found = interpret(fitted, logits)
    sure_digit_above = found.digit_probability.quantile(1 - SURE_DIGITS).item()
    clear = found.digit_probability >= sure_digit_above
    best, answers = found.probabilities[clear].max(1)
    sure_above = pick_threshold(best, answers == labels[clear])
    return replace(fitted, sure_above=sure_above, sure_digit_above=sure_digit_above)


def main(arguments: list[str] | None = None) -> int:
    """Calibrate as the command line says; 0, or 1 where something could not be read or written."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.calibrate",
        description="Fit the temperature, how probable it is that a drawing is a digit at all, and "
        "what a sure answer is, on digits that a network trained with --hold-out has not seen, and "
        "store them in a checkpoint of a network trained alike on all digits.",
    )
    parser.add_argument("twin", metavar="TWIN", help="the checkpoint trained with --hold-out")
    parser.add_argument(
        "--drawings",
        metavar="FILE",
        action="append",
        default=[],
        help="drawings that the twin has not seen",
    )
    parser.add_argument(
        "--into", metavar="CHECKPOINT", default=SHIPPED, help="where to store them (shipped)"
    )
    options = parser.parse_args(arguments)
    try:
        twin = read(options.twin)
        if not (twin.run and twin.run.settings.hold_out):
            raise CheckpointError(
                f"{Path(options.twin).name} was not trained with --hold-out: it has learnt from "
                "the digits that it would be judged by."
            )
        held_out = hold_out(load(twin.run.settings.data)).test
        drawn = load_drawings(options.drawings)
        target = read(options.into)
        logits, labels, others = answers(twin, held_out, drawn)
        calibrated = calibrate(target, logits, labels, others)
        write(calibrated, options.into)
    except (CheckpointError, DataError, DrawingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(_report(calibrated, interpret(calibrated, logits), interpret(calibrated, others)))
    return 0


def _report(checkpoint: Checkpoint, digits: Recognitions, others: Recognitions) -> str:
    shares = [
        f"{found.is_digit.double().mean():.2%} of {len(found.is_digit):,} {name} are taken for "
        f"digits, {found.sure.double().mean():.2%} surely"
        for name, found in (("held-out digits", digits), ("others", others))
    ]
    return (
        f"Temperature {checkpoint.temperature:.3f}; a digit where the evidence is above "
        f"{-checkpoint.digit_offset / checkpoint.digit_slope:.2f}, slope "
        f"{checkpoint.digit_slope:.2f}; sure above {checkpoint.sure_above:.1%}, and "
        f"{checkpoint.sure_digit_above:.3%} for a digit.\n{'; '.join(shares)}."
    )


if __name__ == "__main__":
    sys.exit(main())
