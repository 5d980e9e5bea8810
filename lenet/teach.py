"""What teaching a network somebody's hand has changed, measured on drawings it was not taught.

Teaching itself is a run like any other, by recipe hand. This file knows nothing of where drawings
come from or of who follows a run.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from lenet.checkpoint import Checkpoint
from lenet.data import DataSet, Digits
from lenet.distributed import Team
from lenet.drawings import NO_DIGIT, Drawn
from lenet.events import Saved, Taught
from lenet.recognize import interpret, predict, share_right
from lenet.settings import Settings
from lenet.trainer import Trainer

FOLDS = 2  # each costs a teaching of its own


def read_right(checkpoint: Checkpoint, drawn: Drawn) -> torch.Tensor:
    """Which drawings a network reads right, bool N: as their digit, or as no digit where they are
    none.
    """
    found = interpret(checkpoint, predict(checkpoint.model(), drawn.frames()))
    answers = found.probabilities.argmax(1).where(found.is_digit, torch.tensor(NO_DIGIT))
    return answers == drawn.labels


def split(labels: torch.Tensor, folds: int = FOLDS) -> list[list[int]]:
    """Divide drawings into folds that have about as many of each label: the indices of each."""
    order = labels.argsort(stable=True).tolist()
    return [order[fold::folds] for fold in range(folds)]


def teach(
    settings: Settings,
    origin: Checkpoint,
    data: DataSet,
    drawn: Drawn,
    team: Team | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Checkpoint | None:
    """Teach a network drawings without a run's events; None where `stop` comes first.

    Args:
        settings: of a recipe that teaches.
        origin: the network to begin from; what its run had before does not matter.
        data: its training digits are shown, too.
        drawn: what is taught.
    """
    one = Digits(data.test.frames[:1], data.test.labels[:1])  # nobody asks for the accuracy
    trainer = Trainer(settings, replace(data, test=one), drawn, team or Team())
    trainer.restore(replace(origin, run=None))
    for _ in trainer.events(stop, lambda: Saved(elapsed=0.0, path="")):
        pass
    return trainer.checkpoint() if trainer.progress.finished else None


def what_changed(
    trainer: Trainer, data: DataSet, drawn: Drawn, stop: Callable[[], bool]
) -> Taught | None:
    """Measure a network that has been taught, by cross-validation; None where `stop` comes first.

    Args:
        trainer: of the run, at its end.
        data: what it was trained and tested on.
        drawn: what it was taught.
        stop: asked after every batch.
    """
    taught = trainer.checkpoint()
    run = trainer.progress
    assert run.origin and trainer.accuracy is not None
    origin = replace(taught, network=run.origin, averaged=None, run=None)
    after = None
    folds = FOLDS if len(drawn) >= FOLDS else 0
    if folds:
        parts = split(drawn.labels)
        after = 0
        for fold, held_out in enumerate(parts):
            others = [i for other, part in enumerate(parts) if other != fold for i in part]
            part = drawn.part(others)
            checkpoint = teach(trainer.settings, origin, data, part, trainer.team, stop)
            if checkpoint is None:
                return None
            after += int(read_right(checkpoint, drawn.part(held_out)).sum())
    before = predict(origin.model(), data.test.frames)
    return Taught(
        elapsed=run.elapsed,
        drawings=len(drawn),
        before=int(read_right(origin, drawn).sum()),
        after=after,
        folds=folds,
        accuracy_before=share_right(before, data.test.labels),
        accuracy=trainer.accuracy,
    )
