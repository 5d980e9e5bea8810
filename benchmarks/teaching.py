"""What teaching a network somebody's hand gains: people that it never saw, and what it forgets.

`python -m benchmarks.teaching DRAWINGS [--keep FOLDER] [--each N] [--wrong SHARE] [--only]` takes
the five networks of `benchmarks.handwriting`, each trained without a fifth of the writers, teaches
each of these writers' own copy N drawings of each digit, and reads the rest of the writer's digits
and the held-out images of MNIST before and after. `--wrong` mislabels a share of what is taught;
`--only` teaches ten drawings of the one digit that a writer's network misreads most. Some seconds a
writer. The test set is not looked at.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks.handwriting import FOLDS, train_fold
from lenet.checkpoint import Checkpoint
from lenet.data import DataSet, hold_out, load_mnist
from lenet.drawings import Drawing, read_drawings, to_tensors
from lenet.evaluate import evaluate
from lenet.job import settle
from lenet.settings import Request
from lenet.teach import read_right, teach

HARDEST = 6  # people that the sums are given for besides


@dataclass(frozen=True)
class Person:
    """What teaching one writer's drawings changed: errors of the rest, and accuracy on MNIST."""

    writer: str
    rest: int
    errors: tuple[int, int]
    mnist: tuple[float, float]


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
    judged = to_tensors(rest)
    errors = [len(rest) - int(read_right(c, judged).sum()) for c in (checkpoint, after)]
    accuracy = evaluate(after, data.test).accuracy
    return Person(writer, len(rest), (errors[0], errors[1]), (before, accuracy))


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("drawings", metavar="DRAWINGS", help="a drawings file with writers")
    parser.add_argument(
        "--keep", metavar="FOLDER", type=Path, help="keep what was trained, or take it from there"
    )
    parser.add_argument("--each", type=int, default=5, metavar="N", help="of each digit (5)")
    parser.add_argument("--wrong", type=float, default=0.0, metavar="SHARE", help="mislabelled")
    options = parser.parse_args()
    drawings, _ = read_drawings(options.drawings)
    data = hold_out(load_mnist())
    people = []
    print(
        "| writer | rest | errors before, after | MNIST held out before, after |\n|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for fold in range(FOLDS):
            checkpoint, held_out = train_fold(drawings, fold, folder)
            before = evaluate(checkpoint, data.test).accuracy
            for writer in dict.fromkeys(drawing.writer for drawing in held_out):
                own = [drawing for drawing in held_out if drawing.writer == writer]
                random = np.random.default_rng(int(writer or 0))
                taught, rest = choose(own, options.each, options.wrong, random)
                person = measure(checkpoint, data, before, writer or "", taught, rest)
                people.append(person)
                first, last = person.mnist
                print(
                    f"| {writer} | {person.rest} | {person.errors[0]}, {person.errors[1]} "
                    f"| {first:.2%}, {last:.2%} |",
                    flush=True,
                )
    hardest = sorted(people, key=lambda p: -p.errors[0])[:HARDEST]
    for name, some in ((f"all {len(people)}", people), (f"the {HARDEST} hardest", hardest)):
        before, after = (sum(p.errors[i] for p in some) for i in (0, 1))
        lost = [p.mnist[0] - p.mnist[1] for p in some]
        print(
            f"{name}: {before} errors become {after} ({after / before:.2f}); MNIST loses "
            f"{100 * mean(lost):.2f} points, at most {100 * max(lost):.2f}"
        )


if __name__ == "__main__":
    main()
