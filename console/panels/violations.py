"""Violations: what was denied, changed or broken, newest at the bottom."""

from console.figures import count
from console.lines import Line, clean
from console.model import Model
from console.seen import open_of
from console.select.lists import list_note, list_window
from console.widgets.frame import frame
from console.widgets.table import Column, heading, row, widths
from engine.protocol.events import entity_name
from engine.protocol.feed import ViolationRow

NARROW = (Column("tick", 6, number=True), Column("actor", 12), Column("policy", 10, grow=True))
WIDE = (
    Column("tick", 6, number=True),
    Column("actor", 12),
    Column("policy", 12),
    Column("reason", 12, grow=True),
)


class Violations:
    """A table; critical rows carry a mark."""

    name = "violations"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        return snapshot.violations, model.view.violations, model.seen

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        inner = width - 4
        columns = WIDE if inner >= 56 else NARROW
        sizes = widths(columns, inner)
        shown = list_window(model.shown, model.view, "violations", max(1, height - 3))
        lines = [heading(columns, sizes)]
        follow = model.view.violations.follow
        for index, item in enumerate(shown.rows):
            assert isinstance(item, ViolationRow)  # noqa: S101 - the window of violations holds these
            every = _quiet(item) if model.seen.has(item) else _cells(item)
            picked = focused and index == shown.picked and not follow
            lines.append(row(every[: len(columns)], columns, sizes, picked, inner))
        if not shown.rows:
            lines = [(("none so far", "dim"),)]
            if model.view.violations.filter:
                lines = [(("none passes the filter", "dim"),)]
        note = list_note(model.view, "violations", shown, "kept")
        snapshot = model.snapshot
        if snapshot is not None and not model.view.violations.filter:
            total = snapshot.violations
            unseen, critical = open_of(model.seen, total)
            note = ((f"{count(unseen)} open of {count(total.total)}, {total.per_s:.1f}/s", "dim"),)
            if critical:
                note = ((f"✖ {count(critical)} critical  ", "bad"), *note)
        return frame(lines, width, height, "Violations", note, focused)


def _cells(item: ViolationRow) -> tuple[Line, ...]:
    role, mark = ("bad", "✖") if item.critical else ("text", "▲")
    policy = "bad" if item.critical else "warn"
    return (
        ((str(item.tick), "faint"),),
        ((entity_name(item.actor), role),),
        ((f"{mark} {clean(item.policy, 40)}", policy),),
        ((clean(item.reason), "dim"),),
    )


def _quiet(item: ViolationRow) -> tuple[Line, ...]:
    """Return the cells of a row that was acknowledged: dimmed, and told by its mark."""
    return (
        ((str(item.tick), "faint"),),
        ((entity_name(item.actor), "dim"),),
        ((f"✓ {clean(item.policy, 40)}", "dim"),),
        ((clean(item.reason), "dim"),),
    )


PANEL = Violations()
