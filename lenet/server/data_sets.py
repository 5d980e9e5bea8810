"""The data sets that the server shows, each loaded when it is first asked for and then held."""

import threading
from contextlib import suppress
from functools import lru_cache
from typing import TypedDict

import torch

from lenet.data import DataError, DataSet, load, loading_progress
from lenet.others import other_segments
from lenet.preprocess import rasterize
from lenet.settings import DATA_SETS

OTHERS = 1000  # drawings of what is no digit
LABELS = [("MNIST", "mnist"), ("Synthetic digits", "synthetic")]  # of `DATA_SETS`, for the page


class Waiting(TypedDict):
    """How far a slow task is: a text for the page, and a share 0..1 or None."""

    text: str
    share: float | None


_loading = {name: threading.Lock() for name in DATA_SETS}


def data_set(name: str) -> DataSet:
    """A data set by its name, loaded when it is first asked for and then held.

    Raises:
        DataError: MNIST cannot be loaded.
    """
    with _loading[name]:
        return _load(name)


def usual_digits() -> DataSet:
    """MNIST, or the synthetic digits where it cannot be loaded."""
    try:
        return data_set("mnist")
    except DataError:
        return data_set("synthetic")


@lru_cache
def means(name: str) -> torch.Tensor:
    """The mean training frame of each digit of a data set, uint8 10×28×28.

    Raises:
        DataError: as `data_set`.
    """
    train = data_set(name).train
    each = [train.frames[train.labels == digit].float().mean(0) for digit in range(10)]
    return torch.stack(each).round().byte()


def warm_up() -> None:
    """Load MNIST and its means where it lies on this disk: whoever asked first would wait for two
    seconds.
    """
    if loading_progress("mnist") == 1:
        with suppress(DataError):  # whoever asks is told
            means("mnist")


@lru_cache
def _load(name: str) -> DataSet:
    return load(name)


@lru_cache
def others() -> torch.Tensor:
    """Drawings of what is no digit, of all kinds and always the same: uint8 1000×28×28."""
    return rasterize(*other_segments(OTHERS, torch.Generator().manual_seed(0)))


def loading(name: str) -> Waiting:
    """How far `data_set` is."""
    share = loading_progress(name)
    if share < 1:
        text = "Downloading MNIST" if name == "mnist" else "Drawing synthetic digits"
        return {"text": text, "share": share}
    return {"text": "Loading the images", "share": None}
