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
        orders = hearing.orders
        square = _distance_squared(hearing)
        aims = (orders.kind == ATTACK) | (orders.kind == GATHER) | (orders.kind == TRADE)
        return Judgement(aims & (square > REACH_UNITS**2), lambda rows: _why(square[rows]))


def _distance_squared(hearing: Hearing) -> Array:
    state, actor, target = hearing.state, hearing.orders.actor_row, hearing.orders.target_row
    dx = (state.x[target] - state.x[actor]).astype(np.int64)
    dy = (state.y[target] - state.y[actor]).astype(np.int64)
    return dx * dx + dy * dy


def _why(squares: Array) -> list[str]:
    allowed = REACH_UNITS // POSITION_UNITS_PER_TILE
    tiles = (np.sqrt(squares) / POSITION_UNITS_PER_TILE).tolist()
    return [f"target {far:.1f} tiles away, allowed {allowed}" for far in tiles]


POLICY = Reach()
