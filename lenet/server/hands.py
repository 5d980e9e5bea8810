"""Teaching visitors' hands: runs and networks that belong to one visitor alone.

A network that was taught somebody's drawings has a name that nobody can guess, and is in no list of
this server (`recognizers`): the visitor's own browser keeps the name. The drawings lie beside the
network until its run has finished, so that a run that was stopped can go on; nothing of them stays
in memory. This file knows nothing of pages.
"""

from collections.abc import Sequence
from dataclasses import replace

from lenet.checkpoint import CheckpointError, read
from lenet.drawings import Drawing, DrawingsError, parse_drawings, to_tensors
from lenet.events import Epoch, latest
from lenet.job import prepare
from lenet.recognize import Recognizer
from lenet.server import recognizers
from lenet.server.queue import Queue
from lenet.server.runs import Run, Runs, kept_drawings
from lenet.settings import Request

MOST = 500  # drawings of one visitor
MOST_POINTS = 2000  # of each: all take the room of the longest, hundreds of times
FILE = "my-hand.jsonl"  # what a file of them is called


class HandError(ValueError):
    """What cannot be done with a visitor's drawings: one sentence that says why."""


def parse(text: object) -> tuple[Drawing, ...]:
    """A visitor's drawings, of digits and of what is no digit, from the text of a drawings file.

    Raises:
        HandError: there are none, too many, or a line is bad; one sentence with its number.
    """
    if not isinstance(text, str):
        raise HandError("The drawings are not the text of a drawings file.")
    if not text.strip():
        raise HandError("There are no drawings yet: keep some digits first.")
    if text.strip().count("\n") >= MOST:
        raise HandError(f"These are more than {MOST} drawings: delete some first.")
    try:
        drawings = parse_drawings(text.encode(errors="replace"), FILE)
    except DrawingsError as error:
        raise HandError(str(error)) from error
    for number, drawing in enumerate(drawings, 1):
        if sum(map(len, drawing.strokes)) > MOST_POINTS:
            raise HandError(
                f"Drawing {number} has more than {MOST_POINTS} points: delete it first."
            )
    return tuple(drawings)


def read_digits(reader: Recognizer, drawings: Sequence[Drawing]) -> list[int | None]:
    """What a network reads in each drawing: a digit, or None where it finds that it is none."""
    found = reader.recognize_frames(to_tensors(drawings).frames())
    return [one.digit if one.is_digit else None for one in found]


def start(
    queue: Queue, network: object, drawings: tuple[Drawing, ...], password: str | None = None
) -> str:
    """Teach a network drawings, in a run of its own, and return the run's name. It waits for the
    one that is under way.

    A network that was taught before is taught anew from where that began.

    Args:
        network: the file name of a checkpoint.

    Raises:
        lenet.checkpoint.CheckpointError: there is no such network, or it cannot be read.
        lenet.server.visitors.NotAllowed, lenet.server.runs.RunError: as `Queue.train`.
    """
    path = recognizers.path_of(network)
    if path is None:
        raise CheckpointError("This network is no longer there: choose another one.")
    job = prepare(Request("hand", drawings=(FILE,), resume=str(path)))
    return queue.take(replace(job, drawings=drawings), password)


def resume(queue: Queue, name: object, password: str | None = None) -> str:
    """Go on with a run that was stopped, and return its name.

    Raises:
        HandError: there is no such run.
        lenet.checkpoint.CheckpointError, lenet.server.visitors.NotAllowed: as `start`.
        lenet.server.runs.RunError: as `start`, or its drawings are gone.
    """
    path = recognizers.path_of(f"{_checked(name)}.pt")
    if path is None:
        raise HandError("This run has left nothing to go on from: teach again.")
    drawings = kept_drawings(path.stem)
    job = prepare(Request(resume=str(path)), read(path))
    return queue.take(replace(job, drawings=drawings), password)


def waits(queue: Queue, name: object) -> bool:
    """Whether a visitor's run waits for another one's end."""
    return any(one.name == name for one in queue.waiting)


def run_of(runs: Runs, name: object) -> Run:
    """A visitor's run, as it is now; idle where it is no longer there.

    Raises:
        HandError: this is no name of such a run.
        lenet.events.LogError: its log cannot be read.
    """
    return runs.of(_checked(name))


def network_of(run: Run) -> str | None:
    """The file name of the network that a run has taught; None where it has not got so far."""
    return run.checkpoint.name if run.checkpoint and latest(run.events, Epoch) else None


def _checked(name: object) -> str:
    if not recognizers.is_own(name):
        raise HandError("There is no such teaching.")
    return str(name)
