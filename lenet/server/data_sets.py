"""The data sets that the server shows, each loaded when it is first asked for and then held."""

import threading
from functools import lru_cache
from typing import Any

from lenet.data import DATA_SETS, DataSet, load, loading_progress

LABELS = [("MNIST", "mnist"), ("Synthetic digits", "synthetic")]  # of `DATA_SETS`, for the page

_loading = {name: threading.Lock() for name in DATA_SETS}


def data_set(name: str) -> DataSet:
    """A data set by its name, loaded when it is first asked for and then held.

    Raises:
        DataError: MNIST is not to be had.
    """
    with _loading[name]:
        return _load(name)


@lru_cache
def _load(name: str) -> DataSet:
    return load(name)


def loading(name: str) -> dict[str, Any]:
    """How far `data_set` is: a `text` for the page, and a `share` 0..1 or None."""
    share = loading_progress(name)
    if share < 1:
        text = "Downloading MNIST" if name == "mnist" else "Drawing the digits"
        return {"text": text, "share": share}
    return {"text": "Loading the images", "share": None}
