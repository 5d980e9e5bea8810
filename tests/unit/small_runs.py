"""Training runs small enough for a unit test."""

from collections.abc import Callable
from pathlib import Path

import torch

from lenet.checkpoint import Checkpoint
from lenet.data import DataSet
from lenet.distributed import Team
from lenet.drawings import Drawing, write_drawings
from lenet.events import Event, Saved
from lenet.job import Job, settle
from lenet.settings import Request
from lenet.synthetic import example_strokes
from lenet.train import drawings_of
from lenet.trainer import Trainer


def run(
    trainer: Trainer, stop_after: int | None = None, save: Callable[[], None] = lambda: None
) -> list[Event]:
    """Train until the step `stop_after`, or to the end."""

    def saved() -> Saved:
        save()
        return Saved(elapsed=trainer.progress.elapsed, path="")

    return list(trainer.events(lambda: trainer.progress.step == stop_after, saved))


def start(data: DataSet, request: Request, resumed: Checkpoint | None = None) -> Trainer:
    job = Job(request, settle(request, resumed), resumed)
    trainer = Trainer(job.settings, data, drawings_of(job), Team())
    if resumed:
        trainer.restore(resumed, own_rate=request.learning_rate is not None)
    return trainer


def same_bits(one: Trainer, other: Trainer) -> bool:
    states = [(t.network.state_dict(), t.model.state_dict()) for t in (one, other)]
    return all(torch.equal(a[name], b[name]) for a, b in zip(*states, strict=True) for name in a)


def examples(folder: Path) -> str:
    """A drawings file with the ten examples."""
    path = folder / "drawings.jsonl"
    with path.open("w") as file:
        write_drawings([Drawing(d, [torch.tensor(s).numpy() for s in strokes])
                        for d, strokes in example_strokes().items()], file)  # fmt: skip
    return str(path)
