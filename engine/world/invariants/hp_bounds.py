"""hp_bounds: hit points lie between nothing and what the level gives."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Invariant, Scene


def _check(scene: Scene) -> Break | None:
    state = scene.state
    hp, hp_max = state.hp[: state.count], state.hp_max[: state.count]
    wrong = (hp < 0) | (hp > hp_max)
    if not wrong.any():
        return None
    row = int(np.argmax(wrong))
    who, found, most = int(state.id[row]), int(hp[row]), int(hp_max[row])
    words = f"{entity_name(who)} has {found} hp, allowed are 0 to {most}"
    return Break(found, most if found > most else 0, words, who, who)


INVARIANT = Invariant("hp_bounds", "hit points between 0 and what the level gives", _check)
