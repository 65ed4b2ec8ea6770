"""hp_bounds: hit points lie between nothing and what the level gives."""

import numpy as np

from engine.protocol.events import entity_name
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    state = scene.state
    hp, hp_max = state.hp[: state.count], state.hp_max[: state.count]
    wrong = (hp < 0) | (hp > hp_max)
    if not wrong.any():
        return None
    rows = np.flatnonzero(wrong)
    found, most = hp[rows].astype(np.int64), hp_max[rows].astype(np.int64)
    bound = np.where(found > most, most, 0)
    who = state.id[rows].astype(np.int64)

    def at(place: int) -> Break:
        one, whose = int(found[place]), int(who[place])
        words = f"{entity_name(whose)} has {one} hp, allowed are 0 to {most[place]}"
        return Break(one, int(bound[place]), words, whose)

    return Breaks(who, found - bound, at)


INVARIANT = Invariant("hp_bounds", "hit points between 0 and what the level gives", _check)
