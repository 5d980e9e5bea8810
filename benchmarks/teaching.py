"""What teaching a network somebody's hand gains, for people that it never saw, and what it forgets.

`python -m benchmarks.teaching DRAWINGS [--keep FOLDER] [--each N] [--wrong SHARE]` takes the five
networks of `benchmarks.handwriting`, each trained without a fifth of the writers, teaches a copy of
one N drawings of each digit of such a writer, and reads the rest of the writer's digits and the
held-out images of MNIST before and after: how many are misread, and how many taken for no digit.
`--wrong` mislabels a share of what is taught. `--odd` teaches the first of the networks ten
drawings of one odd digit instead, and reads more of these. Some seconds a writer. The test set is
not looked at.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch

from benchmarks.handwriting import FOLDS, train_fold
from lenet.augment import vary_strokes
from lenet.calibrate import answers, calibrate
from lenet.checkpoint import Checkpoint
from lenet.data import DataSet, Digits, hold_out, load_mnist
from lenet.drawings import Drawing, Drawn, read_drawings, to_tensors
from lenet.evaluate import evaluate
from lenet.job import settle
from lenet.settings import Request
from lenet.teach import read_right, teach

HARDEST = 6  # people for whom the sums are printed, too

# Digits that are always misread, as strokes in a square of 1.
ODD = {
    "a 7 as in a mirror": (7, [[(1.0, 0.0), (0.0, 0.0), (0.4, 1.0)]]),
    "a 1 as a roof": (1, [[(0.0, 1.0), (0.5, 0.0), (1.0, 1.0)]]),
    "a 0 with two bars": (
        0,
        [
            [(0.5 + 0.4 * np.cos(a), 0.5 + 0.5 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 17)],
            [(0.0, 0.4), (1.0, 0.3)],
            [(0.0, 0.7), (1.0, 0.6)],
        ],
    ),
    "a 4 as a plus": (4, [[(0.5, 0.0), (0.5, 1.0)], [(0.0, 0.5), (1.0, 0.5)]]),
}
ODD_TAUGHT, ODD_READ = 10, 200


@dataclass(frozen=True)
class Person:
    """What teaching one writer's drawings changed, each before and after: how many of the rest are
    misread and how many taken for no digit, and the accuracy on MNIST.
    """

    writer: str
    rest: int
    misread: tuple[int, int]
    refused: tuple[int, int]
    mnist: tuple[float, float]


def calibrated_fold(
    drawings: list[Drawing], fold: int, folder: Path, data: DataSet
) -> tuple[Checkpoint, list[Drawing]]:
    """As `train_fold`, with the network calibrated, so that it knows what is no digit."""
    checkpoint, held_out = train_fold(drawings, fold, folder)
    answered = answers(checkpoint, data.test, to_tensors(held_out))
    return calibrate(checkpoint, *answered), held_out


def choose(
    drawings: Sequence[Drawing], each: int, wrong: float, random: np.random.Generator
) -> tuple[list[Drawing], list[Drawing]]:
    """A writer's drawings to teach, `each` of a digit and some with a wrong label, and the rest."""
    own = defaultdict(list)
    for place in random.permutation(len(drawings)):
        own[drawings[place].label].append(drawings[place])
    taught = [drawing for some in own.values() for drawing in some[:each]]
    rest = [drawing for some in own.values() for drawing in some[each:]]
    for place in random.permutation(len(taught))[: round(wrong * len(taught))]:
        label = (taught[place].label + random.integers(1, 10)) % 10
        taught[place] = replace(taught[place], label=int(label))
    return taught, rest


def measure(
    checkpoint: Checkpoint,
    data: DataSet,
    before: float,
    writer: str,
    taught: list[Drawing],
    rest: list[Drawing],
) -> Person:
    """Teach a copy of a network and read what is left."""
    settings = settle(Request("hand", drawings=("of this writer",)))
    after = teach(settings, checkpoint, data, to_tensors(taught))
    assert after
    drawn = to_tensors(rest)
    first, last = (evaluate(c, Digits(drawn.frames(), drawn.labels)) for c in (checkpoint, after))
    return Person(
        writer,
        len(rest),
        (int((~first.right).sum()), int((~last.right).sum())),
        (int((~first.is_digit).sum()), int((~last.is_digit).sum())),
        (before, evaluate(after, data.test).accuracy),
    )


def odd_drawings(label: int, strokes: Sequence[Sequence[tuple[float, float]]], seed: int) -> Drawn:
    """More drawings of an odd digit, as a hand would vary them."""
    drawn = to_tensors([Drawing(label, [np.array(stroke) for stroke in strokes])] * ODD_READ)
    segments, _ = vary_strokes(drawn.segments, torch.Generator().manual_seed(seed))
    return replace(drawn, segments=segments)


def measure_odd(checkpoint: Checkpoint, data: DataSet) -> None:
    """Teach a network one odd digit after the other, and print what it reads then."""
    settings = settle(Request("hand", drawings=("of one digit",)))
    print("| taught | read before, after | other digits of MNIST held out before, after |")
    print("|---|---|---|")
    for name, (label, strokes) in ODD.items():
        taught = odd_drawings(label, strokes, seed=0).part(list(range(ODD_TAUGHT)))
        after = teach(settings, checkpoint, data, taught)
        assert after
        more = odd_drawings(label, strokes, seed=1)
        others = data.test.labels != label
        rest = Digits(data.test.frames[others], data.test.labels[others])
        read = [read_right(c, more).double().mean().item() for c in (checkpoint, after)]
        kept = [evaluate(c, rest).accuracy for c in (checkpoint, after)]
        print(f"| {name} | {read[0]:.1%}, {read[1]:.1%} | {kept[0]:.2%}, {kept[1]:.2%} |")


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("drawings", metavar="DRAWINGS", help="a drawings file with writers")
    parser.add_argument(
        "--keep", metavar="FOLDER", type=Path, help="keep what was trained, or take it from there"
    )
    parser.add_argument("--each", type=int, default=5, metavar="N", help="of each digit (5)")
    parser.add_argument("--wrong", type=float, default=0.0, metavar="SHARE", help="mislabelled")
    parser.add_argument("--odd", action="store_true", help="one odd digit instead")
    options = parser.parse_args()
    drawings, _ = read_drawings(options.drawings)
    data = hold_out(load_mnist())
    people = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.odd:
            measure_odd(calibrated_fold(drawings, 0, folder, data)[0], data)
            return
        print("| writer | rest | misread before, after | taken for none | MNIST held out |")
        print("|---|---|---|---|---|")
        for fold in range(FOLDS):
            checkpoint, held_out = calibrated_fold(drawings, fold, folder, data)
            before = evaluate(checkpoint, data.test).accuracy
            for writer in dict.fromkeys(drawing.writer for drawing in held_out):
                own = [drawing for drawing in held_out if drawing.writer == writer]
                random = np.random.default_rng(int(writer or 0))
                taught, rest = choose(own, options.each, options.wrong, random)
                person = measure(checkpoint, data, before, writer or "", taught, rest)
                people.append(person)
                first, last = person.mnist
                print(
                    f"| {writer} | {person.rest} | {person.misread[0]}, {person.misread[1]} "
                    f"| {person.refused[0]}, {person.refused[1]} | {first:.2%}, {last:.2%} |",
                    flush=True,
                )
    hardest = sorted(people, key=lambda p: -p.misread[0])[:HARDEST]
    for name, some in ((f"all {len(people)}", people), (f"the {HARDEST} hardest", hardest)):
        before, after = (sum(p.misread[i] for p in some) for i in (0, 1))
        refused = [sum(p.refused[i] for p in some) for i in (0, 1)]
        lost = [p.mnist[0] - p.mnist[1] for p in some]
        print(
            f"{name}: {before} misread digits become {after} ({after / before:.2f}), {refused[0]} "
            f"that are taken for none become {refused[1]}; MNIST loses {100 * mean(lost):.2f} "
            f"points, at most {100 * max(lost):.2f}"
        )


if __name__ == "__main__":
    main()
