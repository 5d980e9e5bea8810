"""Training runs small enough for a unit test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lenet.checkpoint import Checkpoint, read, write
from lenet.data import DataSet
from lenet.distributed import Team
from lenet.drawings import Drawing, write_drawings
from lenet.events import Event, Saved
from lenet.job import prepare
from lenet.model import LeNet
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
    job = prepare(request, resumed)
    trainer = Trainer(job.settings, data, drawings_of(job), Team())
    if job.resumed:
        trainer.restore(job.resumed, own_rate=request.learning_rate is not None)
    return trainer


def same_bits(one: Trainer, other: Trainer) -> bool:
    states = [(t.network.state_dict(), t.model.state_dict()) for t in (one, other)]
    return all(torch.equal(a[name], b[name]) for a, b in zip(*states, strict=True) for name in a)


def through_a_file(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """What is read of the checkpoint after it was written."""
    write(checkpoint, folder / "run.pt")
    return read(folder / "run.pt")


def examples(folder: Path) -> str:
    """A drawings file with the ten examples."""
    path = folder / "drawings.jsonl"
    with path.open("w") as file:
        write_drawings([Drawing(d, [torch.tensor(s).numpy() for s in strokes])
                        for d, strokes in example_strokes().items()], file)  # fmt: skip
    return str(path)


def old_record() -> dict[str, Any]:
    """A run that was stopped after 320 of 1,000 images of its second epoch, as `torch.load` gives
    what the first versions wrote: their settings had fewer fields, and SGD was not fused.
    """
    momentum = [torch.rand_like(p) for p in LeNet().parameters()]
    return {
        "settings": {
            "recipe": "fast", "data": "synthetic", "drawings": ("a.jsonl",), "epochs": 3,
            "batch_size": 64, "learning_rate": 0.05, "seed": 3,
        },
        "data_checksum": "e16631578250d43aed7486005695f316c44103d0",
        "epoch": 1, "seen": 320, "step": 21,
        "schedule": {"start": 0, "end": 48, "peak": 0.05, "warm_up": 0.25},
        "elapsed": 1.5, "logged": [3.5, 5], "epoch_loss": [3.5, 5],
        "optimizer": {
            "state": {n: {"momentum_buffer": buffer} for n, buffer in enumerate(momentum)},
            "param_groups": [{"lr": 0.05, "momentum": 0.9, "params": list(range(10))}],
        },
        "random": torch.Generator().manual_seed(1).get_state(),
        "versions": {"torch": "2.15.0+cpu", "threads": 1},
        "epoch_random": torch.Generator().manual_seed(2).get_state(),
        "permutation": torch.randperm(1000, generator=torch.Generator().manual_seed(3)).int(),
    }  # fmt: skip
