"""Players, tick and latency as one row each: the strip of small terminals."""

from collections.abc import Callable
from typing import Final

from console.figures import NO_FIGURE, ceiling, count, ms
from console.lines import Line
from console.model import Model
from console.select.marks import marks, marks_inputs
from console.select.vitals import LATENCY_BAD_MS, LATENCY_WARN_MS
from console.widgets.frame import frame
from console.widgets.spark import Values, highest, spark
from engine.protocol.feed import SeriesView, Snapshot

LABELS: Final = 20
"""Columns of names and figures at the left of the sparklines."""
MARKED_HEIGHT: Final = 6


class Pulse:
    """Three sparklines with their newest value, and what happened when."""

    name = "pulse"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.series, snapshot.players.connected, marks_inputs(model)

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        snapshot = model.snapshot or Snapshot(run="")
        series: SeriesView = snapshot.series
        interval = float(snapshot.tick.interval_ms)
        inner = width - 4
        latency = series.latency_ms_p99
        players = series.players
        lines = [
            _row("players", players, inner, max((*players, 1.0)), count, lambda _: "players"),
            _row(
                "tick p99", series.tick_ms_p99, inner, interval, ms, _graded(interval / 2, interval)
            ),
            _row(
                "latency p99",
                latency,
                inner,
                ceiling(highest(latency, 10.0)),
                ms,
                _graded(LATENCY_WARN_MS, LATENCY_BAD_MS),
            ),
        ]
        if height >= MARKED_HEIGHT:
            room = max(0, inner - LABELS)
            lines.append(((" " * (inner - room), "text"), *marks(model, room)))
        note: Line = ((f"the last {inner - LABELS} s", "dim"),)
        return frame(lines, width, height, "Pulse", note, focused)


def _graded(warn: float, bad: float) -> Callable[[float], str]:
    return lambda value: "area_bad" if value >= bad else "area_warn" if value >= warn else "area"


def _row(
    label: str,
    values: Values,
    inner: int,
    top: float,
    shown: Callable[[float], str],
    role: Callable[[float], str],
) -> Line:
    last = values[-1] if values else None
    newest = NO_FIGURE if last is None else shown(last)
    return (
        (f"{label:<12}", "dim"),
        (f"{newest:>7} ", "bright"),
        *spark(values, max(0, inner - LABELS), top, role),
    )


PANEL = Pulse()
