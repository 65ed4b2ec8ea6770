"""purses: nobody owes: no purse, no sack and not the treasury holds less than nothing."""

from typing import Final

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Breaks, Invariant, Scene

_WHAT: Final = ("gold", "goods")


def _check(scene: Scene) -> Breaks | None:
    state = scene.state
    holdings = [state.columns[what][: state.count] for what in _WHAT]
    if state.treasury >= 0 and all(int(holding.min(initial=0)) >= 0 for holding in holdings):
        return None
    # Entity 0 is the world: its purse is the treasury.
    parts = [np.array([(0, 0, state.treasury)], np.int64)] if state.treasury < 0 else []
    for which, holding in enumerate(holdings):
        rows = np.flatnonzero(holding < 0)
        columns = (np.full(len(rows), which), state.id[rows], holding[rows])
        parts.append(np.stack([column.astype(np.int64) for column in columns], axis=1))
    table = np.concatenate(parts)

    def at(place: int) -> Break:
        which, who, found = table[place].tolist()
        name = entity_name(who) if who else "the treasury"
        return Break(found, 0, f"{name} holds {found} {_WHAT[which]}", who)

    return Breaks(table[:, 0] << 32 | table[:, 1], table[:, 2], at)


INVARIANT = Invariant("purses", "nobody holds less than nothing", _check)
