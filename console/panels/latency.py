"""Latency from the due time: p99 with the median inside it."""

from console.figures import NO_FIGURE, ceiling, count, ms
from console.lines import Line, spread
from console.model import Model
from console.select.marks import marks_inputs
from console.select.vitals import LATENCY_BAD_MS, LATENCY_WARN_MS
from console.widgets.frame import frame
from console.widgets.spark import Chart, highest, typical_top
from console.widgets.timeline import timeline
from engine.protocol.feed import Percentiles


class Latency:
    """Figures and the chart."""

    name = "latency"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        series = snapshot.series
        high, low = series.latency_ms_p99, series.latency_ms_p50
        return snapshot.latency_ms, high, low, marks_inputs(model)

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        snapshot = model.snapshot
        latency = snapshot.latency_ms if snapshot else Percentiles()
        inner, room = width - 4, height - 3
        lines = [_figures(latency, inner)]
        peak: Line = ()
        if snapshot is not None and room >= 1:
            high = snapshot.series.latency_ms_p99
            top = ceiling(typical_top(high[-inner:], 10.0))
            highest_ms = highest(high[-inner:], 0.0)
            if highest_ms > top:
                peak = ((f"peak {ms(highest_ms)}  ", "area_bad"),)
            chart = Chart(
                high,
                top=top,
                role=_role,
                low=snapshot.series.latency_ms_p50,
                mono=model.view.mono,
            )
            lines += timeline(model, chart, inner, room)
        note: Line = (("█", "area_low"), (" p50  ", "dim"), ("█", "area"), (" p99", "dim"))
        if model.view.mono:
            note = (("█ p50  ░ p99", "dim"),)
        return frame(lines, width, height, "Latency ms", (*peak, *note), focused)


def _role(value: float) -> str:
    if value >= LATENCY_BAD_MS:
        return "area_bad"
    return "area_warn" if value >= LATENCY_WARN_MS else "area"


def _figures(latency: Percentiles, inner: int) -> Line:
    figures: tuple[tuple[str, float], ...] = (
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p999", latency.p999),
        ("max", latency.max),
    )
    if inner < 60:
        figures = (figures[0], figures[2], figures[4])
    spans: list[tuple[str, str]] = []
    for label, value in figures:
        spans += [
            (f"{label} ", "dim"),
            (f"{ms(value) if latency.count else NO_FIGURE:>5}", "bright"),
        ]
        spans.append(("  ", "dim"))
    return spread(tuple(spans), ((f"{count(latency.count)} answers", "dim"),), inner)


PANEL = Latency()
