"""The Train tab's charts: axes as tables, and charts as the XML that they are."""

from xml.etree import ElementTree

import pytest

from lenet.ui.train.charts import (
    MAX_DOTS,
    MAX_POINTS,
    Axis,
    line_chart,
    linear_axis,
    log_axis,
    percent_axis,
)


@pytest.mark.parametrize(
    ("axis", "value", "place"),
    [
        (Axis(0, 1, []), 1, 0),
        (Axis(0, 1, []), 0.25, 75),
        (Axis(0.9, 1, []), 0.5, 100),  # below the axis
        (Axis(0, 0.05, []), 7, 0),  # above it
        (Axis(0.01, 1, [], logarithmic=True), 0.1, 50),
        (Axis(0.01, 1, [], logarithmic=True), 0, 100),  # no logarithm
    ],
)
def test_a_value_lies_on_the_axis_from_top_to_bottom(axis: Axis, value: float, place: float):
    assert axis.place(value) == pytest.approx(place)


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (log_axis([]), ["0.1", "1"]),
        (log_axis([0.02, 2.3]), ["0.01", "0.1", "1", "10"]),
        (log_axis([1.0, 1.0]), ["1", "10"]),
        (log_axis([0.1, 1.0]), ["0.1", "1"]),
        (percent_axis([]), ["90 %", "95 %", "100 %"]),
        (percent_axis([0.985, 0.991]), ["98 %", "99 %", "100 %"]),
        (percent_axis([0.1]), ["0 %", "50 %", "100 %"]),
        (linear_axis([]), ["0", "0.5", "1"]),
        (linear_axis([0.01, 0.05]), ["0", "0.03", "0.06"]),
        (linear_axis([0.8]), ["0", "0.4", "0.8"]),
    ],
)
def test_an_axis_is_labelled_from_its_low_to_its_high_end(axis: Axis, labels: list[str]):
    assert [text for _, text in axis.labels] == labels
    assert (axis.labels[0][0], axis.labels[-1][0]) == (axis.low, axis.high)


def chart(count: int, title: str = "Loss") -> ElementTree.Element:
    """A chart of two lines of as many points each, over two epochs."""
    points = [(2 * i / count, i / count) for i in range(count)]
    axis = Axis(0, 1, [(0, "0"), (1, "1")])
    return ElementTree.fromstring(line_chart(title, {"training": points, "test": points}, axis, 2))


def test_dots_lie_on_their_line_and_are_not_stretched_with_it():
    svg = chart(4).find(".//svg")
    stretched = [each for each in svg.iter("svg") if each.get("preserveAspectRatio") == "none"]
    assert [[child.tag for child in each] for each in stretched] == [["polyline"]] * 2
    assert "viewBox" not in svg.attrib
    for line in svg.findall("g"):
        corners = line.find("svg/polyline").get("points").split()
        dots = [(dot.get("cx"), dot.get("cy")) for dot in line.findall("circle")]
        assert corners == ["0.00,100.00", "25.00,75.00", "50.00,50.00", "75.00,25.00"]
        assert dots == [tuple(f"{share}%" for share in corner.split(",")) for corner in corners]


def test_many_points_are_a_line_without_dots_and_no_finer_than_a_screen():
    assert len(chart(MAX_DOTS).findall(".//circle")) == 2 * MAX_DOTS
    many = chart(2 * MAX_POINTS + 10)
    assert not many.findall(".//circle")
    for line in many.findall(".//polyline"):
        corners = line.get("points").split()
        assert MAX_POINTS / 2 < len(corners) <= MAX_POINTS
        assert corners[0] == "0.00,100.00"


def test_a_title_is_text():
    assert chart(1, "a < b & c").find("figcaption/b").text == "a < b & c"
