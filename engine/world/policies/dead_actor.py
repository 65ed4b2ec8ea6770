"""dead-actor: the dead wait for their next life."""

from dataclasses import dataclass

from engine.world.arrays import Array
from engine.world.policies.base import Hearing, Judgement
from engine.world.state import NODE


@dataclass(frozen=True, slots=True)
class DeadActor:
    """Who has no hit points left, or is not in the world at all, does nothing.

    Resource nodes never have hit points.
    """

    name: str = "dead-actor"
    help: str = "acting while dead, or without being in the world"
    priority: int = 15
    whole_tick: bool = False

    def judge(self, hearing: Hearing) -> Judgement:
        """See ``Policy``."""
        state, rows = hearing.state, hearing.orders.actor_row
        deny = (state.alive[rows] == 0) | (state.hp[rows] == 0) | (rows < 0)
        return Judgement(deny, lambda rows: _why(hearing, rows))


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
