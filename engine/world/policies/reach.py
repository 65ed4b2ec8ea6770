"""reach: attack, gather and trade need the target near."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.limits import MAP_TILES, POSITION_UNITS_PER_TILE
from engine.world.arrays import Array
from engine.world.constants import REACH_UNITS
from engine.world.hearing import AIMED, Hearing
from engine.world.policies.base import Judgement


class Params(Struct, frozen=True):
    """Of ``reach``."""

    tiles_max: Annotated[int, Meta(ge=1, le=2 * MAP_TILES, description="tiles to the target")] = (
        REACH_UNITS // POSITION_UNITS_PER_TILE
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """The straight line between actor and target counts."""

    name: str = "reach"
    help: str = "attacking, gathering or trading over too great a distance"
    priority: int = 35
    kinds: tuple[int, ...] = AIMED
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        far = hearing.far()
        at = np.flatnonzero(far > (params.tiles_max * POSITION_UNITS_PER_TILE) ** 2)
        if not len(at):
            return None
        squares = far[at]
        return Judgement(
            hearing.rows(*AIMED)[at], lambda some: _why(squares[some], params.tiles_max)
        )


def _why(squares: Array, allowed: int) -> list[str]:
    tenths = np.rint(np.sqrt(squares) * (10 / POSITION_UNITS_PER_TILE)).astype(np.int64).tolist()
    # Each distance is put into words once: most of a crowd's are told more than once.
    words = {
        tenth: f"target {tenth / 10:.1f} tiles away, allowed {allowed}" for tenth in set(tenths)
    }
    return [words[tenth] for tenth in tenths]


POLICY = Reach()
