"""Where readings of a film lie in the charts: by batches, whatever happened in between."""

import pytest
from support import batch_event as batch
from support import epoch_event as epoch
from support import start_event as start

from lenet.events import Done, Event, Saved
from lenet.server.growth import Reading
from lenet.ui.train.grown import Point, passed, points

# Four epochs of 200 batches.
BEGUN = [start(step=0), Saved(elapsed=0.0, path="x"), batch(1, 100, 1.0), batch(1, 200, 2.0)]
RESUMED = [start(epoch=1, batch=50, step=250, elapsed=2.5, resumed_from="x"), batch(2, 100, 3.5)]
OTHER_BATCHES = [start(epoch=1, step=200, elapsed=2.0, batches=100), batch(2, 50, 3.0)]
OLD = [start(), batch(1, 100, 1.0)]


@pytest.mark.parametrize(
    ("events", "batches", "place"),
    [
        (BEGUN, 0, (0, 0)),
        (BEGUN, 100, (0.5, 1)),
        (BEGUN, 150, (0.75, 1.5)),  # between two events
        (BEGUN, 230, (1, 2)),  # after the last one
        ([*BEGUN, epoch(1, 2.0), *RESUMED], 300, (1.5, 3.5)),
        ([*BEGUN, epoch(1, 2.0), *OTHER_BATCHES], 250, (1.5, 3.0)),
        ([start(epoch=5, step=900, elapsed=7.0), batch(6, 100, 8.0)], 950, (5.25, 7.5)),
        (OLD, 50, (0.25, 0.5)),
    ],
)
def test_a_reading_lies_where_its_batches_were_done(events, batches, place):
    assert points(events, [Reading(batches, 0.5)]) == [Point(*place, 0.5)]


def test_before_anything_has_happened_there_are_no_points():
    assert points([], [Reading(0, 0.1)]) == [] and points(BEGUN, []) == []


UP = [Reading(0, 0.1), Reading(100, 0.97), Reading(150, 0.985), Reading(200, 0.979)]


@pytest.mark.parametrize(
    ("events", "readings", "goals"),
    [
        (BEGUN, UP, {0.98: 1.5}),
        (
            [*BEGUN, epoch(1, 2.0, test_accuracy=0.991)],
            UP,
            {0.98: 1.5, 0.99: 2.0},
        ),  # by all test images
        ([*BEGUN, epoch(1, 2.0)], [], {}),
        (BEGUN, [Reading(0, 0.994), Reading(100, 0.995)], {}),  # it was so good from the beginning
        (BEGUN, [Reading(150, 0.985)], {}),  # its beginning is not read yet
        (BEGUN, [Reading(0, 0.985), Reading(100, 0.99)], {0.99: 1.0}),
        ([], [], {}),
    ],
)
def test_a_goal_is_passed_at_the_first_point_that_reaches_it(
    events: list[Event], readings: list[Reading], goals: dict[float, float]
):
    found = passed(events, points(events, readings))
    assert {goal: point.seconds for goal, point in found.items()} == goals


def test_other_events_do_not_matter():
    events = [*BEGUN, Done(elapsed=9.0, test_accuracy=0.999, checkpoint="x")]
    assert points(events, UP) == points(BEGUN, UP)
