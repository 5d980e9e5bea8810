"""What teaching a network somebody's hand gains, for people that it never saw, and what it forgets.

`python -m benchmarks.teaching DRAWINGS [--keep FOLDER] [--each N] [--choices N] [--wrong SHARE]`
takes the five networks of `benchmarks.handwriting`, each trained without a fifth of the writers,
teaches a copy of one N drawings of each digit of such a writer, and reads the rest of the writer's
digits and the held-out images of MNIST before and after: how many are misread, and how many taken
for no digit; and new others, to see how well it still tells them from digits. `--choices` teaches
each writer several times, another choice of their drawings each time; `--wrong` mislabels a share
of what is taught. `--odd` teaches the first of the networks ten drawings of one odd digit instead,
and reads more of these. Some seconds a teaching. The test set is not looked at.
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
from benchmarks.others import ACCEPTED, accepted
from lenet.augment import vary_strokes
from lenet.calibrate import OTHERS, answers, calibrate
from lenet.checkpoint import Checkpoint
from lenet.data import DataSet, Digits, hold_out, load_mnist
from lenet.drawings import Drawing, Drawn, read_drawings, to_tensors
from lenet.evaluate import evaluate, summarize_others
from lenet.job import settle
from lenet.others import other_segments
from lenet.preprocess import rasterize
from lenet.recognize import interpret, predict
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
class Known:
    """What a network knows of MNIST's held-out images and of others: its accuracy and calibration
    error, 0..1; the area under the ROC curve, and the share of others accepted where `ACCEPTED` of
    the digits are; the share of others that are surely read.
    """

    accuracy: float
    calibration_error: float
    auroc: float
    accepted: float
    sure: float


@dataclass(frozen=True)
class Person:
    """What teaching one writer's drawings changed, each before and after: how many of the rest are
    misread and how many taken for no digit, and what else the network knows.
    """

    writer: str
    rest: int
    misread: tuple[int, int]
    refused: tuple[int, int]
    known: tuple[Known, Known]


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


def know(checkpoint: Checkpoint, digits: Digits, others: torch.Tensor) -> Known:
    """What a network knows of digits and of frames of others."""
    read = evaluate(checkpoint, digits)
    found = interpret(checkpoint, predict(checkpoint.model(), others))
    summary = summarize_others(found, read)
    return Known(
        read.accuracy,
        read.calibration_error,
        summary["auroc"],
        accepted(found, read),
        summary["sure"],
    )


def measure(
    checkpoint: Checkpoint,
    data: DataSet,
    others: torch.Tensor,
    before: Known,
    writer: str,
    taught: list[Drawing],
    rest: list[Drawing],
) -> Person:
    """Teach a copy of a network, and read what is left, MNIST's held-out images and others."""
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
        (before, know(after, data.test, others)),
    )


def print_sums(name: str, people: Sequence[Person]) -> None:
    """Print in a sentence what teaching them has gained and lost."""
    before, after = (sum(p.misread[i] for p in people) for i in (0, 1))
    refused = [sum(p.refused[i] for p in people) for i in (0, 1)]
    lost = [p.known[0].accuracy - p.known[1].accuracy for p in people]
    print(
        f"{name}: {before} misread digits become {after} ({after / before:.2f}), {refused[0]} that "
        f"are taken for none become {refused[1]}; MNIST loses {100 * mean(lost):.2f} points, at "
        f"most {100 * max(lost):.2f}"
    )


def print_known(people: Sequence[Person]) -> None:
    """Print what the networks know before and after, in the mean, and for whom it is worst."""
    print(f"\n| MNIST held out, and {OTHERS} new others | before | after | worst |")
    print("|---|---|---|---|")
    for name, field, worst in (
        ("calibration error", "calibration_error", max),
        ("AUROC of others", "auroc", min),
        (f"others accepted where {ACCEPTED:.0%} of the digits are", "accepted", max),
        ("others surely read", "sure", max),
    ):
        before, after = ([getattr(p.known[i], field) for p in people] for i in (0, 1))
        figures = mean(before), mean(after), worst(after)
        show = "{:.4f}" if field == "auroc" else "{:.2%}"
        print(f"| {name} | {' | '.join(show.format(figure) for figure in figures)} |")


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
    parser.add_argument("--choices", type=int, default=1, metavar="N", help="of each writer's (1)")
    parser.add_argument("--wrong", type=float, default=0.0, metavar="SHARE", help="mislabelled")
    parser.add_argument("--odd", action="store_true", help="one odd digit instead")
    options = parser.parse_args()
    drawings, _ = read_drawings(options.drawings)
    data = hold_out(load_mnist())
    people = defaultdict(list)
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
            # Of the held-out writers' digits, and not those that it was calibrated with.
            generator = torch.Generator().manual_seed(1)
            segments = to_tensors(held_out).segments
            others = rasterize(*other_segments(OTHERS, generator, segments))
            before = know(checkpoint, data.test, others)
            for writer in dict.fromkeys(drawing.writer for drawing in held_out):
                own = [drawing for drawing in held_out if drawing.writer == writer]
                for choice in range(options.choices):
                    random = np.random.default_rng(int(writer or 0) + 1000 * choice)
                    taught, rest = choose(own, options.each, options.wrong, random)
                    person = measure(checkpoint, data, others, before, writer or "", taught, rest)
                    people[writer].append(person)
                    first, last = (known.accuracy for known in person.known)
                    print(
                        f"| {writer} | {person.rest} | {person.misread[0]}, {person.misread[1]} "
                        f"| {person.refused[0]}, {person.refused[1]} | {first:.2%}, {last:.2%} |",
                        flush=True,
                    )
    by_misread = sorted(people.values(), key=lambda own: -sum(p.misread[0] for p in own))
    everybody = [person for own in by_misread for person in own]
    print_sums(f"all {len(people)}", everybody)
    print_sums(f"the {HARDEST} hardest", everybody[: HARDEST * options.choices])
    print_known(everybody)


if __name__ == "__main__":
    main()
