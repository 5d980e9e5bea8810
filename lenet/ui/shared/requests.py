"""How server functions answer the page's scripts.

Scripts call them with one object of names and whole numbers. It is checked here, and anything else
in it is answered with a sentence; this file knows nothing of what the functions do.
"""

import base64
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypedDict, TypeVar

import torch

from lenet.checkpoint import CheckpointError
from lenet.data import DataError
from lenet.events import LogError
from lenet.server.recognizers import conceal
from lenet.server.runs import RunError
from lenet.server.shares import Crowded, Lane
from lenet.server.visitors import NotAllowed

Request = Mapping[str, Any]  # what a script sent
Answer = TypeVar("Answer")


class Refusal(TypedDict):
    """The answer where nothing can be answered: one sentence for the visitor."""

    error: str


class RequestError(ValueError):
    """A request that is refused, with the sentence that says why."""


def encode(tensor: torch.Tensor) -> str:
    """The bytes of a tensor, such as a uint8 frame, row by row, in base64."""
    return base64.b64encode(tensor.numpy().tobytes()).decode()


def answering(function: Callable[[Request], Answer]) -> Callable[[object], Answer | Refusal]:
    """Make a server function answer with a `Refusal` where the request is refused, or a checkpoint
    or the data cannot be read.
    """

    @wraps(function)
    def answer(request: object) -> Answer | Refusal:
        try:
            if not isinstance(request, dict):
                raise RequestError("The request is no object of names and numbers.")
            return function(request)
        except (RequestError, CheckpointError, DataError) as error:
            return {"error": str(error)}

    return answer


@contextmanager
def refusing_request() -> Iterator[None]:
    """Refuse the request with the sentence that says why something cannot be done.

    Raises:
        RequestError: in the place of what a run, its log or the rules for visitors raised.
    """
    try:
        yield
    except (ValueError, LogError, RunError, NotAllowed) as error:
        raise RequestError(conceal(str(error))) from error


def in_turn(
    lane: Lane, function: Callable[[object], Answer]
) -> Callable[[object], Awaitable[Answer | Refusal]]:
    """A server function that waits for its visitor's turn and runs off the event loop."""

    @wraps(function)
    async def answer(request: object) -> Answer | Refusal:
        try:
            return await lane.run(function, request)
        except Crowded as error:
            return {"error": str(error)}

    return answer


def name_in(request: Request, key: str, names: Sequence[str]) -> str:
    """A name that the request gives, one of `names`.

    Raises:
        RequestError: it is another name, or none.
    """
    name = request.get(key)
    if not isinstance(name, str) or name not in names:
        raise RequestError(f"The request's {key} is none of {', '.join(names)}.")
    return name


def whole_in(request: Request, key: str, low: int, high: int) -> int:
    """A whole number that the request gives, from `low` to `high`.

    Raises:
        RequestError: it is out of that range or no whole number.
    """
    number = request.get(key)
    if type(number) is not int or not low <= number <= high:
        raise RequestError(f"The request's {key} is no whole number from {low} to {high}.")
    return number
