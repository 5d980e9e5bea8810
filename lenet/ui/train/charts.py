"""Line charts as inline SVG: light enough to be drawn anew twice a second in every browser.

Gradio's own plot starts a Vega view for each update, which on two cores took more time than the
training that it showed. Text stays text of the page; colours come from train.css.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]

MAX_POINTS = 300  # of a line: more than a screen can tell apart
MAX_DOTS = 30  # of a line: with more it is drawn without them


@dataclass(frozen=True)
class Axis:
    """The vertical axis: its range, whether it is logarithmic, and the values to label."""

    low: float
    high: float
    labels: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies: 0 at the top, 100 at the bottom, and no farther."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = (math.log(max(v, 1e-9)) for v in (value, low, high))
        return 100 * min(1.0, max(0.0, (high - value) / (high - low)))


def log_axis(values: Sequence[float]) -> Axis:
    """An axis over the decades of positive values."""
    low = math.floor(math.log10(min(values, default=0.1)) + 1e-9)
    high = math.ceil(math.log10(max(values, default=1.0)) - 1e-9)
    high = max(high, low + 1)
    decades = [10.0**power for power in range(low, high + 1)]
    return Axis(decades[0], decades[-1], [(d, f"{d:g}") for d in decades], logarithmic=True)


def percent_axis(values: Sequence[float]) -> Axis:
    """An axis from a round number below shares (0..1) to all of them."""
    lowest = min(values, default=0.9)
    low = next(floor for floor in (0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0.0) if lowest >= floor)
    middle = (low + 1) / 2
    return Axis(low, 1.0, [(value, f"{100 * value:g} %") for value in (low, middle, 1.0)])


def linear_axis(values: Sequence[float]) -> Axis:
    """An axis from 0 to a round number above positive values."""
    highest = max(values, default=1.0)
    decade = 10.0 ** math.floor(math.log10(highest))
    high = next(step * decade for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if step * decade >= highest)
    return Axis(0.0, high, [(value, f"{value:g}") for value in (0.0, high / 2, high)])


def line_chart(
    title: str, lines: dict[str, Points], axis: Axis, epochs: int, along: str = "epoch"
) -> str:
    """A chart over epochs as HTML.

    Args:
        title: above the chart.
        lines: the points (epoch, value) by the name of the line, which is its CSS class too.
        axis: the vertical one.
        epochs: where the horizontal axis ends.
        along: what it counts, where that is something else.
    """
    grid = "".join(
        f'<line x2="100%" y1="{axis.place(v):.2f}%" y2="{axis.place(v):.2f}%"/>'
        for v, _ in axis.labels
    )
    drawn = "".join(_line(name, points, axis, epochs) for name, points in lines.items())
    labels = "".join(
        f'<span style="top: {axis.place(v):.2f}%">{text}</span>' for v, text in axis.labels
    )
    keys = "".join(f'<span class="key {name}">{name}</span>' for name in lines if len(lines) > 1)
    ends = f"<span>0</span><span>{along}</span><span>{epochs}</span>"
    return (
        f'<figure class="chart"><figcaption><b>{html.escape(title)}</b>{keys}</figcaption>'
        f'<div class="plot"><div class="values">{labels}</div>'
        f'<svg role="img" aria-label="{html.escape(title)}">{grid}{drawn}</svg></div>'
        f'<div class="epochs">{ends}</div></figure>'
    )


def _line(name: str, points: Points, axis: Axis, epochs: int) -> str:
    points = points[:: len(points) // MAX_POINTS + 1]
    places = [(f"{100 * x / epochs:.2f}", f"{axis.place(y):.2f}") for x, y in points]
    corners = " ".join(f"{x},{y}" for x, y in places)
    dots = "".join(f'<circle cx="{x}%" cy="{y}%" r="3.5"/>' for x, y in places)
    # Only the line is stretched with the chart, so that its dots stay round.
    return (
        f'<g class="{name}"><svg viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<polyline points="{corners}"/></svg>{dots if len(places) <= MAX_DOTS else ""}</g>'
    )
