"""What must always hold. A break is told as an event, never mended."""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.world.events import Code
from engine.world.state import State
from engine.world.turn import Turn

Break = tuple[int, int, str]
"""What was found, what was expected, and both in words."""


def _gold_conservation(state: State) -> Break | None:
    gold = state.gold[: state.count]
    found = int(gold.sum()) + state.treasury
    if found != state.supply:
        return found, state.supply, f"{found} gold in the world, there must be {state.supply}"
    least = min(state.treasury, int(gold.min(initial=0)))
    if least < 0:
        return least, 0, f"a purse holds {least} gold"
    return None


def _hp_bounds(state: State) -> Break | None:
    hp, hp_max = state.hp[: state.count], state.hp_max[: state.count]
    wrong = np.nonzero((hp < 0) | (hp > hp_max))[0]
    if not len(wrong):
        return None
    row = int(wrong[0])
    found, most = int(hp[row]), int(hp_max[row])
    return found, most, f"entity {state.id[row]} has {found} hp, allowed are 0 to {most}"


INVARIANTS: Final[tuple[tuple[str, Callable[[State], Break | None]], ...]] = (
    ("gold_conservation", _gold_conservation),
    ("hp_bounds", _hp_bounds),
)


def check_invariants(turn: Turn) -> None:
    """Emit an ``invariant_broken`` in the world's stream for each that does not hold."""
    for name, holds in INVARIANTS:
        broken = holds(turn.state)
        if broken is None:
            continue
        found, expected, words = broken
        seq = turn.emit(Code.INVARIANT_BROKEN, np.zeros(1, np.int64), a=found, b=expected)
        turn.text(seq, f"{name}: {words}")
