"""Numbers as the console writes them: short, aligned, never a surprise."""

import math
from typing import Final

NO_FIGURE: Final = "-"
"""Stands where there is nothing to show yet."""


def count(value: float) -> str:
    """Return a whole number with separators: ``1,213``; from a million on ``1.2M``."""
    if not math.isfinite(value):
        return "?"
    if abs(value) >= 10_000_000:
        return f"{value / 1e6:.0f}M"
    if abs(value) >= 1_000_000:
        return f"{value / 1e6:.1f}M"
    return f"{round(value):,}"


def short(value: float) -> str:
    """Return a number in at most four cells: ``987``, ``1.2k``, ``12k``, ``3.4M``."""
    if not math.isfinite(value):
        return "?"
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            scaled = value / scale
            return f"{scaled:.1f}{unit}" if abs(scaled) < 9.95 else f"{scaled:.0f}{unit}"
    return f"{value:.0f}"


def ms(value: float) -> str:
    """Return milliseconds without the unit: ``0.4``, ``12.1``, ``104``, ``2,310``."""
    if not math.isfinite(value):
        return "?"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{round(value):,}"


def clock(seconds: float) -> str:
    """Return a run's age: ``0:07``, ``12:34``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{rest // 60}:{rest % 60:02}"


def ceiling(value: float) -> float:
    """Return the next round number at or above ``value``, for the top of an axis."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    for step in (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0):
        if value <= step * scale:
            return step * scale
    return 10.0 * scale
