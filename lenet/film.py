"""The film of a training run: the weights to read digits with, at some sixty moments of it.

A film lies beside the log of its run, in records of one size, and is written as the run goes, so
that the network of each moment can be looked at again. Only the latest run's film is kept. This
file knows nothing of pages.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lenet.events import Batch, Done, Event, Stopped
from lenet.model import SHAPES
from lenet.trainer import LOG_EVERY, Trainer

SUFFIX = ".film"
LENGTH = 60  # snapshots of a whole run, besides its first

_RECORD = np.dtype(
    [
        ("batches", "<u4"),
        ("end", "<u4"),
        ("weights", "<f2", sum(shape.numel() for shape in SHAPES.values())),
    ]
)


@dataclass(frozen=True)
class Snapshot:
    """A network at one moment of its run.

    Attributes:
        batches: batches done since the very beginning.
        end: the batches that the run will have done at its end.
        weights: float16 61,706, all parameters in LeNet's order.
    """

    batches: int
    end: int
    weights: np.ndarray

    def state(self) -> dict[str, torch.Tensor]:
        """LeNet's state dict, float32."""
        weights = torch.from_numpy(self.weights.astype(np.float32))
        parts = weights.split([shape.numel() for shape in SHAPES.values()])
        return {
            name: part.view(shape)
            for (name, shape), part in zip(SHAPES.items(), parts, strict=True)
        }


def read_film(path: Path) -> list[Snapshot]:
    """All whole snapshots of a film, the first of the run first; none where there is no film."""
    try:
        records = np.fromfile(path, _RECORD)  # half a record at the end is left out
    except OSError:
        return []
    return [Snapshot(int(r["batches"]), int(r["end"]), r["weights"]) for r in records]


def film_length(path: Path) -> int:
    """The number of snapshots of a film, without reading them; 0 where there is no film."""
    try:
        return path.stat().st_size // _RECORD.itemsize
    except OSError:
        return 0


def planned_length(first: int, end: int, epoch: int = LOG_EVERY) -> int:
    """About how many snapshots a film has at its end.

    Args:
        first: the batches of its first snapshot.
        end: those of its last one.
        epoch: those that an epoch has; where they are few, each epoch's end may be a snapshot.
    """
    every = min(epoch, LOG_EVERY)
    return 1 + len({_place(first, n, end) for n in [*range(first + every, end, every), end]})


def _place(first: int, batches: int, end: int) -> int:
    """How far a film has come, 0..LENGTH: fast at first, when a network changes most."""
    return int(LENGTH * math.sqrt((batches - first) / max(end - first, 1)))


class FilmWriter:
    """Writes the film of a run while it goes. Where it cannot, the film ends, and never the run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._trainer: Trainer | None = None
        self._first = self._last = 0  # batches of the first and of the last snapshot

    def begin(self, trainer: Trainer) -> None:
        """Take the first snapshot of a run that begins, or go on with the film of a resumed one.

        What a killed run had filmed after the checkpoint that it is resumed from happens once more.
        The films of other runs are removed.
        """
        self._trainer = trainer
        try:
            for other in self.path.parent.glob(f"*{SUFFIX}"):
                if other != self.path:
                    other.unlink(missing_ok=True)
            film = read_film(self.path) if trainer.progress.step else []
            kept = [snapshot for snapshot in film if snapshot.batches <= trainer.progress.step]
            with self.path.open("ab") as file:
                file.truncate(len(kept) * _RECORD.itemsize)
        except OSError:
            self._trainer = None
            return
        self._first = kept[0].batches if kept else trainer.progress.step
        self._last = kept[-1].batches if kept else -1
        self._take(trainer)

    def follow(self, event: Event) -> None:
        """Take a snapshot where one is due: of the run as it is at one of its events."""
        if self._trainer is None:
            return
        end = self._trainer.progress.schedule.end
        places = [_place(self._first, n, end) for n in (self._last, self._trainer.progress.step)]
        due = isinstance(event, Batch) and places[0] < places[1]
        if due or isinstance(event, Done | Stopped):
            self._take(self._trainer)

    def _take(self, trainer: Trainer) -> None:
        if trainer.progress.step == self._last:
            return
        weights = torch.cat([p.detach().flatten() for p in trainer.model.parameters()])
        weights = weights.half().cpu().numpy()
        if not np.isfinite(weights).all():  # finite float16 weights always give finite logits
            return
        record = np.array((trainer.progress.step, trainer.progress.schedule.end, weights), _RECORD)
        try:
            with self.path.open("ab") as file:
                file.write(record.tobytes())
        except OSError:
            self._trainer = None
            return
        self._last = trainer.progress.step
