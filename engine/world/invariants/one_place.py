"""one_place: everybody stands on the map, in the one zone and the one cell of that spot."""

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.limits import CELLS_PER_SIDE, POSITION_MAX, ZONES_PER_SIDE
from engine.world.arrays import Array
from engine.world.invariants.base import Break, Breaks, Invariant, Scene

_SIDE = POSITION_MAX + 1
_OFF_MAP, _ZONE, _CELL = range(3)


def _check(scene: Scene) -> Breaks | None:
    state, count = scene.state, scene.state.count
    x, y = state.x[:count], state.y[:count]
    zone = y // (_SIDE // ZONES_PER_SIDE) * ZONES_PER_SIDE + x // (_SIDE // ZONES_PER_SIDE)
    cell = y // (_SIDE // CELLS_PER_SIDE) * CELLS_PER_SIDE + x // (_SIDE // CELLS_PER_SIDE)
    # The map's side is a power of two: a place off the map has other bits.
    wrong = ((x | y) & ~POSITION_MAX) != 0
    wrong |= (zone != state.zone[:count]) | (cell != state.cell[:count])
    if not wrong.any():
        return None
    rows = np.flatnonzero(wrong)
    who = state.id[rows].astype(np.int64)
    found, expected, kind = _figures(scene, rows, zone[rows], cell[rows])

    def at(place: int) -> Break:
        row, name = rows[place], entity_name(int(who[place]))
        spot, is_, must = f"({x[row]}, {y[row]})", int(found[place]), int(expected[place])
        if kind[place] == _OFF_MAP:
            words = f"{name} is off the map at {spot}, 0 to {POSITION_MAX}"
        else:
            what = "zone" if kind[place] == _ZONE else "cell"
            words = f"{name} is in {what} {is_} and at {spot}, in {what} {must}"
        return Break(is_, must, words, int(who[place]))

    return Breaks(who, found - expected, at)


def _figures(scene: Scene, rows: Array, zone: Array, cell: Array) -> tuple[Array, Array, Array]:
    """Return what is found, what must be, and which of the three is wrong first, (n,) each."""
    columns = (scene.state.columns[name][rows] for name in ("x", "y", "zone", "cell"))
    x, y, in_zone, in_cell = (column.astype(np.int64) for column in columns)
    half = POSITION_MAX // 2
    far = np.where(abs(x - half) >= abs(y - half), x, y)
    off_map = ((x | y) & ~POSITION_MAX) != 0
    kind = np.where(off_map, _OFF_MAP, np.where(in_zone != zone, _ZONE, _CELL))
    found = np.choose(kind, (far, in_zone, in_cell))
    expected = np.choose(kind, (np.full(len(rows), POSITION_MAX), zone, cell))
    return found, expected, kind


INVARIANT = Invariant("one_place", "nobody off the map or in two zones", _check)
