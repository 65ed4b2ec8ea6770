"""Where the panels stand now, and how much of a list fits in each. Pure."""

from collections.abc import Sequence

from console import layout
from console.model import Model, shown_beats
from console.select.banner import banner
from console.tale import beat_rows
from engine.protocol.limits import PAGE_ROWS_MAX


def boxes(model: Model) -> tuple[layout.Box, ...]:
    """Return where every panel stands, below the banner if there is one."""
    view = model.view
    said = len(banner(model, view.quit_key))
    return layout.arrange(view.width, view.height, view.page, view.focus, view.zoom, said)


def rows_of(model: Model, panel: str) -> int:
    """Return how many list rows fit in a panel as it stands (border and heading apart)."""
    for box in boxes(model):
        if box.panel == panel:
            return max(1, box.height - 1 - first_row(panel) - _foot(model, panel))
    return 20


def first_row(panel: str) -> int:
    """Return how many rows of border and heading stand above a list's first."""
    return 1 if panel in {"events", "story"} else 2


def sizes_of(model: Model, panel: str) -> Sequence[int]:
    """Return how many lines each row of a list takes; empty where all take one."""
    if panel != "story":
        return ()
    width = next((box.width for box in boxes(model) if box.panel == panel), model.view.width)
    return beat_rows(shown_beats(model.shown, model.view), width - 4)


def entities_wanted(model: Model) -> tuple[int, int]:
    """Return (rows to skip, rows) of the page of entities to ask for: a screenful around."""
    height = rows_of(model, "entities")
    limit = min(PAGE_ROWS_MAX, height * 2)
    return max(0, model.view.entities.top - height // 2), limit


def _foot(model: Model, panel: str) -> int:
    """Return how many rows below a list are taken: by what is said of a missing narrator."""
    if panel != "story" or model.snapshot is None:
        return 0
    return int(model.snapshot.story.narrator != "telling")
