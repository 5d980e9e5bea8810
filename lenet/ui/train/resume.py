"""What the Train tab's Resume asks for: a run goes on; a network without a run begins a new one.

Functions of a checkpoint and the fields beside it; this file knows nothing of Gradio.
"""

from lenet.checkpoint import Checkpoint
from lenet.settings import Request

MORE_EPOCHS = 3  # what a finished run is offered


def epochs_offered(checkpoint: Checkpoint) -> int | None:
    """How many more epochs to offer; None where the run has epochs of its own left."""
    return None if checkpoint.run and not checkpoint.run.finished else MORE_EPOCHS


def words_of_resuming(done: int, epochs: int) -> str:
    """Where a run with `done` of its `epochs` would go on, in words."""
    return f"from epoch {done + 1} of {epochs}" if done < epochs else f"{MORE_EPOCHS} more epochs"


def words_of(checkpoint: Checkpoint) -> str:
    """The same of a checkpoint; one without a run is trained as a new network would be."""
    run = checkpoint.run
    return words_of_resuming(run.epoch, run.settings.epochs) if run else "trained on"


def request_to_resume(
    checkpoint: Checkpoint, more: float | None, recipe: str, data: str
) -> Request:
    """What is asked for by Resume.

    Drawings files that a run names are left out: a checkpoint may come from anybody, and could make
    the server read any file.

    Args:
        checkpoint: the chosen one, read from a file.
        more: epochs, or None for the end of its run.
        recipe: of a new run; a network without a run is trained as a new one would be.
        data: the same.
    """
    epochs = int(more) if more else None
    if checkpoint.run:
        drawings = () if checkpoint.run.settings.drawings else None
        return Request(epochs=epochs, drawings=drawings, resume=str(checkpoint.path))
    return Request(recipe=recipe, data=data, epochs=epochs, resume=str(checkpoint.path))
