"""Entities: who is in the world, sorted and filtered by the engine, a page at a time."""

from console.figures import count, short
from console.lines import Line, clean, fit
from console.model import Model
from console.select.lists import KIND_MARKS, entity_state, hp_role, list_note, list_window
from console.widgets.frame import frame
from console.widgets.gauge import gauge
from console.widgets.table import Column, heading, row, widths
from engine.protocol.events import entity_name
from engine.protocol.query import EntityRow

TINY = (
    Column("name", 12),
    Column("hp", 8, grow=True),
    Column("gold", 6, number=True),
    Column("zone", 4, number=True),
)
NARROW = (
    Column("name", 12, grow=True),
    Column("hp", 8),
    Column("gold", 6, number=True),
    Column("level", 6, number=True),
    Column("zone", 5, number=True),
)
MIDDLE = (
    Column("name", 12),
    Column("state", 7),
    Column("hp", 12, grow=True),
    Column("gold", 7, number=True),
    Column("level", 6, number=True),
    Column("zone", 5, number=True),
)
ROOMY = (
    Column("name", 13),
    Column("state", 7),
    Column("hp", 12, grow=True),
    Column("gold", 7, number=True),
    Column("goods", 6, number=True),
    Column("level", 6, number=True),
    Column("zone", 5, number=True),
    Column("lives", 6, number=True),
)
WIDE = (
    Column("name", 14),
    Column("state", 8),
    Column("hp", 16, grow=True),
    Column("gold", 7, number=True),
    Column("goods", 6, number=True),
    Column("level", 6, number=True),
    Column("zone", 5, number=True),
    Column("x", 6, number=True),
    Column("y", 6, number=True),
    Column("faction", 8, number=True),
    Column("lives", 6, number=True),
    Column("stage", 15),
)
BY_WIDTH = ((100, WIDE), (70, ROOMY), (54, MIDDLE), (44, NARROW), (0, TINY))
"""The widest table that fits."""


class Entities:
    """A table; the bar beside the health says how much of it is left."""

    name = "entities"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        data = model.shown
        return data.entities, data.entities_after, data.entities_problem, model.view.entities

    def draw(self, model: Model, width: int, height: int, focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        inner = width - 4
        columns = next(columns for least, columns in BY_WIDTH if max(0, inner) >= least)
        sizes = widths(columns, inner)
        shown = list_window(model.shown, model.view, "entities", max(1, height - 3))
        lines = [heading(columns, sizes, model.view.entities.sort)]
        for index, entity in enumerate(shown.rows):
            if entity is None:
                lines.append((("  …", "dim"),))
                continue
            assert isinstance(entity, EntityRow)  # noqa: S101 - the window of entities holds these
            cells = [
                _cell(entity, column, size) for column, size in zip(columns, sizes, strict=True)
            ]
            lines.append(row(cells, columns, sizes, focused and index == shown.picked, inner))
        if not shown.rows:
            lines.append((("  " + _nothing(model), "dim"),))
        note = list_note(model.view, "entities", shown, "found")
        if model.shown.entities_problem:
            note = ((f"▲ {clean(model.shown.entities_problem, 60)}", "warn"),)
        return frame(lines, width, height, "Entities", note, focused)


def _nothing(model: Model) -> str:
    if model.shown.entities is None:
        return "waiting for the first page…"
    return "no entity passes the filter" if model.view.entities.filter else "the world is empty"


def _cell(entity: EntityRow, column: Column, size: int) -> Line:
    role = "text" if entity.alive else "dim"
    match column.title:
        case "name":
            kind = clean(entity.kind, 12)
            looks = kind if kind in KIND_MARKS else "dim"
            return fit(
                ((f"{KIND_MARKS.get(kind, '?')} ", looks), (entity_name(entity.id), role)), size
            )
        case "state":
            return (entity_state(entity),)
        case "hp":
            share = entity.hp / entity.hp_max if entity.hp_max else 0.0
            return ((f"{short(entity.hp):>4} ", role), *gauge(share, size - 5, hp_role(entity)))
        case "x" | "y":
            return ((f"{getattr(entity, column.title):.1f}", "dim"),)
        case "stage":
            return ((clean(entity.stage, 20), "dim"),)
        case "gold" | "goods":
            value = getattr(entity, column.title)
            return ((count(value), role if value else "faint"),)
        case _:
            return (
                (str(getattr(entity, column.title)), role if column.title == "level" else "dim"),
            )


PANEL = Entities()
