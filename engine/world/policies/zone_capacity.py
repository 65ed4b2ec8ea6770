"""zone-capacity: no more than so many in a zone."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.limits import POSITION_MAX, ZONES
from engine.world.arrays import rank_in_group
from engine.world.hearing import Hearing
from engine.world.orders import MOVE
from engine.world.policies.base import Judgement
from engine.world.state import present, zone_of


class Params(Struct, frozen=True):
    """Of ``zone-capacity``."""

    entities_max: Annotated[
        int, Meta(ge=1, le=1_000_000, description="players connected and NPCs alive in a zone")
    ] = 20_000


@dataclass(frozen=True, slots=True)
class ZoneCapacity:
    """Denies moves into a full zone; who joins, comes back to life or is in it already stays.

    Who leaves in the same round makes room from the next one on.
    """

    name: str = "zone-capacity"
    help: str = "moving into a zone that is full"
    priority: int = 55
    kinds: tuple[int, ...] = (MOVE,)
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        state, orders = hearing.state, hearing.orders
        if state.count <= params.entities_max:
            return None  # not even all of them would fill a zone
        rows = hearing.in_play(hearing.rows(MOVE))
        # Places off the map are another policy's.
        to = zone_of(*(at[rows].clip(0, POSITION_MAX) for at in (orders.x, orders.y)))
        other = to != hearing.actor("zone")[rows]
        rows, to = rows[other], to[other]
        if not len(rows):
            return None
        there = present({name: column[: state.count] for name, column in state.columns.items()})
        counts = np.bincount(state.zone[: state.count][there], minlength=ZONES)
        at = np.flatnonzero(rank_in_group(to) >= params.entities_max - counts[to])
        denied, zones = rows[at], to[at]
        return Judgement(
            denied,
            lambda some: [
                f"zone {zone} is full with {counts[zone]}, allowed {params.entities_max}"
                for zone in zones[some].tolist()
            ],
        )


POLICY = ZoneCapacity()
