"""The load: players over time, with the faults that were armed meanwhile."""

from console.figures import ceiling, count
from console.lines import Line, clean
from console.model import Model
from console.widgets.frame import frame
from console.widgets.spark import Chart, with_axis
from engine.protocol.feed import Snapshot

AXIS = 6


class Load:
    """Figures, a row of fault marks, the chart."""

    name = "load"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.players, snapshot.series, snapshot.faults

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        snapshot = model.snapshot or Snapshot(run="")
        inner, rows = width - 4, height - 2
        lines = [_figures(snapshot, inner)]
        series = snapshot.series.players
        top = max((*series[-inner:], float(snapshot.players.target), 1.0))
        chart = Chart(
            series,
            top=ceiling(top * 1.02),
            role=lambda _: "players",
            limit=float(snapshot.players.target) or None,
            mono=model.view.mono,
        )
        with_marks = rows >= 4
        room = rows - 1 - with_marks
        if with_marks:
            lines.append(_marks(snapshot, inner))
        if room >= 1:
            lines += with_axis(chart, inner, room)
        note: Line = ((clean(snapshot.players.stage, 40), "note"),)
        return frame(lines, width, height, "Load", note, focused)


def _figures(snapshot: Snapshot, inner: int) -> Line:
    players, commands = snapshot.players, snapshot.commands
    line: Line = (
        ("players ", "dim"),
        (count(players.connected), "bright"),
        (f" of {count(players.target)}", "dim"),
        ("  each ", "dim"),
        (f"{players.commands_per_s_each:g}/s", "bright"),
    )
    if inner >= 46:
        line = (*line, ("  lost ", "dim"), (count(players.lost), "text"))
    if inner >= 60:
        role = "bad" if commands.unanswered else "text"
        line = (*line, ("  unanswered ", "dim"), (count(commands.unanswered), role))
    return line


def _marks(snapshot: Snapshot, inner: int) -> Line:
    """Return a row in which each fault runs from where it was armed to where it ended."""
    columns = inner - AXIS if inner >= 24 else inner
    length = len(snapshot.series.players)
    last_s = snapshot.series.start_s + length - 1
    cells = [" "] * columns
    for fault in snapshot.faults:
        end_s = fault.cleared_at_s if fault.cleared_at_s is not None else snapshot.at_s
        first, last = (columns - 1 - round(last_s - at) for at in (fault.armed_at_s, end_s))
        for column in range(max(0, first), min(columns, last + 1)):
            cells[column] = "━"
        if 0 <= first < columns:
            cells[first] = "↯"
        if fault.recovered_at_s is not None:
            back = columns - 1 - round(last_s - fault.recovered_at_s)
            if 0 <= back < columns:
                cells[back] = "✓"
    label = "faults" if any(cell != " " for cell in cells) else ""
    return ((f"{label:<{inner - columns}}", "dim"), ("".join(cells), "fault"))


PANEL = Load()
