"""A chart of the run's seconds with a row of marks under it: cause and effect in one column."""

from typing import Final

from console.lines import Line
from console.model import Model
from console.select.marks import marks
from console.widgets.spark import Chart, axis_width, with_axis

MARKED_ROWS_MIN: Final = 3
"""A chart with less room keeps all of it."""


def timeline(model: Model, chart: Chart, width: int, height: int) -> list[Line]:
    """Return ``height`` lines: the chart, and under it what happened when."""
    if height < 1:
        return []
    rows = height - (height >= MARKED_ROWS_MIN)
    lines = with_axis(chart, width, rows)
    if rows < height:
        labels = axis_width(width, rows)
        lines.append(((" " * labels, "text"), *marks(model, width - labels)))
    return lines
