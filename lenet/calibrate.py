"""Make a checkpoint's probabilities mean what they say, and the command line.

Both numbers that this takes, the temperature and the threshold of a sure answer, are fitted on
digits that a twin of the network, trained with `--hold-out`, has not learnt from: the twin's
checkpoint says which. This file knows nothing of pages or of the training loop.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from lenet.checkpoint import SHIPPED, CheckpointError, read, write
from lenet.data import DataError, Digits, hold_out, load
from lenet.drawings import DrawingsError, load_drawings
from lenet.recognize import predict

SURE = 0.999  # the share of sure answers that are to be right


def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature that makes the cross-entropy of float32 N×10 logits the smallest.

    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017, section 4.2.
    """
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)  # of the logits: 1/temperature
    logits = logits.double()
    optimizer = torch.optim.LBFGS([scale], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(logits * scale, labels)
        value.backward()
        return value

    optimizer.step(loss)
    return 1 / scale.item()


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


def main(arguments: list[str] | None = None) -> int:
    """Calibrate as the command line says; 0, or 1 where something could not be read or written."""
    parser = argparse.ArgumentParser(
        prog="python -m lenet.calibrate",
        description="Fit the temperature and the threshold of a sure answer on digits that a "
        "network trained with --hold-out has not seen, and store them in a checkpoint of a network "
        "trained alike on all digits.",
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
        digits = [hold_out(load(twin.run.settings.data)).test]
        if options.drawings:
            drawn = load_drawings(options.drawings)
            digits.append(Digits(drawn.frames(), drawn.labels))
        target = read(options.into)
        labels = torch.cat([part.labels for part in digits])
        logits = torch.cat([predict(twin.model(), part.frames) for part in digits])
        temperature = fit_temperature(logits, labels)
        probabilities = (logits / temperature).softmax(1)
        best, answers = probabilities.max(1)
        sure_above = pick_threshold(best, answers == labels)
        write(replace(target, temperature=temperature, sure_above=sure_above), options.into)
    except (CheckpointError, DataError, DrawingsError) as error:
        print(error, file=sys.stderr)
        return 1
    sure = best >= sure_above
    print(
        f"Temperature {temperature:.3f}; sure above {sure_above:.1%}, as {sure.double().mean():.2%}"
        f" of {len(labels):,} held-out digits are."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
