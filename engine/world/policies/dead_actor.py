"""dead-actor: the dead wait for their next life."""

from dataclasses import dataclass

import numpy as np

from engine.world.arrays import Array
from engine.world.hearing import Hearing
from engine.world.policies.base import Judgement, NoParams
from engine.world.state import NODE


@dataclass(frozen=True, slots=True)
class DeadActor:
    """Who has no hit points left, or is not in the world at all, does nothing.

    Resource nodes never have hit points, and the dead have none.
    """

    name: str = "dead-actor"
    help: str = "acting while dead, or without being in the world"
    priority: int = 15
    kinds: tuple[int, ...] = ()
    steady: bool = False
    fixed: bool = True
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: NoParams) -> Judgement | None:
        """See ``Policy``."""
        del params
        denied = np.flatnonzero((hearing.actor("hp") == 0) | (hearing.orders.actor_row < 0))
        return Judgement(denied, lambda at: _why(hearing, denied[at])) if len(denied) else None


def _why(hearing: Hearing, rows: Array) -> list[str]:
    actors = hearing.orders.actor_row[rows]
    state = hearing.state
    columns = (actors, state.kind[actors], state.due_tick[actors])
    return [_words(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _words(actor: int, kind: int, due: int) -> str:
    if actor < 0:
        return "not in the world"
    if kind == NODE:
        return "a node does not act"
    return f"dead until tick {due}" if due else "killed in this tick"


POLICY = DeadActor()
