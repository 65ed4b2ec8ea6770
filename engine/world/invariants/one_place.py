"""one_place: everybody stands on the map, in the one zone and the one cell of that spot."""

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.limits import CELLS_PER_SIDE, POSITION_MAX, ZONES_PER_SIDE
from engine.world.invariants.base import Break, Invariant, Scene

_SIDE = POSITION_MAX + 1


def _check(scene: Scene) -> Break | None:
    state, count = scene.state, scene.state.count
    x, y = state.x[:count], state.y[:count]
    zone = y // (_SIDE // ZONES_PER_SIDE) * ZONES_PER_SIDE + x // (_SIDE // ZONES_PER_SIDE)
    cell = y // (_SIDE // CELLS_PER_SIDE) * CELLS_PER_SIDE + x // (_SIDE // CELLS_PER_SIDE)
    # The map's side is a power of two: a place off the map has other bits.
    wrong = ((x | y) & ~POSITION_MAX) != 0
    wrong |= (zone != state.zone[:count]) | (cell != state.cell[:count])
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    who, at = int(state.id[row]), f"({x[row]}, {y[row]})"
    if not (0 <= x[row] <= POSITION_MAX and 0 <= y[row] <= POSITION_MAX):
        far = max(int(x[row]), int(y[row]), key=lambda one: abs(one - POSITION_MAX // 2))
        words = f"{entity_name(who)} is off the map at {at}, 0 to {POSITION_MAX}"
        return Break(far, POSITION_MAX, words, who, who)
    for what, there in (("zone", zone), ("cell", cell)):
        found, expected = int(state.columns[what][row]), int(there[row])
        if found != expected:
            words = f"{entity_name(who)} is in {what} {found} and at {at}, in {what} {expected}"
            return Break(found, expected, words, who, who)
    return None


INVARIANT = Invariant("one_place", "nobody off the map or in two zones", _check)
