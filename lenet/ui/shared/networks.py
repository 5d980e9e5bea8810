"""The networks that a visitor may choose from: all that are listed, and those that were taught the
visitor's own hand, whose names only the visitor's browser knows."""

from typing import Any, TypedDict

from lenet.server import recognizers

OWN = 5  # networks that a browser remembers


class OwnNetwork(TypedDict):
    """A taught network: its `name`, and the `text` that stands for it."""

    name: str
    text: str


class Own(TypedDict):
    """The networks that were taught in a browser, and the one that the pad shall read with."""

    own: list[OwnNetwork]
    choose: str | None


def choices(own: Any) -> list[tuple[str, str]]:
    """What a dropdown of networks offers, as (text, name): the listed ones, then the visitor's.

    Args:
        own: an `Own` as a browser sent it, or anything else, which offers nothing.
    """
    listed = [(name, name) for name in recognizers.paths()]
    sent = own.get("own") if isinstance(own, dict) else None
    known = [
        (network["text"][:100], network["name"])
        for network in (sent if isinstance(sent, list) else [])[:OWN]
        if isinstance(network, dict)
        and isinstance(network.get("text"), str)
        and recognizers.path_of(network.get("name"))
    ]
    return listed + known
