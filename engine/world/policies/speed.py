"""speed: five tiles a second; up to eight tiles are saved for one step."""

from dataclasses import dataclass

import numpy as np

from engine.protocol.limits import POSITION_UNITS_PER_TILE
from engine.world.apply import walk_clock
from engine.world.arrays import Array, isqrt
from engine.world.constants import WALK_UNITS_SAVED_MAX
from engine.world.orders import MOVE
from engine.world.policies.base import Hearing, Judgement

_SHORTEST_UNITS = POSITION_UNITS_PER_TILE // 4


@dataclass(frozen=True, slots=True)
class Speed:
    """Shortens a step that is longer than the allowance, denies a leap.

    ``State.walked`` is how far the player has walked on the scale of ``walk_clock``; it
    may lie ``WALK_UNITS_SAVED_MAX`` behind the clock, no more. A step beyond that is no
    haste but a teleport.
    """

    name: str = "speed"
    help: str = "walking faster than 5 tiles a second, leaps over 8 tiles"
    priority: int = 40
    whole_tick: bool = False

    def judge(self, hearing: Hearing) -> Judgement:
        """See ``Policy``."""
        state, orders = hearing.state, hearing.orders
        rows = orders.actor_row
        x, y = state.x[rows].astype(np.int64), state.y[rows].astype(np.int64)
        dx, dy = orders.x - x, orders.y - y
        # Wrong places were denied before; clipping keeps their squares within the type.
        square = dx.clip(-(2**20), 2**20) ** 2 + dy.clip(-(2**20), 2**20) ** 2
        length = isqrt(square)
        allowed = (walk_clock(hearing.now_ms) - state.walked[rows]).clip(max=WALK_UNITS_SAVED_MAX)
        too_far = (orders.kind == MOVE) & (length > allowed)
        deny = too_far & ((length > WALK_UNITS_SAVED_MAX) | (allowed < _SHORTEST_UNITS))
        mutate = too_far & ~deny
        step = np.maximum(length, 1)
        return Judgement(
            deny,
            lambda rows: _why(length[rows], allowed[rows], mutate[rows]),
            mutate,
            x + np.sign(dx) * (abs(dx) * allowed // step),
            y + np.sign(dy) * (abs(dy) * allowed // step),
        )


def _why(length: Array, allowed: Array, shortened: Array) -> list[str]:
    tiles = (length / POSITION_UNITS_PER_TILE).tolist()
    may = (allowed.clip(min=0) / POSITION_UNITS_PER_TILE).tolist()
    ends = ["shortened to" if short else "allowed" for short in shortened.tolist()]
    return [
        f"a step of {step:.1f} tiles, {end} {most:.1f}"
        for step, end, most in zip(tiles, ends, may, strict=True)
    ]


POLICY = Speed()
