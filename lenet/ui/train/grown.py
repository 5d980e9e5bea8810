"""The readings of a run's film as points of its charts, and when they first reached a goal.

Functions of a run's events and of what `lenet.server.growth` has read.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lenet.events import Batch, Epoch, Event, Start
from lenet.server.growth import Reading

GOALS = (0.98, 0.99)  # shares read right: the chart says when each was first reached


class Point(NamedTuple):
    """The share of the test digits, 0..1, read right after so many epochs and seconds."""

    epoch: float
    seconds: float
    accuracy: float


def points(events: Sequence[Event], readings: Sequence[Reading]) -> list[Point]:
    """The readings, each with its epoch and seconds, interpolated between the events around it.

    Readings count the batches of the whole run, whatever the batch size was before a resume.
    """
    known = []  # batches in all, epochs and seconds
    begun, batches, at = 0.0, 1, 0  # epochs, batches an epoch and batches in all at the last start
    for event in events:
        match event:
            case Start():
                begun, batches = event.epoch + event.batch / event.batches, event.batches
                at = round(begun * batches) if event.step is None else event.step
                epoch = begun
            case Batch():
                epoch = event.epoch - 1 + event.batch / batches
            case Epoch():
                epoch = float(event.epoch)
            case _:
                continue
        known.append((at + (epoch - begun) * batches, epoch, event.elapsed))
    if not known or not readings:
        return []
    steps, epochs, seconds = np.array(known).T
    where = [reading.batches for reading in readings]
    found = zip(np.interp(where, steps, epochs), np.interp(where, steps, seconds), strict=True)
    return [
        Point(round(float(epoch), 4), round(float(second), 3), reading.accuracy)
        for (epoch, second), reading in zip(found, readings, strict=True)
    ]


def passed(events: Sequence[Event], grown: Sequence[Point]) -> dict[float, Point]:
    """The first point at which each goal is reached, by a reading or after an epoch.

    A run that begins above a goal does not pass it; without a reading of its beginning that would
    be unknown, so its first point never counts.
    """
    epochs = [
        Point(float(e.epoch), e.elapsed, e.test_accuracy) for e in events if isinstance(e, Epoch)
    ]
    line = sorted([*grown, *epochs], key=lambda point: point.seconds)
    found = {}
    for goal in GOALS:
        first = next((n for n, point in enumerate(line) if point.accuracy >= goal), 0)
        if first > 0:
            found[goal] = line[first]
    return found
