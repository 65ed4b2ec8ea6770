"""What a benchmark returns, and how figures are printed."""

import statistics
from collections.abc import Callable, Sequence

from msgspec import Struct


class Figure(Struct, frozen=True, omit_defaults=True):
    """One measured figure beside its budget.

    Attributes:
        value: What was measured.
        unit: Its unit.
        budget: The bound, in the same unit; None where there is none.
        ok: Whether the value keeps to the budget.
        at_least: The budget is a lower bound.
    """

    value: float
    unit: str
    budget: float | None = None
    ok: bool = True
    peer: str = ""
    ratio: float | None = None
    at_least: bool = False


class Bench(Struct, frozen=True):
    """One benchmark: ``run`` returns its figures by name."""

    name: str
    run: Callable[[], dict[str, Figure]]


def at_most(value: float, budget: float, unit: str) -> Figure:
    """Return a figure that must not exceed its budget."""
    return Figure(round(value, 4), unit, budget, value <= budget)


def at_least(value: float, budget: float, unit: str) -> Figure:
    """Return a figure that must reach its budget."""
    return Figure(round(value, 4), unit, budget, value >= budget, at_least=True)


def told(value: float, unit: str) -> Figure:
    """Return a figure without a budget."""
    return Figure(round(value, 4), unit)


def percentile(values: Sequence[float], pct: float) -> float:
    """Return a percentile by the nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(pct / 100 * len(ranked) + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
