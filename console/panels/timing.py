"""Tick timing: p99 a second against the interval, and where the time goes."""

from console.figures import ceiling, count, ms
from console.lines import Line, line_width
from console.model import Model
from console.select.marks import marks_inputs
from console.widgets.frame import frame
from console.widgets.gauge import part_glyph, parts
from console.widgets.spark import Chart, highest
from console.widgets.timeline import timeline
from engine.protocol.feed import TickView

PHASES = ("govern", "step", "react", "hash", "append", "fan_out")


class Timing:
    """Figures, the chart, the phases."""

    name = "timing"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.tick, snapshot.series.tick_ms_p99, marks_inputs(model)

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        snapshot = model.snapshot
        tick = snapshot.tick if snapshot else TickView()
        series = snapshot.series.tick_ms_p99 if snapshot else ()
        inner, rows = width - 4, height - 2
        lines = [_figures(tick, inner)]
        legend = _legend(tick, inner, model.view.mono)
        below = len(legend) + 1
        room = rows - 1 - below
        if room < 2:
            legend, below, room = [], 1, rows - 2
        if room >= 1:
            interval = float(tick.interval_ms)
            worst = highest(series[-inner:], 0.0)
            chart = Chart(
                series,
                top=interval if worst <= interval else ceiling(worst),
                role=lambda value: _role(value, interval),
                limit=interval,
                mono=model.view.mono,
            )
            lines += timeline(model, chart, inner, room)
        found = [(name, tick.phases_ms_p95.get(name, 0.0)) for name in PHASES]
        lines.append(parts(found, inner, model.view.mono))
        lines += legend
        note: Line = ((f"p99 each second, limit {tick.interval_ms} ms", "dim"),)
        return frame(lines, width, height, "Tick", note, focused)


def _role(value: float, interval: float) -> str:
    if value >= interval:
        return "area_bad"
    return "area_warn" if value >= interval * 0.5 else "area"


def _figures(tick: TickView, inner: int) -> Line:
    """Return the figures, each with its number or not at all: the least telling go first."""
    shown: dict[str, Line] = {
        "p50": (("p50 ", "dim"), (f"{ms(tick.ms_p50):>5}", "bright")),
        "p99": (("  p99 ", "dim"), (f"{ms(tick.ms_p99):>5}", "bright")),
        "max": (("  max ", "dim"), (f"{ms(tick.ms_max):>5}", "bright")),
        "overruns": _counted("   overruns ", tick.overruns),
        "skipped": _counted("  skipped ", tick.skipped),
    }
    order = ["max", "skipped", "overruns", "p50"]
    for name, figure in (("overruns", tick.overruns), ("skipped", tick.skipped)):
        if not figure:
            order.remove(name)
            order.insert(0, name)
    for name in order:
        if sum(map(line_width, shown.values())) <= inner:
            break
        del shown[name]
    return tuple(span for line in shown.values() for span in line)


def _counted(label: str, figure: int) -> Line:
    return ((label, "dim"), (count(figure), "bad" if figure else "dim"))


def _legend(tick: TickView, inner: int, mono: bool) -> list[Line]:
    cells: list[Line] = []
    for index, name in enumerate(PHASES):
        value = tick.phases_ms_p95.get(name, 0.0)
        mark = part_glyph(index, mono) if mono else "■"
        label = name.replace("_", "-")
        cells.append(((f"{mark} ", name), (f"{label:<7} ", "dim"), (f"{value:>4.1f}  ", "text")))
    per_row = max(1, min(6, (inner + 2) // 16))
    per_row = {4: 3, 5: 3}.get(per_row, per_row)
    if per_row < 2:
        return []
    return [
        tuple(span for cell in cells[start : start + per_row] for span in cell)
        for start in range(0, len(cells), per_row)
    ]


PANEL = Timing()
