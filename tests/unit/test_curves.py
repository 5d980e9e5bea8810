"""The Train tab's charts: which points they have, on which axes, and over which epochs."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from support import start_event as start

from lenet.events import Batch, Epoch, Saved
from lenet.ui.train.curves import charts_html, curves


def batch(epoch: int, batch: int, loss: float, rate: float) -> Batch:
    return Batch(
        epoch=epoch,
        batch=batch,
        elapsed=1.0,
        loss=loss,
        learning_rate=rate,
        images_per_second=1.0,
    )


def epoch(number: int, loss: float, accuracy: float) -> Epoch:
    return Epoch(epoch=number, elapsed=1.0, train_loss=9.0, test_loss=loss, test_accuracy=accuracy)


FIRST = [batch(1, 100, 2.0, 0.05), batch(1, 200, 0.5, 0.12), epoch(1, 0.3, 0.91)]
SECOND = [batch(2, 100, 0.2, 0.08), epoch(2, 0.04, 0.985)]


def lines(events) -> dict[str, dict[str, list]]:
    return {chart.title: {k: list(v) for k, v in chart.lines.items()} for chart in curves(events)}


def test_before_a_run_has_started_there_are_no_charts():
    assert curves([]) == [] and charts_html([]) == ""


def test_each_event_is_a_point_at_its_place_in_the_epochs():
    assert lines([start(), *FIRST, Saved(elapsed=1.0, path="x"), *SECOND]) == {
        "Loss": {
            "training": [(0.5, 2.0), (1.0, 0.5), (1.5, 0.2)],
            "test": [(1, 0.3), (2, 0.04)],
        },
        "Test images read right": {"test": [(1, 0.91), (2, 0.985)]},
        "Learning rate": {"rate": [(0.5, 0.05), (1.0, 0.12), (1.5, 0.08)]},
    }


def test_of_damaged_data_the_training_images_read_right_lie_beside_the_test_images():
    known = [replace(epoch(n, 0.3, 0.9), train_accuracy=n / 2) for n in (1, 2)]
    assert lines([start(), *known])["Images read right"] == {
        "training": [(1, 0.5), (2, 1.0)],
        "test": [(1, 0.9), (2, 0.9)],
    }


def test_a_resumed_run_goes_on_with_its_lines():
    whole = [start(), *FIRST, *SECOND]
    resumed = [start(), *FIRST, start(epoch=1, resumed_from="run.pt"), *SECOND]
    assert curves(resumed) == curves(whole)


def test_more_epochs_begin_where_the_finished_run_ended():
    more = [start(epoch=2, epochs=3, resumed_from="run.pt"), batch(3, 100, 0.1, 0.01)]
    assert lines(more)["Loss"]["training"] == [(2.5, 0.1)]
    assert {chart.epochs for chart in curves(more)} == {3}


def test_the_axes_hold_the_points():
    loss, right, rate = (chart.axis for chart in curves([start(), *FIRST, *SECOND]))
    assert (loss.low, loss.high, loss.logarithmic) == (0.01, 10.0, True)
    assert (right.low, right.high) == (0.9, 1.0)
    assert (rate.low, rate.high) == (0.0, pytest.approx(0.15))
    # Before the first batch the rate's axis is that of the setting.
    assert curves([start(learning_rate=0.3)])[2].axis.high == pytest.approx(0.3)


def test_the_html_has_a_figure_for_each_chart():
    shown = ElementTree.fromstring(f"<div>{charts_html([start(), *FIRST])}</div>")
    titles = [figure.findtext("figcaption/b") for figure in shown.findall("figure")]
    assert titles == ["Loss", "Test images read right", "Learning rate"]
