"""The networks that this server reads digits with, held in memory once they were asked for.

Only the name of a file that is listed reaches a path, whatever a request says.
"""

from functools import lru_cache, partial
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from lenet.checkpoint import CheckpointError, list_checkpoints
from lenet.preprocess import MAX_STROKES, Strokes
from lenet.recognize import NumberRecognition, Recognition, Recognizer

# A drawing with more points, or a number with more strokes, would keep the event loop from others
# for too long.
QUICK = 1000
QUICK_STROKES = 20

_LIMITER = anyio.CapacityLimiter(1)  # long drawings queue up behind each other, not before others


def paths() -> dict[str, Path]:
    """The checkpoints by file name; one in the folder of training stands in for a shipped one."""
    return {path.name: path for path in list_checkpoints()}


def recognizer(name: object) -> Recognizer:
    """The recognizer of a checkpoint by its name.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    path = paths().get(name) if isinstance(name, str) else None
    if path is None:
        raise CheckpointError("This network is no longer there: choose another one, or train one.")
    return _load(path, path.stat().st_mtime_ns)


def first_recognizer() -> Recognizer:
    """The recognizer of the shipped network, or where there is none of the newest one.

    Raises:
        CheckpointError: there is no network at all, or it cannot be read.
    """
    return recognizer(next(iter(paths()), None))


async def recognize(reader: Recognizer, strokes: Strokes) -> Recognition:
    """Read strokes on the event loop, or in a thread where that would take long.

    A drawing takes less than a millisecond, and threads would queue up behind a pool.

    Raises:
        ValueError: the strokes are malformed; one sentence that says how.
    """
    if _is_long(strokes):
        return await run_sync(partial(reader.recognize, strokes), limiter=_LIMITER)
    return reader.recognize(strokes)


async def recognize_number(reader: Recognizer, strokes: Strokes) -> NumberRecognition:
    """Read strokes as a number, as `recognize` reads them as a digit; four digits take 5 ms.

    Raises:
        ValueError: the strokes are malformed; one sentence that says how.
    """
    if _is_long(strokes, QUICK_STROKES):
        return await run_sync(partial(reader.recognize_number, strokes), limiter=_LIMITER)
    return reader.recognize_number(strokes)


def _is_long(strokes: object, most: int = MAX_STROKES) -> bool:
    if not isinstance(strokes, list):
        return False
    points = sum(len(stroke) for stroke in strokes if isinstance(stroke, list))
    return points > QUICK or len(strokes) > most


@lru_cache(maxsize=8)
def _load(path: Path, modified: int) -> Recognizer:
    return Recognizer.load(path)
