"""How the accuracy of a run grows between two epochs: its film's snapshots read test digits.

The run itself does nothing for this. As soon as somebody watches it, a thread of the server reads
at the lowest priority, and in so little of the time that the run keeps 99 % of its speed; what is
left is read when the run has ended. This file knows nothing of pages.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from os import PRIO_PROCESS, setpriority
from typing import NamedTuple

import torch
from torch.func import functional_call

from lenet.data import DataError, DataSet, Digits, hold_out
from lenet.events import Start, latest
from lenet.film import Snapshot, film_length, read_film
from lenet.model import LeNet
from lenet.preprocess import frames_to_inputs
from lenet.recognize import share_right
from lenet.server.data_sets import data_set
from lenet.server.runs import Run, Runs

DIGITS = 1000  # of the test set that are read: every tenth
AT_ONCE = 250  # what fits the cache: a thousand at once take twice the time
PAUSE = 0.5  # seconds between two looks for a snapshot
SHARE = 0.02  # of one core's time, while the run goes


class Reading(NamedTuple):
    """The share of the digits, 0..1, that a network reads right after a number of batches."""

    batches: int
    accuracy: float


class Growth:
    """The readings of the latest run; any thread may call.

    Args:
        runs: the server's.
        digits: gives a data set by its name.
    """

    def __init__(self, runs: Runs, digits: Callable[[str], DataSet] = data_set) -> None:
        self._runs, self._digits = runs, digits
        self._lock = threading.Lock()
        self._name: str | None = None  # of the run that was read
        self._lost: str | None = None  # the run whose digits are gone
        self._found: dict[int, Reading] = {}  # by their batches
        self._reader: threading.Thread | None = None

    def of(self, run: Run) -> list[Reading]:
        """What has been read of the latest run, from its beginning; the rest begins to be read."""
        with self._lock:
            if run.name != self._name:
                self._name, self._found = run.name, {}
            unread = run.name != self._lost and len(self._found) < film_length(run.film)
            if self._reader is None and unread:
                self._reader = threading.Thread(
                    target=self._read, args=(run.name,), daemon=True, name="growth"
                )
                self._reader.start()
            return sorted(self._found.values())

    def count(self, run: Run) -> int:
        """How many readings of a run there are; none begins."""
        return len(self._found) if run.name == self._name else 0

    def _read(self, name: str | None) -> None:
        """Read a run's snapshots one after the other until it has ended and all are read, or
        another one has come.
        """
        tested = None
        try:
            while (run := self._runs.current()).name == name == self._name:
                start, snapshot = latest(run.events, Start), self._next(run)
                if snapshot is None or start is None:
                    if not run.alive:
                        return
                    time.sleep(PAUSE)
                    continue
                if tested is None:
                    tested = _tested(self._digits(start.data), start.hold_out)
                    # Not before: others wait while a data set is loaded.
                    _give_way()
                begun = time.thread_time()
                accuracy = _accuracy(snapshot, *tested)
                with self._lock:
                    if name == self._name:
                        self._found[snapshot.batches] = Reading(snapshot.batches, accuracy)
                if run.alive:
                    time.sleep((time.thread_time() - begun) / SHARE)
        except DataError:  # they are gone since the run loaded them
            self._lost = name
        finally:
            with self._lock:
                self._reader = None

    def _next(self, run: Run) -> Snapshot | None:
        """The latest snapshot that has not been read: the line keeps up with the run, and its gaps
        are filled later.
        """
        film = read_film(run.film) if len(self._found) < film_length(run.film) else []
        return next((s for s in reversed(film) if s.batches not in self._found), None)


@cache
def growth_of(runs: Runs) -> Growth:
    """The readings of a server, by its runs: always the same object."""
    return Growth(runs)


def _give_way() -> None:
    """Let every other thread of the machine go first, from here on."""
    if sys.platform == "linux":  # where a thread has a priority of its own
        with suppress(OSError):
            setpriority(PRIO_PROCESS, threading.get_native_id(), 19)


def _tested(data: DataSet, held_out: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """What is read of a data set, float32 N×1×32×32 inputs, and its labels."""
    test = (hold_out(data) if held_out else data).test
    every = max(1, len(test) // DIGITS)
    digits = Digits(test.frames[::every], test.labels[::every])
    return frames_to_inputs(digits.frames), digits.labels


_LENET = LeNet()  # whose weights do not matter: those of a snapshot take their place


@torch.inference_mode()
def _accuracy(snapshot: Snapshot, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    state = snapshot.state()
    parts = [functional_call(_LENET, state, part) for part in inputs.split(AT_ONCE)]
    return share_right(torch.cat(parts), labels)
