"""What the Train tab's charts show: a run's events as lines of points.

Functions of events; `charts.js` draws the lines, over epochs or over seconds.
"""

from collections.abc import Sequence
from typing import Literal, TypedDict

from lenet.events import Batch, Epoch, Event, Start, latest

MOST = 300  # points of a line: more than a screen can tell apart

# (epoch, seconds of training, value)
Point = tuple[float, float, float]


class Chart(TypedDict):
    """The lines of a chart by name, which is their CSS class too, and its vertical axis."""

    title: str
    axis: Literal["decades", "shares", "linear"]
    lines: dict[str, list[Point]]


class Curves(TypedDict):
    """A run's charts; there are none before it has started. `epochs` is where its epochs end."""

    epochs: int
    charts: list[Chart]


def curves(events: Sequence[Event]) -> Curves:
    """The loss of each hundred batches and of the test set, the share read right, and the rate.

    A resumed run's lines go on where they ended.
    """
    start = latest(events, Start)
    if start is None:
        return {"epochs": 0, "charts": []}
    batches = [event for event in events if isinstance(event, Batch)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    places = [(b.epoch - 1 + b.batch / start.batches, b.elapsed) for b in batches]
    ends = [(float(e.epoch), e.elapsed) for e in epochs]

    def line(where: list[tuple[float, float]], values: list[float]) -> list[Point]:
        points = list(zip(where, values, strict=True))[:: len(where) // MOST + 1]
        return [(round(x, 4), round(s, 3), float(f"{y:.4g}")) for (x, s), y in points]

    return {
        "epochs": start.epochs,
        "charts": [
            {
                "title": "Loss",
                "axis": "decades",
                "lines": {
                    "training": line(places, [b.loss for b in batches]),
                    "test": line(ends, [e.test_loss for e in epochs]),
                },
            },
            {
                "title": "Test images read right",
                "axis": "shares",
                "lines": {"test": line(ends, [e.test_accuracy for e in epochs])},
            },
            {
                "title": "Learning rate",
                "axis": "linear",
                "lines": {"rate": line(places, [b.learning_rate for b in batches])},
            },
        ],
    }
