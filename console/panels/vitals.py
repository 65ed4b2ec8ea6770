"""The status line: every vital figure, all the time, as well as the width allows."""

from console.lines import Line, changed, cut, fit, left, line_width, right
from console.model import Model
from console.select.vitals import Tile, tiles

GAPS = (3, 2, 1)
RUN_WIDTH_MAX = 30


class Vitals:
    """Labels above figures; on a single row the figures alone."""

    name = "vitals"

    def inputs(self, model: Model) -> object:
        """See ``Panel.inputs``."""
        return tiles(model)

    def draw(self, model: Model, width: int, height: int, _focused: bool) -> list[Line]:
        """See ``Panel.draw``."""
        shown, brief, gap, sizes = choose(tiles(model), width, labels=height > 1)
        labels: list[tuple[str, str]] = [(" ", "dim")]
        values: list[tuple[str, str]] = [(" ", "dim")]
        for index, (tile, size) in enumerate(zip(shown, sizes, strict=True)):
            if index:
                labels.append((" " * gap, "dim"))
                values.append((" " * gap, "dim"))
            label = tile.brief if brief else tile.label
            value = tile.brief_value if brief else tile.value
            role = "brand" if index == 0 else "dim"
            labels.append((right(label, size) if tile.number else left(label, size), role))
            pad = max(0, size - line_width(value))
            if tile.number:
                values += [(" " * pad, "text"), *fit(value, size - pad)]
            else:
                values += fit(value, size)
        lines = [fit(labels, width, "dim"), fit(values, width, "dim")]
        if height == 1:
            lines = lines[1:]
        return [changed(line, "band") for line in lines[:height]]


def choose(
    every: tuple[Tile, ...], width: int, labels: bool
) -> tuple[list[Tile], bool, int, list[int]]:
    """Return (tiles that fit, whether in their short form, gap, sizes).

    Long forms first, then short ones, then the least important tiles go.
    """
    for brief in (False, True):
        for gap in GAPS[:2] if not brief else GAPS:
            sizes = _sizes(every, brief, labels)
            spare = width - 2 - sum(sizes) - gap * (len(every) - 1)
            if spare >= 0:
                return list(every), brief, gap, _grown(every, sizes, spare)
    shown = list(every)
    while len(shown) > 1:
        sizes = _sizes(tuple(shown), True, labels)
        spare = width - 2 - sum(sizes) - (len(shown) - 1)
        if spare >= 0:
            return shown, True, 1, _grown(tuple(shown), sizes, spare)
        shown.remove(min(shown, key=lambda tile: tile.keep))
    return shown, True, 1, [max(1, width - 2)]


def _sizes(shown: tuple[Tile, ...], brief: bool, labels: bool) -> list[int]:
    sizes = []
    for tile in shown:
        value = line_width(tile.brief_value if brief else tile.value)
        label = cut(tile.brief if brief else tile.label, RUN_WIDTH_MAX)
        size = max(value, len(label)) if labels and not tile.grow else value
        if tile.keep == 9 and labels:
            size = max(value, min(len(label), 14 if brief else RUN_WIDTH_MAX))
        if tile.grow and brief:
            size = min(size, 6)
        elif tile.grow:
            size = max(min(size, 24), len(label))
        sizes.append(size)
    return sizes


def _grown(shown: tuple[Tile, ...], sizes: list[int], spare: int) -> list[int]:
    """Give what is left to the tile that grows; without one it stays at the end."""
    for index, tile in enumerate(shown):
        if tile.grow:
            sizes[index] += spare
    return sizes


PANEL = Vitals()
