"""The networks that this server reads digits with, held in memory once they were asked for.

Only the name of a file that is listed reaches a path, whatever a request says.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from lenet.checkpoint import CheckpointError, list_checkpoints, read
from lenet.preprocess import Strokes
from lenet.recognize import Recognition, Recognizer
from lenet.server.shares import AT_ONCE, QUICK

SHORT = 200  # points: a drawing with more may take more than a few milliseconds


def paths() -> dict[str, Path]:
    """The checkpoints by file name; one in the folder of training stands in for a shipped one."""
    return {path.name: path for path in list_checkpoints()}


def recognizer(name: object) -> Recognizer:
    """The recognizer of a checkpoint by its name.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    path = paths().get(name) if isinstance(name, str) else None
    try:
        if path:
            return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError:  # it has just been removed
        pass
    raise CheckpointError("This network is no longer there: choose another one, or train one.")


def first_recognizer() -> Recognizer:
    """The recognizer of the shipped network, or where there is none of the newest one.

    Raises:
        CheckpointError: there is no network at all, or it cannot be read.
    """
    return recognizer(next(iter(paths()), None))


async def recognize(reader: Recognizer, strokes: Strokes) -> Recognition:
    """Read strokes in the lane that they belong to.

    Raises:
        ValueError: the strokes are malformed; one sentence that says how.
        lenet.server.shares.Crowded: too many of this visitor's drawings wait.
    """
    lane = QUICK if _is_long(strokes) else AT_ONCE
    return await lane.run(reader.recognize, strokes)


def _is_long(strokes: object) -> bool:
    if not isinstance(strokes, list):
        return False
    return sum(len(stroke) for stroke in strokes if isinstance(stroke, list)) > SHORT


@lru_cache(maxsize=64)  # all that a public server keeps: reading one halts the event loop for 10 ms
def _load(path: Path, modified: int) -> Recognizer:
    checkpoint = read(path)
    return Recognizer(replace(checkpoint, network=checkpoint.weights, averaged=None, run=None))
