"""What the tabs that show data sets share: the sets, held once, and how they talk to their pages.

Their JavaScript calls functions of the server with one object of names and whole numbers. Anything
else in it is answered with a sentence; this file knows nothing of what the functions do.
"""

import base64
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

import torch

from lenet.checkpoint import CheckpointError
from lenet.data import DATA_SETS, DataError, DataSet, load, mnist_progress

CHOICES = [("MNIST", "mnist"), ("Synthetic digits", "synthetic")]  # labels of `DATA_SETS`

Answer = dict[str, Any]

_loading = {name: threading.Lock() for name in DATA_SETS}


class RequestError(ValueError):
    """A call that no page of ours makes."""


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


def loading(name: str) -> Answer:
    """How far `data_set` is: a `text` for the page, and a `share` 0..1 or None."""
    if name == "mnist" and mnist_progress() < 1:
        return {"text": "Downloading MNIST", "share": mnist_progress()}
    return {"text": "Loading the images", "share": None}


def encode(frame: torch.Tensor) -> str:
    """The bytes of a uint8 frame, row by row, in base64."""
    return base64.b64encode(frame.contiguous().numpy().tobytes()).decode()


def answering(function: Callable[[Answer], Answer]) -> Callable[[Answer], Answer]:
    """Make a server function answer `{"error": sentence}` where something is not to be had."""

    @wraps(function)
    def answer(request: Answer) -> Answer:
        try:
            if not isinstance(request, dict):
                raise RequestError("The request is no object of names and numbers.")
            return function(request)
        except (RequestError, CheckpointError, DataError) as error:
            return {"error": str(error)}

    return answer


def name_in(request: Answer, key: str, names: Sequence[str]) -> str:
    """A name that the request gives, one of those.

    Raises:
        RequestError: it is another one, or none.
    """
    name = request.get(key)
    if not isinstance(name, str) or name not in names:
        raise RequestError(f"The request's {key} is none of {', '.join(names)}.")
    return name


def whole_in(request: Answer, key: str, low: int, high: int) -> int:
    """A whole number that the request gives, from `low` to `high`.

    Raises:
        RequestError: it is out of that range or no whole number.
    """
    number = request.get(key)
    if type(number) is not int or not low <= number <= high:
        raise RequestError(f"The request's {key} is no whole number from {low} to {high}.")
    return number
