"""The data sets as tensors in memory: MNIST through torchvision, and synthetic digits.

This file fetches, checks and keeps them. It knows nothing of training or of pages.
"""

import hashlib
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import torch
from filelock import FileLock
from tqdm import tqdm

from lenet.files import being_written, data_folder, replacing
from lenet.preprocess import FRAME
from lenet.settings import DATA_SETS
from lenet.synthetic import synthetic_digits, synthetic_parts

HELD_OUT = 10_000  # training digits that `hold_out` sets aside

# The four files of MNIST and their sizes in bytes, gzipped and unpacked.
_MNIST_SIZES = {
    "train-images-idx3-ubyte": (9_912_422, 47_040_016),
    "train-labels-idx1-ubyte": (28_881, 60_008),
    "t10k-images-idx3-ubyte": (1_648_877, 7_840_016),
    "t10k-labels-idx1-ubyte": (4_542, 10_008),
}
_TIMEOUT = 10  # seconds that a mirror may stay silent

# The synthetic digits for training and for the test: how many, and from which seed.
_SYNTHETIC = ((60_000, 0), (10_000, 1))
_ROW = 1 + FRAME * FRAME  # bytes of a digit in their file


class LoadingStopped(Exception):
    """Loading a data set was stopped."""


class DataError(RuntimeError):
    """A data set that is not available: what was tried, why it failed and what to do."""


@dataclass(frozen=True)
class Digits:
    """Labelled frames in memory: `frames` uint8 N×28×28 and `labels` int64 N."""

    frames: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class DataSet:
    """A named pair of training and test digits."""

    name: str
    train: Digits
    test: Digits

    def checksum(self) -> str:
        """SHA-1 of the training frames and labels: tells whether a run goes on with its data."""
        digest = hashlib.sha1(self.train.frames.numpy().data, usedforsecurity=False)
        digest.update(self.train.labels.numpy().data)
        return digest.hexdigest()


def load(name: str, stop: Callable[[], bool] = lambda: False) -> DataSet:
    """Load a data set by its name, one of `DATA_SETS`.

    Args:
        stop: asked while digits are drawn; True ends it.

    Raises:
        DataError: MNIST is not cached, and no mirror has it.
        LoadingStopped: `stop` said so.
        ValueError: there is no data set of that name.
    """
    if name == "mnist":
        return load_mnist()
    if name == "synthetic":
        return load_synthetic(stop)
    raise ValueError(f"There is no data set {name!r}: choose {' or '.join(DATA_SETS)}.")


def loading_progress(name: str) -> float:
    """How much of a data set is there, 0..1, whichever process loads it: 1 where all of it is.

    Of MNIST it is what has been downloaded, of the synthetic digits what has been drawn.
    """
    if name == "mnist":
        return _mnist_progress()
    return _synthetic_progress()


def hold_out(data: DataSet) -> DataSet:
    """The same data set with its last 10,000 training digits in the place of the test digits."""
    frames, labels = data.train.frames, data.train.labels
    train = Digits(frames[:-HELD_OUT], labels[:-HELD_OUT])
    return DataSet(data.name, train, Digits(frames[-HELD_OUT:], labels[-HELD_OUT:]))


def damage(data: DataSet, images: int, wrong: float, seed: int) -> DataSet:
    """The same data set with fewer training images, and with wrong labels.

    Args:
        images: how many are kept at most, of each digit the same share.
        wrong: percent of these that get the label of another digit, each of the nine as probably.
        seed: chooses both, 0 to 2³¹ - 1.
    """
    frames, labels = data.train.frames, data.train.labels
    # Not the run's own seed: its first order of the images would begin with the wrong labels.
    generator = torch.Generator().manual_seed(2**31 + seed)
    if images < len(labels):
        order = torch.randperm(len(labels), generator=generator)
        by_digit = order[labels[order].argsort(stable=True)]
        places = (2 * torch.arange(images) + 1) * len(labels) // (2 * images)
        chosen = by_digit[places].sort().values
        frames, labels = frames[chosen], labels[chosen]
    count = round(len(labels) * wrong / 100)
    if count:
        places = torch.randperm(len(labels), generator=generator)[:count]
        labels = labels.clone()
        labels[places] += torch.randint(1, 10, (count,), generator=generator)
        labels[places] %= 10
    return DataSet(data.name, Digits(frames, labels), data.test)


# ---------------------------------------------------------------- synthetic digits


def load_synthetic(stop: Callable[[], bool] = lambda: False) -> DataSet:
    """60,000 training and 10,000 test digits that the project draws itself, always the same.

    Drawing takes ten seconds of a processor, so they are kept in the data folder, where that can be
    written to. `loading_progress` tells another process how far it is.

    Raises:
        LoadingStopped: `stop` said so.
    """
    path = _synthetic_path()
    rows = _read_rows(path)
    if rows is None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.parent / ".lock"):  # another process may be drawing them
                rows = _read_rows(path)
                rows = _draw_and_keep(path, stop) if rows is None else rows
        except OSError:
            rows = torch.cat(list(_draw_rows(stop)))
    digits = Digits(rows[:, 1:].contiguous().view(-1, FRAME, FRAME), rows[:, 0].long())
    train = _SYNTHETIC[0][0]
    return DataSet(
        "synthetic",
        Digits(digits.frames[:train], digits.labels[:train]),
        Digits(digits.frames[train:], digits.labels[train:]),
    )


def _synthetic_progress() -> float:
    path = _synthetic_path()
    if path.exists():
        return 1.0
    return min(1.0, _size(being_written(path)) / (_ROW * sum(count for count, _ in _SYNTHETIC)))


def _synthetic_path() -> Path:
    return data_folder() / "synthetic" / _synthetic_version()


@cache
def _synthetic_version() -> str:
    """A text that changes with all that decides how digits are drawn: a hash of 120 drawings, of
    each template at least one.
    """
    frames, labels = synthetic_digits(120)
    return hashlib.sha256(frames.numpy().tobytes() + labels.numpy().tobytes()).hexdigest()[:16]


def _draw_and_keep(path: Path, stop: Callable[[], bool]) -> torch.Tensor:
    """Draw the digits into a file; a full disk costs drawing them again the next time, no more."""
    parts = []
    drawing = _draw_rows(stop)
    digest = hashlib.sha256()
    with suppress(OSError):
        for other in path.parent.iterdir():  # damaged, or of another version
            if other.name != ".lock":
                other.unlink()
        with replacing(path) as file:
            for rows in drawing:
                parts.append(rows)
                content = rows.numpy().tobytes()
                digest.update(content)
                file.write(content)
                file.flush()  # its size is what `loading_progress` tells
            file.write(digest.digest())
    return torch.cat([*parts, *drawing])


def _draw_rows(stop: Callable[[], bool]) -> Iterator[torch.Tensor]:
    """The digits in parts, uint8 N×785: each row a label and its frame."""
    total = sum(count for count, _ in _SYNTHETIC)
    with tqdm(desc="Drawing digits", total=total, disable=None, leave=False) as bar:
        for count, seed in _SYNTHETIC:
            for frames, labels in synthetic_parts(count, seed):
                if stop():
                    raise LoadingStopped
                yield torch.cat([labels.byte()[:, None], frames.flatten(1)], 1)
                bar.update(len(labels))


def _read_rows(path: Path) -> torch.Tensor | None:
    """What `_draw_rows` has drawn, from a file; None where it is missing or damaged."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError:
        return None
    rows, checksum = content[:-32], content[-32:]
    if hashlib.sha256(rows.data).digest() != checksum.tobytes():
        return None
    return torch.from_numpy(rows).view(-1, _ROW)


# ---------------------------------------------------------------- MNIST


def load_mnist() -> DataSet:
    """MNIST from the cache; the first time from `LENET_MNIST_URL` or torchvision's own mirrors.

    torchvision checks the checksums and unpacks; its progress bar goes to the terminal, and
    `loading_progress` tells another process how far it is.

    Raises:
        DataError: no mirror has it, or it cannot be stored.
    """
    from torchvision.datasets import MNIST  # imported late: it takes a second

    root = data_folder()
    raw = root / "MNIST" / "raw"
    own = os.environ.get("LENET_MNIST_URL")
    mirrors = ([own.rstrip("/") + "/"] if own else []) + MNIST.mirrors
    tried = []
    for mirror in mirrors:
        try:
            _remove_half_unpacked(raw)
            if urlparse(mirror).scheme == "file":
                _copy_archives(Path(url2pathname(urlparse(mirror).path)), raw, MNIST.resources)
            with _mirror(MNIST, mirror), _socket_timeout():
                return DataSet("mnist", *(_digits(MNIST, root, train) for train in (True, False)))
        except Exception as error:  # each failure is kept and reported when no mirror is left
            tried.append(f"{mirror} ({_reason(error)})")
    raise DataError(
        f"MNIST could not be loaded. Tried {'; '.join(tried)}. Either place its four .gz files in "
        f"{raw}, or set LENET_MNIST_URL to a folder or mirror that has them; or train on the "
        "synthetic digits, which need no download."
    )


def _mnist_progress() -> float:
    """How much of MNIST's archives has been downloaded, 0..1, or 1.0 where it is unpacked."""
    raw = data_folder() / "MNIST" / "raw"
    if all(_size(raw / name) == sizes[1] for name, sizes in _MNIST_SIZES.items()):
        return 1.0
    have = sum(_size(raw / f"{name}.gz") for name in _MNIST_SIZES)
    return min(1.0, have / sum(sizes[0] for sizes in _MNIST_SIZES.values()))


def _digits(mnist: type, root: Path, train: bool) -> Digits:
    half = mnist(root, train=train, download=True)
    return Digits(half.data, half.targets)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _remove_half_unpacked(raw: Path) -> None:
    """torchvision takes any unpacked file as complete; a full disk may have left half of one."""
    for name, (_, size) in _MNIST_SIZES.items():
        if _size(raw / name) != size:
            (raw / name).unlink(missing_ok=True)


def _copy_archives(source: Path, raw: Path, resources: list[tuple[str, str]]) -> None:
    """Lay archives from a folder where torchvision finds them: its downloader fails on file://."""
    from torchvision.datasets.utils import check_integrity

    raw.mkdir(parents=True, exist_ok=True)
    for name, md5 in resources:
        if check_integrity(raw / name, md5):
            continue
        if not (source / name).is_file():
            raise DataError(f"there is no {name}")
        if not check_integrity(source / name, md5):
            raise DataError(f"{name} has a wrong checksum")
        shutil.copyfile(source / name, raw / name)


@contextmanager
def _mirror(mnist: type, url: str):
    """Let torchvision try one mirror only, so that the failure of each can be reported."""
    before = mnist.mirrors
    mnist.mirrors = [url]
    try:
        yield
    finally:
        mnist.mirrors = before


@contextmanager
def _socket_timeout():
    """torchvision's downloader waits forever for a silent server."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: Exception) -> str:
    """The last line of an error, which in torchvision's is the mirror's own answer about a file."""
    lines = [line for line in str(error).strip().splitlines() if line]
    if not lines:
        return type(error).__name__
    file = re.fullmatch("Error downloading (.+):", lines[0])
    return (f"{file[1]}: " if file else "") + lines[-1].strip(" .<>")
