"""What the Train tab's charts show: a run's events as lines over epochs.

Functions of events; `charts` draws the lines.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lenet.events import Batch, Epoch, Event, Start, latest
from lenet.ui.train.charts import Axis, Points, line_chart, linear_axis, log_axis, percent_axis


class Chart(NamedTuple):
    """The lines of a chart, points (epoch, value) by the line's name, and where the epochs end."""

    title: str
    lines: dict[str, Points]
    axis: Axis
    epochs: int


def curves(events: Sequence[Event]) -> list[Chart]:
    """The loss of each hundred batches and of the test set, the share read right, and the rate.

    There are none before the run has started. A resumed run's lines go on where they ended.
    """
    start = latest(events, Start)
    if start is None:
        return []
    batches = [event for event in events if isinstance(event, Batch)]
    epochs = [event for event in events if isinstance(event, Epoch)]
    places = [b.epoch - 1 + b.batch / start.batches for b in batches]
    training = list(zip(places, [b.loss for b in batches], strict=True))
    rates = list(zip(places, [b.learning_rate for b in batches], strict=True))
    test = [(float(e.epoch), e.test_loss) for e in epochs]
    right = [(float(e.epoch), e.test_accuracy) for e in epochs]
    known = [(float(e.epoch), e.train_accuracy) for e in epochs if e.train_accuracy is not None]
    losses = log_axis([loss for _, loss in training + test])
    shares = percent_axis([share for _, share in right + known])
    peak = linear_axis([start.learning_rate, *(rate for _, rate in rates)])
    return [
        Chart("Loss", {"training": training, "test": test}, losses, start.epochs),
        _read_right(right, known, shares, start.epochs),
        Chart("Learning rate", {"rate": rates}, peak, start.epochs),
    ]


def _read_right(test: Points, training: Points, axis: Axis, epochs: int) -> Chart:
    """Beside the test images those learnt from, where a run of damaged data has counted them."""
    if not training:
        return Chart("Test images read right", {"test": test}, axis, epochs)
    return Chart("Images read right", {"training": training, "test": test}, axis, epochs)


def charts_html(events: Sequence[Event]) -> str:
    """A run's charts as HTML."""
    return "".join(line_chart(*chart) for chart in curves(events))
