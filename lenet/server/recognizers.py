"""The networks that this server reads digits with, held in memory once they were asked for.

Only the name of a file that is there reaches a path, whatever a request says. A network that was
taught a visitor's hand is in no list: whoever knows its name, which nobody can guess, may use it.
"""

import re
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from lenet.checkpoint import CheckpointError, list_checkpoints, read
from lenet.insight import Unit, silence
from lenet.preprocess import MAX_STROKES, Strokes
from lenet.recognize import NumberRecognition, Recognition, Recognizer
from lenet.server.shares import AT_ONCE, QUICK

# A drawing with more points, or a number with more strokes, may take more than a few milliseconds.
SHORT = 200
FEW_STROKES = 4

_OWN = re.compile(r"hand-[a-z]+-\d{8}-\d{6}-[0-9a-f]{32}")  # as `lenet.server.runs` names them


def paths() -> dict[str, Path]:
    """The checkpoints for everybody by file name; one in the folder of training takes the place of
    a shipped one of its name.
    """
    return {name: path for name, path in _all().items() if not is_own(path.stem)}


def path_of(name: object) -> Path | None:
    """The checkpoint of this file name, also one that belongs to a visitor alone; None where there
    is none.
    """
    return _all().get(name) if isinstance(name, str) else None


def is_own(name: object) -> bool:
    """Whether a run of this name, without folder and ending, belongs to one visitor alone."""
    return isinstance(name, str) and _OWN.fullmatch(name) is not None


def conceal(text: str) -> str:
    """A text for everybody: names that only their owners know are replaced by short hashes."""
    return _OWN.sub(lambda name: f"hand-{sha256(name[0].encode()).hexdigest()[:8]}", text)


def _all() -> dict[str, Path]:
    return {path.name: path for path in list_checkpoints()}


def recognizer(name: object) -> Recognizer:
    """The recognizer of a checkpoint by its name.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    path = path_of(name)
    try:
        if path:
            return _load(path, path.stat().st_mtime_ns)
    except FileNotFoundError:  # it has just been removed
        pass
    raise CheckpointError("This network is no longer there: choose another one, or train one.")


def recognizer_without(name: object, units: frozenset[Unit]) -> Recognizer:
    """The same with some maps or units of the network silenced.

    Raises:
        CheckpointError: as `recognizer`.
    """
    return _without(recognizer(name), units) if units else recognizer(name)


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


async def recognize_number(reader: Recognizer, strokes: Strokes) -> NumberRecognition:
    """Read strokes as a number, as `recognize` reads them as a digit; four digits take 5 ms.

    Raises:
        ValueError: the strokes are malformed; one sentence that says how.
        lenet.server.shares.Crowded: too many of this visitor's drawings wait.
    """
    lane = QUICK if _is_long(strokes, FEW_STROKES) else AT_ONCE
    return await lane.run(reader.recognize_number, strokes)


def _is_long(strokes: object, most: int = MAX_STROKES) -> bool:
    if not isinstance(strokes, list):
        return False
    points = sum(len(stroke) for stroke in strokes if isinstance(stroke, list))
    return points > SHORT or len(strokes) > most


@lru_cache(maxsize=64)  # all that a public server keeps: reading one halts the event loop for 10 ms
def _load(path: Path, modified: int) -> Recognizer:
    checkpoint = read(path)
    return Recognizer(replace(checkpoint, network=checkpoint.weights, averaged=None, run=None))


@lru_cache(maxsize=8)
def _without(whole: Recognizer, units: frozenset[Unit]) -> Recognizer:
    checkpoint = whole.checkpoint
    return Recognizer(replace(checkpoint, network=silence(checkpoint.network, units)))
