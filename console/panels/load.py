"""The load: players over time, with the faults that were armed meanwhile."""

from console.figures import ceiling, count
from console.lines import Line, clean
from console.model import Model
from console.select.marks import marks_inputs
from console.widgets.frame import frame
from console.widgets.spark import Chart
from console.widgets.timeline import timeline
from engine.protocol.feed import Snapshot


class Load:
    """Figures and the chart."""

    name = "load"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.players, snapshot.series.players, marks_inputs(model)

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
        lines += timeline(model, chart, inner, rows - 1)
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


PANEL = Load()
