"""one_row: nobody is in the world twice."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Invariant, Scene


def _check(scene: Scene) -> Break | None:
    state, count = scene.state, scene.state.count
    rows = state.rows_of(state.id[:count])
    wrong = rows != np.arange(count)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    who, found = int(state.id[row]), int(rows[row])
    words = f"{entity_name(who)} stands in row {row} and in row {found}"
    return Break(found, row, words, who, who)


INVARIANT = Invariant("one_row", "every entity is in the world once", _check)
