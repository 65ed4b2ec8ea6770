"""Charts of one value a second: filled areas in eighths of a row."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from console.lines import Line, right

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
SHADE: Final = "░"
LIMIT: Final = "┄"
GAP: Final = ("╎", "limit")
"""A column of these is a second in which there was nothing to measure."""
AXIS: Final = 6
"""Columns of the labels at the left of a chart, where there is room for them."""
USUAL_PCT: Final = 95
TOWERS_TIMES: Final = 8
"""What is so many times higher than nearly all the rest does not set the scale."""

RoleOf = Callable[[float], str]
Values = Sequence[float | None]
"""One value a second; None where there was nothing to measure."""


class Chart(Struct, frozen=True):
    """What to draw.

    Attributes:
        values: One a second, oldest first; the newest stands at the right.
        top: Value of the upper edge.
        role: The role of a column by its value.
        low: A second series drawn inside the first, such as the median under the p99.
        low_role: Its role.
        limit: A value to draw a line at, None for none.
        mono: Tell the two series apart by glyphs.
        unit: Behind the axis' upper label.
    """

    values: Values
    top: float
    role: RoleOf
    low: Values = ()
    low_role: str = "area_low"
    limit: float | None = None
    mono: bool = False
    unit: str = ""


def highest(values: Values, least: float) -> float:
    """Return the highest of the values there are, at least ``least``."""
    return max((least, *(value for value in values if value is not None)))


def typical_top(values: Values, least: float) -> float:
    """Return the highest value, or less where a few stand far above all the others.

    One second in which a command ran into its timeout would flatten every other one: such
    columns are drawn full, and whoever draws them says how high they really are.
    """
    there = sorted(value for value in values if value is not None)
    top = highest(there, least)
    if not there:
        return top
    usual = max(least, there[(len(there) - 1) * USUAL_PCT // 100])
    return usual * 2 if top > usual * TOWERS_TIMES else top


def spark(values: Values, width: int, top: float, role: RoleOf) -> Line:
    """Return one row of eighths, the newest value at the right."""
    return area(Chart(values, top, role), width, 1)[0]


def area(chart: Chart, width: int, height: int) -> list[Line]:
    """Return ``height`` rows with the chart in them, without axes."""
    shown = list(chart.values[-width:]) if width > 0 else []
    low = list(chart.low[-len(shown) :]) if chart.low and shown else []
    pad = width - len(shown)
    high_levels = [_levels(value, chart.top, height) for value in shown]
    low_levels = [_levels(value, chart.top, height) for value in low] or [0] * len(shown)
    gaps = None in shown
    roles = ["" if value is None else chart.role(value) for value in shown]
    limit_row = -1
    if chart.limit is not None and 0 < chart.limit <= chart.top:
        limit_row = min(height - 1, int((1 - chart.limit / chart.top) * height))
    full: Line = ()
    peak = max(high_levels, default=0)
    lowest = min(low_levels if low else high_levels, default=0)
    rows: list[Line] = []
    for row in range(height):
        base = (height - 1 - row) * 8
        empty = (LIMIT, "limit") if row == limit_row else (" ", "text")
        if base >= peak and not gaps:
            rows.append(((empty[0] * width, empty[1]),))
            continue
        if base + 8 <= lowest and not gaps:  # nothing but filled cells, the same in every such row
            full = full or _joined(
                [(" ", "text")] * pad
                + [_cell(8, 8 if low else 0, role, chart) or empty for role in roles]
            )
            rows.append(full if row != limit_row else _joined([empty] * pad) + full[bool(pad) :])
            continue
        cells = [empty] * pad
        for high, lower, role in zip(high_levels, low_levels, roles, strict=True):
            filled = _cell(high - base, lower - base, role, chart) if role else GAP
            cells.append(filled or empty)
        rows.append(_joined(cells))
    return rows


def axis_width(width: int, height: int) -> int:
    """Return the columns that a chart's labels take in this room."""
    return 0 if width < 24 or height < 2 else AXIS


def with_axis(chart: Chart, width: int, height: int) -> list[Line]:
    """Return the chart with labels for top, middle and bottom at its left."""
    labelled = axis_width(width, height)
    if not labelled:
        return area(chart, width, height)
    labels = {0: chart.top, height - 1: 0.0}
    if height >= 5:
        labels[height // 2] = chart.top / 2
    rows = []
    for row, line in enumerate(area(chart, width - labelled, height)):
        label = _label(labels[row]) if row in labels else ""
        mark = "┤" if row in labels else "│"
        rows.append(((right(label, labelled - 1), "dim"), (mark, "faint"), *line))
    return rows


def _label(value: float) -> str:
    if value and value < 10 and value != round(value):
        return f"{value:.1f}"
    return f"{value:,.0f}" if value < 10_000 else f"{value / 1000:,.0f}k"


def _levels(value: float | None, top: float, height: int) -> int:
    if value is None or top <= 0 or value <= 0:
        return 0
    return max(1, min(height * 8, round(value / top * height * 8)))


def _cell(high: int, low: int, role: str, chart: Chart) -> tuple[str, str] | None:
    if high <= 0:
        return None
    high = min(high, 8)
    if low <= 0:
        return (SHADE if chart.mono and chart.low else EIGHTHS[high], role)
    low = min(low, 8)
    if low == 8 or chart.mono:
        return EIGHTHS[low], chart.low_role
    if high == 8:
        return EIGHTHS[low], f"{chart.low_role}/{role}"
    return EIGHTHS[high], chart.low_role if high == low else role


def _joined(cells: list[tuple[str, str]]) -> Line:
    return tuple(
        ("".join(glyph for glyph, _ in group), role)
        for role, group in groupby(cells, key=lambda cell: cell[1])
    )
