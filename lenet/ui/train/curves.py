"""What the Train tab's charts show: a run's events as lines of points.

Functions of events; `charts.js` draws the lines, over epochs or over seconds.
"""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from lenet.events import Batch, Epoch, Event, Start, latest
from lenet.server.growth import Reading
from lenet.ui.train.grown import passed, points

MOST = 300  # points of a line

# (epoch, seconds of training, value)
Point = tuple[float, float, float]


class Chart(TypedDict):
    """The lines of a chart by name, which is their CSS class too, and its vertical axis.

    `passed` are shares, 0..1, and where they were first reached.
    """

    title: str
    axis: Literal["decades", "shares", "linear"]
    lines: dict[str, list[Point]]
    passed: NotRequired[list[tuple[float, Point]]]


class Curves(TypedDict):
    """A run's charts; there are none before it has started. `epochs` is where its epochs end."""

    epochs: int
    charts: list[Chart]


def curves(events: Sequence[Event], readings: Sequence[Reading] = ()) -> Curves:
    """The loss of each hundred batches and of the test set, the share read right, and the rate.

    A resumed run's lines go on where they ended.

    Args:
        events: of the run's log, from the first.
        readings: of a sample of the test images, between the epochs.
    """
    start = latest(events, Start)
    if start is None:
        return {"epochs": 0, "charts": []}
    batches = [event for event in events if isinstance(event, Batch)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    during = [(b, b.epoch - 1 + b.batch / start.batches) for b in batches]
    loss = {
        "training": _line([(place, b.elapsed, b.loss) for b, place in during]),
        "test": _line([(e.epoch, e.elapsed, e.test_loss) for e in epochs]),
    }
    right = {"test": _line([(e.epoch, e.elapsed, e.test_accuracy) for e in epochs])}
    counted = [(e.epoch, e.elapsed, e.train_accuracy) for e in epochs]
    known = [(place, elapsed, share) for place, elapsed, share in counted if share is not None]
    if known:  # the data is damaged: show also how much of it is read as labelled
        right = {"training": _line(known), **right}
    grown = points(events, readings)
    if grown:
        right["sample"] = _line(grown)
    rate = {"rate": _line([(place, b.elapsed, b.learning_rate) for b, place in during])}
    title = "Images read right" if known else "Test images read right"
    return {
        "epochs": start.epochs,
        "charts": [
            {"title": "Loss", "axis": "decades", "lines": loss},
            {
                "title": title,
                "axis": "shares",
                "lines": right,
                "passed": [
                    (goal, (point.epoch, point.seconds, point.accuracy))
                    for goal, point in passed(events, grown).items()
                ],
            },
            {"title": "Learning rate", "axis": "linear", "lines": rate},
        ],
    }


def _line(points: Sequence[Point]) -> list[Point]:
    """No more points, and no more digits of each, than a screen can show."""
    few = points[:: len(points) // MOST + 1]
    return [(round(epoch, 4), round(s, 3), float(f"{value:.4g}")) for epoch, s, value in few]
