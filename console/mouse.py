"""From a place on the screen to what it means. Pure."""

from typing import Final

from console import layout
from console.items import Item, Pick, Press, Scroll
from console.lists import window
from console.model import Model, list_keys
from console.panels.strip import page_at
from console.select.places import boxes, first_row, rows_of
from console.select.story import beat_at

WHEEL_ROWS: Final = 3
"""Rows that one notch of the wheel moves a list."""


def clicked(model: Model, x: int, y: int) -> Item | None:
    """Return what a click means: a panel's focus, a row's pick, a page; None for nothing."""
    for box in boxes(model):
        if not (box.x <= x < box.x + box.width and box.y <= y < box.y + box.height):
            continue
        if box.panel == layout.STRIP:
            page = page_at(model, box.width, x - box.x)
            return None if page is None else Press(f"page_{page}")
        if box.panel not in layout.panels_of(model.view.page):
            return None
        return Pick(box.panel, _key_at(model, box, y))
    return None


def wheeled(model: Model, x: int, y: int, down: bool) -> Item | None:
    """Return what a turn of the wheel means: the list under it moves; None for nothing."""
    for box in boxes(model):
        inside = box.x <= x < box.x + box.width and box.y <= y < box.y + box.height
        if inside and box.panel in layout.LISTS:
            return Scroll(box.panel, WHEEL_ROWS if down else -WHEEL_ROWS)
    return None


def _key_at(model: Model, box: layout.Box, y: int) -> int | None:
    """Return the key of the list row at ``y``, None where there is none."""
    if box.panel not in layout.LISTS:
        return None
    if y == box.y + box.height - 1:
        return None  # the border, also of a box too low for a list
    row = y - box.y - first_row(box.panel)
    if box.panel == "story":
        return beat_at(model, row)
    look = getattr(model.view, box.panel)
    if box.panel == "entities":
        look = type(look)(cursor=look.cursor, top=look.top)
    keys = list_keys(model.shown, model.view, box.panel)
    rows = rows_of(model, box.panel)
    first, _ = window(keys, rows, look)
    return keys[first + row] if 0 <= row < rows and first + row < len(keys) else None
