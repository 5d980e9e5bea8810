"""Evaluations kept on disk, so that a network reads a data set once; the last ones in memory too.

Each lies in a file of the data folder that holds the logits and is named by a hash of all that
these depend on: it is found again after a restart, under another name of the checkpoint, and with
another calibration. A damaged file counts as missing, and where none can be written the network
reads each time. In memory an evaluation is found by the checkpoint's file and the file's version.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from lenet.checkpoint import Checkpoint, read
from lenet.data import Digits
from lenet.evaluate import Evaluation, judge, read_digits
from lenet.files import data_folder, replacing
from lenet.recognize import Recognitions, interpret, predict
from lenet.server.data_sets import data_set, others

KEPT = 200  # evaluations; one of 10,000 digits takes 400 kB

_FORMAT = b"lenet-live evaluation 2"  # a new number where the same network would answer otherwise


def folder() -> Path:
    """Where evaluations are kept."""
    return data_folder() / "evaluations"


def content_key(checkpoint: Checkpoint, frames: torch.Tensor) -> str:
    """64 hexadecimal digits of all that the logits depend on, whatever the file is called."""
    digest = hashlib.sha256(_FORMAT)
    for name in sorted(checkpoint.weights):
        digest.update(checkpoint.weights[name].float().contiguous().numpy().data)
    digest.update(frames.contiguous().numpy().data)
    return digest.hexdigest()


def evaluate_once(
    checkpoint: Checkpoint, digits: Digits, progress: Callable[[int], None] = lambda done: None
) -> Evaluation:
    """As `lenet.evaluate.evaluate`, from kept logits; where there are none, read and keep them."""
    logits = _logits(checkpoint, digits.frames, lambda: read_digits(checkpoint, digits, progress))
    return judge(checkpoint, logits, digits.labels)


def recognize_once(checkpoint: Checkpoint, frames: torch.Tensor) -> Recognitions:
    """The same for frames without labels, uint8 N×28×28."""
    logits = _logits(checkpoint, frames, lambda: predict(checkpoint.model(), frames))
    return interpret(checkpoint, logits)


def version_of(path: Path) -> str:
    """Changes when the file does, as during a run; a file that is gone has one too."""
    try:
        return str(path.stat().st_mtime_ns)
    except FileNotFoundError:
        return ""


_done: dict[tuple[Path, str], int] = {}  # how many digits an evaluation under way has read


@lru_cache(maxsize=8)
def evaluation_of(path: Path, version: str, data: str) -> Evaluation:
    """How the network in a file reads a data set's test digits.

    Args:
        path: the checkpoint's.
        version: `version_of(path)`.
        data: the data set's name.

    Raises:
        CheckpointError: the file cannot be read.
        DataError: the data set cannot be loaded.
    """
    checkpoint, digits = read(path), data_set(data).test
    try:
        return evaluate_once(checkpoint, digits, partial(_done.__setitem__, (path, data)))
    finally:
        _done.pop((path, data), None)


def digits_read(path: Path, data: str) -> int | None:
    """How many digits `evaluation_of` has read by now; None where the network reads none."""
    return _done.get((path, data))


@lru_cache(maxsize=8)
def recognitions_of_others(path: Path, version: str) -> Recognitions:
    """What the network in a file reads in `lenet.server.data_sets.others`; as `evaluation_of`."""
    return recognize_once(read(path), others())


def _logits(
    checkpoint: Checkpoint, frames: torch.Tensor, compute: Callable[[], torch.Tensor]
) -> torch.Tensor:
    path = folder() / content_key(checkpoint, frames)
    logits = _read(path, len(frames))
    if logits is None:
        logits = compute()
        _keep(path, logits)
    return logits


def _read(path: Path, count: int) -> torch.Tensor | None:
    """The logits in a file, float32 count×10; None where it is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, data = content[:32], content[32:]
    if hashlib.sha256(data).digest() != checksum or len(data) != count * 10 * 4:
        return None
    with suppress(OSError):
        os.utime(path)  # the ones that nobody asks for go first
    return torch.from_numpy(np.frombuffer(data, "<f4").reshape(count, 10).copy())


def _keep(path: Path, logits: torch.Tensor) -> None:
    data = logits.numpy().astype("<f4").tobytes()
    with suppress(OSError):  # a full or read-only disk costs a second the next time, no more
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_oldest(path.parent)
        with replacing(path) as file:
            file.write(hashlib.sha256(data).digest() + data)


def _remove_oldest(where: Path) -> None:
    files = sorted(where.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for file in files[KEPT - 1 :]:
        file.unlink(missing_ok=True)
