"""The Train tab's charts: which points they have, and over which epochs."""

import json
from dataclasses import replace

import orjson
from support import batch_event, epoch_event
from support import start_event as start

from lenet.events import Batch, Epoch, Saved
from lenet.server.growth import Reading
from lenet.ui.train.curves import MOST, curves


def batch(epoch: int, batch: int, loss: float, rate: float) -> Batch:
    """One of an epoch of two seconds and 200 batches."""
    elapsed = 2 * (epoch - 1) + batch / 100
    return batch_event(epoch, batch, elapsed, loss=loss, learning_rate=rate)


def epoch(number: int, loss: float, accuracy: float) -> Epoch:
    losses = {"train_loss": 9.0, "test_loss": loss}
    return epoch_event(number, 2 * number + 0.5, **losses, test_accuracy=accuracy)


FIRST = [batch(1, 100, 2.0, 0.05), batch(1, 200, 0.5, 0.12), epoch(1, 0.3, 0.91)]
SECOND = [batch(2, 100, 0.2, 0.08), epoch(2, 0.04, 0.985)]


def lines(events, readings=()) -> dict[str, dict[str, list]]:
    return {chart["title"]: chart["lines"] for chart in curves(events, readings)["charts"]}


def test_before_a_run_has_started_there_are_no_charts():
    assert curves([]) == {"epochs": 0, "charts": []}


def test_each_event_is_a_point_at_its_place_in_the_epochs():
    assert lines([start(), *FIRST, Saved(elapsed=1.0, path="x"), *SECOND]) == {
        "Loss": {
            "training": [(0.5, 1.0, 2.0), (1.0, 2.0, 0.5), (1.5, 3.0, 0.2)],
            "test": [(1, 2.5, 0.3), (2, 4.5, 0.04)],
        },
        "Test images read right": {"test": [(1, 2.5, 0.91), (2, 4.5, 0.985)]},
        "Learning rate": {"rate": [(0.5, 1.0, 0.05), (1.0, 2.0, 0.12), (1.5, 3.0, 0.08)]},
    }


def test_with_damaged_data_the_training_accuracy_lies_beside_the_test_accuracy():
    known = [replace(epoch(n, 0.3, 0.9), train_accuracy=n / 2) for n in (1, 2)]
    assert lines([start(), *known])["Images read right"] == {
        "training": [(1, 2.5, 0.5), (2, 4.5, 1.0)],
        "test": [(1, 2.5, 0.9), (2, 4.5, 0.9)],
    }


def test_readings_between_the_epochs_are_a_line_and_say_when_a_goal_was_passed():
    readings = [Reading(0, 0.1), Reading(100, 0.97), Reading(300, 0.981)]
    events = [start(), *FIRST, *SECOND]
    assert lines(events, readings)["Test images read right"] == {
        "test": [(1, 2.5, 0.91), (2, 4.5, 0.985)],
        "sample": [(0, 0, 0.1), (0.5, 1, 0.97), (1.5, 3, 0.981)],
    }
    shown = json.loads(orjson.dumps(curves(events, readings)))  # as the page gets it
    assert shown["charts"][1]["passed"] == [[0.98, [1.5, 3, 0.981]]]
    assert "passed" not in shown["charts"][0] and "passed" not in shown["charts"][2]


def test_a_resumed_run_goes_on_with_its_lines():
    whole = [start(), *FIRST, *SECOND]
    resumed = [start(), *FIRST, start(epoch=1, resumed_from="run.pt"), *SECOND]
    assert curves(resumed) == curves(whole)


def test_more_epochs_begin_where_the_finished_run_ended():
    more = [start(epoch=2, epochs=3, resumed_from="run.pt"), batch(3, 100, 0.1, 0.01)]
    assert lines(more)["Loss"]["training"] == [(2.5, 5.0, 0.1)]
    assert curves(more)["epochs"] == 3


def test_a_line_has_no_more_points_than_a_screen_and_begins_with_its_first():
    many = [batch(1 + i // 2, 100 + 100 * (i % 2), 0.5, 0.1) for i in range(2 * MOST + 10)]
    training = lines([start(), *many])["Loss"]["training"]
    assert MOST / 2 < len(training) <= MOST
    assert training[0] == (0.5, 1.0, 0.5)
