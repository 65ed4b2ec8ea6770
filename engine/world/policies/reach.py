"""reach: attack, gather and trade need the target within two tiles."""

from dataclasses import dataclass

import numpy as np

from engine.protocol.limits import POSITION_UNITS_PER_TILE
from engine.world.arrays import Array
from engine.world.constants import REACH_UNITS
from engine.world.orders import ATTACK, GATHER, TRADE
from engine.world.policies.base import Hearing, Judgement


@dataclass(frozen=True, slots=True)
class Reach:
    """The straight line between actor and target counts."""

    name: str = "reach"
    help: str = "attacking, gathering or trading over more than 2 tiles"
    priority: int = 30
    whole_tick: bool = False

    def judge(self, hearing: Hearing) -> Judgement:
        """See ``Policy``."""
        kind = hearing.orders.kind
        aiming = np.nonzero((kind == ATTACK) | (kind == GATHER) | (kind == TRADE))[0]
        deny = np.zeros(len(kind), bool)
        if len(aiming):
            deny[aiming] = _distance_squared(hearing, aiming) > REACH_UNITS**2
        return Judgement(deny, lambda rows: _why(_distance_squared(hearing, rows)))


def _distance_squared(hearing: Hearing, rows: Array) -> Array:
    state, orders = hearing.state, hearing.orders
    actor, target = orders.actor_row[rows], orders.target_row[rows]
    dx = (state.x[target] - state.x[actor]).astype(np.int64)
    dy = (state.y[target] - state.y[actor]).astype(np.int64)
    square: Array = dx * dx + dy * dy
    return square


def _why(squares: Array) -> list[str]:
    allowed = REACH_UNITS // POSITION_UNITS_PER_TILE
    tiles = (np.sqrt(squares) / POSITION_UNITS_PER_TILE).tolist()
    return [f"target {far:.1f} tiles away, allowed {allowed}" for far in tiles]


POLICY = Reach()
