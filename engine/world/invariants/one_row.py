"""one_row: nobody is in the world twice."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    state, count = scene.state, scene.state.count
    rows = state.rows_of(state.id[:count])
    wrong = rows != np.arange(count)
    if not wrong.any():
        return None
    wrong_rows = np.flatnonzero(wrong)

    def at(place: int) -> Break:
        row = int(wrong_rows[place])
        who, found = int(state.id[row]), int(rows[row])
        words = f"{entity_name(who)} stands in row {row} and in row {found}"
        return Break(found, row, words, who)

    # One entity may be there more than twice: each row is a place.
    return Breaks(wrong_rows, rows[wrong_rows].astype(np.int64), at)


INVARIANT = Invariant("one_row", "every entity is in the world once", _check)
