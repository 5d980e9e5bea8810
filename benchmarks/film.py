"""What a run's film costs the run, and what ten visitors who watch it and reading test digits add.

`python -m benchmarks.film [--rounds N]` trains recipe fast for an epoch on MNIST as the page does:
in turn without a film, with one, with ten drawings that are read at each of its moments, and with
test digits that are read at its moments. It prints the images a second of each run, the share of
its time that goes into writing the film, and the CPU time of reading. This process does the
reading, as the server does; `benchmarks.while_training` measures the pages' requests.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from lenet.events import Done, Event, Start, latest
from lenet.film import FilmWriter
from lenet.job import prepare
from lenet.server import runs
from lenet.server.growth import Growth
from lenet.server.runs import Run, Runs, work_on
from lenet.settings import Request
from lenet.synthetic import example_strokes
from lenet.trainer import Trainer

WATCHERS = 10
EVERY = 0.5  # seconds between two looks of a page
EXAMPLES = example_strokes()
REQUEST = Request("fast", "mnist", epochs=1)


class TimedFilm(FilmWriter):
    """Notes beside the film how many seconds went into it."""

    seconds = 0.0

    def begin(self, trainer: Trainer) -> None:
        """Begin, timed."""
        self._timed(super().begin, trainer)

    def follow(self, event: Event) -> None:
        """Follow, timed."""
        self._timed(super().follow, event)

    def _timed(self, function: Callable[[Any], None], argument: Any) -> None:
        begin = time.perf_counter()
        function(argument)
        self.seconds += time.perf_counter() - begin
        self.path.with_suffix(".seconds").write_text(str(self.seconds))


class NoFilm(FilmWriter):
    """Writes nothing."""

    def begin(self, trainer: Trainer) -> None:
        """Leave the film unbegun."""


def run_with_film(*arguments: Any) -> None:
    """What a run's process does, timed."""
    runs.FilmWriter = TimedFilm
    work_on(*arguments)


def run_without_film(*arguments: Any) -> None:
    """What a run's process does, without the film."""
    runs.FilmWriter = NoFilm
    work_on(*arguments)


def measure(filmed: bool, watchers: int, grows: bool) -> tuple[float, float, float]:
    """A run's images a second, the film's share of its time, and the CPU seconds of reading."""
    trained = Runs(run_with_film if filmed else run_without_film)
    trained.start(prepare(REQUEST))
    known: list[list[int]] = [[] for _ in range(watchers)]
    growth = Growth(trained)
    begin = time.process_time()
    while (run := trained.current()).alive:
        for digit in range(watchers):
            known[digit] += watch(run, digit, known[digit])
        if grows:
            growth.of(run)
        time.sleep(EVERY)
    reading = time.process_time() - begin
    start, done = latest(run.events, Start), latest(run.events, Done)
    if not (start and done):
        raise SystemExit(run.message)
    noted = run.film.with_suffix(".seconds")
    writing = float(noted.read_text()) if filmed else 0.0
    return start.images / done.elapsed, writing / done.elapsed, reading


def watch(run: Run, digit: int, known: list[int]) -> list[int]:
    """Ask as a page does, until there is no more; the batches of the moments that are new."""
    # Not at the top: a run's process imports this file, too.
    from lenet.ui.train.film_view import moments_of

    found: list[int] = []
    more = True
    while more:
        question = {"strokes": EXAMPLES[digit], "run": run.name, "known": known + found}
        answer = moments_of(run, question)
        if "error" in answer:
            raise SystemExit(answer["error"])
        found += [moment["batches"] for moment in answer["moments"]]
        more = answer["more"]
    return found


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)  # as the server
    kinds = {
        "no film": (False, 0, False),
        "a film": (True, 0, False),
        f"a film, {WATCHERS} watch": (True, WATCHERS, False),
        "a film, test digits read": (True, 0, True),
    }
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LENET_CHECKPOINTS"] = folder
        runs.warm_up()
        measure(True, WATCHERS, True)  # loads what is loaded once
        for number in range(rounds):
            # The order is reversed each time, so that no kind is always the first.
            for name in sorted(kinds, reverse=number % 2 == 1):
                found[name].append(measure(*kinds[name]))
    print("| run | images a second | of the run without | of it writing | s of reading |")
    print("|---|---|---|---|---|")
    without, *_ = zip(*found["no film"], strict=True)
    for name in kinds:
        speeds, writing, reading = zip(*found[name], strict=True)
        ratio = median(b / a for a, b in zip(without, speeds, strict=True))
        print(
            f"| {name} | {median(speeds):,.0f} | {ratio:.3f} | {median(writing):.3%} | "
            f"{median(reading):.2f} |"
        )


if __name__ == "__main__":
    main()
