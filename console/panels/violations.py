"""Violations: what was denied, changed or broken, newest at the bottom."""

from console.figures import count
from console.lines import Line, clean, line_width
from console.model import Model
from console.seen import Seen, open_of
from console.select.lists import list_note, list_window, newer_note
from console.widgets.frame import frame
from console.widgets.table import Column, heading, row, widths
from engine.protocol.events import entity_name
from engine.protocol.feed import ViolationRow, ViolationsView

NARROW = (Column("tick", 6, number=True), Column("actor", 12), Column("policy", 10, grow=True))
WIDE = (
    Column("tick", 6, number=True),
    Column("actor", 12),
    Column("policy", 12),
    Column("reason", 12, grow=True),
)

FRAME_WIDTH = 19
"""Cells of the upper edge that the note cannot have: the corners, the title, some air."""


class Violations:
    """A table; critical rows carry a mark."""

    name = "violations"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        snapshot = model.snapshot
        if snapshot is None:
            return None
        view = model.view
        return snapshot.violations, view.violations, view.still_violations, model.seen

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
            since = newer_note(model.view, shown)
            room = width - FRAME_WIDTH - line_width(since)
            note = (*since, *_note(model.seen, snapshot.violations, room))
        return frame(lines, width, height, "Violations", note, focused)


def _note(seen: Seen, view: ViolationsView, room: int) -> Line:
    """Return how many are open, in as many words as fit in ``room`` cells."""
    unseen, critical = open_of(seen, view)
    alarm: Line = ((f"✖ {count(critical)} critical  ", "bad"),) if critical else ()
    words = f"{count(unseen)} open"
    for more in (f" of {count(view.total)}", f", {view.per_s:.1f}/s"):
        if line_width(alarm) + len(words) + len(more) > room:
            break
        words += more
    return (*alarm, (words, "dim"))


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
