"""What the film of a run costs the run, and what ten who watch it add.

`python -m benchmarks.film [--rounds N]` trains recipe fast for an epoch on MNIST as the page does:
without a film, with one, and with ten drawings that are read again at each of its moments, in turn.
It prints the images a second of each and their ratios. The drawings are read in this process, as
the server reads them in its own; the web's part of watching is in `benchmarks.while_training`.
"""

import argparse
import asyncio
import os
import tempfile
import time
from statistics import median
from typing import Any

import torch

from lenet import runs
from lenet.film import FilmWriter
from lenet.settings import Request
from lenet.synthetic import example_strokes

WATCHERS = 10
EVERY = 0.5  # seconds between two looks of a page
REQUEST = Request("fast", "mnist", epochs=1)

_run = runs._run


class NoFilm(FilmWriter):
    """Writes nothing."""

    def begin(self, trainer: Any) -> None:
        """Leave the film unbegun."""


def run_without_film(*arguments: Any) -> None:
    """What a run's process does, but for the film."""
    runs.FilmWriter = NoFilm
    _run(*arguments)


def speed(filmed: bool, watchers: int) -> float:
    """The images a second of a run."""
    runs._run = _run if filmed else run_without_film
    runs.start(REQUEST)
    known: list[list[int]] = [[] for _ in range(watchers)]
    while (run := runs.current()).alive:
        for digit in range(watchers):
            known[digit] += watch(run.name, digit, known[digit])
        time.sleep(EVERY)
    if run.state != "finished":
        raise SystemExit(run.message)
    time.sleep(1)  # the next run is named by its second
    return run.events[0]["images"] / run.events[-1]["elapsed"]


def watch(name: str, digit: int, known: list[int]) -> list[int]:
    """Ask as a page does, until there is no more; the batches of the moments that are new."""
    from lenet.ui.film import read_moments  # not at the top: a run's process imports this file too

    found: list[int] = []
    more = True
    while more:
        question = {"strokes": example_strokes()[digit], "run": name, "known": known + found}
        answer = asyncio.run(read_moments(question))
        found += [moment["batches"] for moment in answer["moments"]]
        more = answer["more"]
    return found


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)  # as the server
    kinds = {
        "no film": (False, 0),
        "a film": (True, 0),
        f"a film, {WATCHERS} watch": (True, WATCHERS),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LENET_CHECKPOINTS"] = folder
        runs.warm_up()
        speed(True, 0)  # loads what is loaded once
        for number in range(rounds):
            # The order turns round, so that no kind is always the first.
            for name in sorted(kinds, reverse=number % 2 == 1):
                found[name].append(speed(*kinds[name]))
    print("| run | images a second | of the run without |")
    print("|---|---|---|")
    for name in kinds:
        ratio = median(b / a for a, b in zip(found["no film"], found[name], strict=True))
        print(f"| {name} | {median(found[name]):,.0f} | {ratio:.3f} |")


if __name__ == "__main__":
    main()
