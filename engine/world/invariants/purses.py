"""purses: nobody owes: no purse, no sack and not the treasury holds less than nothing."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Invariant, Scene


def _check(scene: Scene) -> Break | None:
    state = scene.state
    if state.treasury < 0:
        return Break(state.treasury, 0, f"the treasury holds {state.treasury} gold")
    for what in ("gold", "goods"):
        holding = state.columns[what][: state.count]
        if int(holding.min(initial=0)) >= 0:
            continue
        row = int(np.argmax(holding < 0))
        who, found = int(state.id[row]), int(holding[row])
        return Break(found, 0, f"{entity_name(who)} holds {found} {what}", who, who)
    return None


INVARIANT = Invariant("purses", "nobody holds less than nothing", _check)
