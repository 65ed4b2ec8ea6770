"""The status line: every vital figure, all the time, as well as the width allows."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from console.lines import Line, cell_width, changed, fit, left, line_width, right
from console.model import Model
from console.select.vitals import Tile, tiles

RUN_WIDTH: Final = 28
RUN_WIDTH_BRIEF: Final = 15
"""Cells that a label may take beyond its figure; a run's name can be long."""
AIR_WIDTH_MIN: Final = 10
FAULTS_WIDTH: Final = 24
FAULTS_WIDTH_BRIEF: Final = 6


class Vitals:
    """Labels above figures; on a single row the figures alone."""

    name = "vitals"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return tiles(model)

    def draw(self, model: Model, width: int, height: int, _focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        air = " " if width >= AIR_WIDTH_MIN else ""
        labels: list[tuple[str, str]] = [(air, "dim")]
        values: list[tuple[str, str]] = [(air, "dim")]
        for index, cell in enumerate(choose(tiles(model), width, labelled=height > 1)):
            if index:
                labels.append((" " * cell.gap, "dim"))
                values.append((" " * cell.gap, "dim"))
            role = "brand" if index == 0 else "dim"
            align = right if cell.number else left
            labels.append((align(cell.label, cell.width), role))
            pad = max(0, cell.width - line_width(cell.value)) if cell.number else 0
            values += [(" " * pad, "text"), *fit(cell.value, cell.width - pad)]
        lines = [fit(labels, width, "dim"), fit(values, width, "dim")]
        return [changed(line, "band") for line in lines[-height:]]


class Shown(NamedTuple):
    """A tile in the form that was chosen for it."""

    label: str
    value: Line
    width: int
    number: bool
    gap: int


def choose(every: Sequence[Tile], width: int, labelled: bool) -> list[Shown]:
    """Return the tiles as they fit in ``width``.

    The least important tile is shortened first; when all are short, it goes.
    """
    order = sorted(range(len(every)), key=lambda index: every[index].keep)
    for shortened in range(len(every) + 1):
        brief = frozenset(order[:shortened])
        for gap in (3, 2):
            found = _fitted(every, brief, gap, width, labelled)
            if found is not None:
                return found
    shown = list(every)
    while len(shown) > 1:
        found = _fitted(shown, frozenset(range(len(shown))), 1, width, labelled)
        if found is not None:
            return found
        shown.remove(min(shown, key=lambda tile: tile.keep))
    tile = shown[0]
    return [
        Shown(
            tile.brief,
            tile.brief_value,
            max(1, width - 2 if width >= AIR_WIDTH_MIN else width),
            tile.number,
            0,
        )
    ]


def _fitted(
    every: Sequence[Tile], brief: frozenset[int], gap: int, width: int, labelled: bool
) -> list[Shown] | None:
    shown = []
    for index, tile in enumerate(every):
        label, value = (
            (tile.brief, tile.brief_value) if index in brief else (tile.label, tile.value)
        )
        size = line_width(value)
        if tile.grow:
            size = min(size, FAULTS_WIDTH_BRIEF if index in brief else FAULTS_WIDTH)
        if labelled:
            named = RUN_WIDTH_BRIEF if index in brief else RUN_WIDTH
            size = max(size, min(cell_width(label), named))
        shown.append(Shown(label, value, size, tile.number, gap))
    spare = width - 2 - sum(cell.width for cell in shown) - gap * (len(shown) - 1)
    if spare < 0:
        return None
    return [
        cell._replace(width=cell.width + spare) if tile.grow else cell
        for tile, cell in zip(every, shown, strict=True)
    ]


PANEL = Vitals()
