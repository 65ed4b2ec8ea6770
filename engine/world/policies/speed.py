"""speed: five tiles a second; what is not walked is saved for one longer step."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.limits import MAP_TILES, POSITION_UNITS_PER_TILE
from engine.world.apply import walk_clock
from engine.world.arrays import Array, isqrt
from engine.world.constants import WALK_UNITS_SAVED_MAX
from engine.world.hearing import Hearing
from engine.world.orders import MOVE
from engine.world.policies.base import Judgement

_SHORTEST_UNITS = POSITION_UNITS_PER_TILE // 4


class Params(Struct, frozen=True):
    """Of ``speed``."""

    step_tiles_max: Annotated[
        int,
        Meta(
            ge=1,
            le=WALK_UNITS_SAVED_MAX // POSITION_UNITS_PER_TILE,
            description="tiles in one step, after a pause; a longer one is shortened",
        ),
    ] = WALK_UNITS_SAVED_MAX // POSITION_UNITS_PER_TILE
    leap_tiles: Annotated[
        int, Meta(ge=1, le=2 * MAP_TILES, description="a step of more tiles is a leap: denied")
    ] = WALK_UNITS_SAVED_MAX // POSITION_UNITS_PER_TILE


@dataclass(frozen=True, slots=True)
class Speed:
    """Shortens a step that is longer than the allowance, denies a leap.

    ``State.walked`` is how far the player has walked on the scale of ``walk_clock``; it
    may lie ``step_tiles_max`` behind the clock, no more. A leap is no haste but a teleport.
    """

    name: str = "speed"
    help: str = "walking faster than 5 tiles a second, and leaps"
    priority: int = 40
    kinds: tuple[int, ...] = (MOVE,)
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        orders, most = hearing.orders, params.step_tiles_max * POSITION_UNITS_PER_TILE
        rows = hearing.rows(MOVE)
        dx = orders.x[rows] - hearing.actor("x")[rows]
        dy = orders.y[rows] - hearing.actor("y")[rows]
        # Wrong places were denied before; clipping keeps their squares within the type.
        square = np.clip(dx, -(2**20), 2**20) ** 2 + np.clip(dy, -(2**20), 2**20) ** 2
        allowed = walk_clock(hearing.now_ms) - hearing.actor("walked")[rows]
        np.minimum(allowed, most, out=allowed)
        at = np.flatnonzero(square >= (np.maximum(allowed, -1) + 1) ** 2)
        if not len(at):
            return None
        rows, dx, dy = rows[at], dx[at], dy[at]
        length, allowed = isqrt(square[at]), allowed[at]
        leap_units = params.leap_tiles * POSITION_UNITS_PER_TILE
        leaps = (length > leap_units) | (allowed < _SHORTEST_UNITS)
        leap, short = np.flatnonzero(leaps), np.flatnonzero(~leaps)
        x, y = (
            hearing.actor(axis)[rows[short]]
            + np.sign(way[short]) * (abs(way[short]) * allowed[short] // length[short])
            for axis, way in (("x", dx), ("y", dy))
        )
        return Judgement(
            rows[leap],
            lambda some: _why("allowed", length[leap[some]], allowed[leap[some]]),
            rows[short],
            {"x": x, "y": y},
            lambda some: _why("shortened to", length[short[some]], allowed[short[some]]),
        )


def _why(end: str, length: Array, allowed: Array) -> list[str]:
    tiles = (length / POSITION_UNITS_PER_TILE).tolist()
    may = (allowed.clip(min=0) / POSITION_UNITS_PER_TILE).tolist()
    return [
        f"a step of {step:.1f} tiles, {end} {most:.1f}"
        for step, most in zip(tiles, may, strict=True)
    ]


POLICY = Speed()
