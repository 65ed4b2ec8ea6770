"""rate: so many commands a second, and so many at once after a pause."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.world.constants import RATE_COST_MS, RATE_SAVED_MS_MAX
from engine.world.hearing import Hearing
from engine.world.policies.base import Judgement


class Params(Struct, frozen=True):
    """Of ``rate``."""

    burst: Annotated[
        int,
        Meta(
            ge=1,
            le=RATE_SAVED_MS_MAX // RATE_COST_MS,
            description="commands at once after a pause",
        ),
    ] = RATE_SAVED_MS_MAX // RATE_COST_MS


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket for each player.

    ``State.busy_ms`` is when the player will have paid for its commands, each with
    ``RATE_COST_MS``; it may lie ``burst`` commands ahead of the clock, no more.
    """

    name: str = "rate"
    help: str = f"more than {1000 // RATE_COST_MS} commands a second"
    priority: int = 10
    kinds: tuple[int, ...] = ()
    steady: bool = True
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        orders, now_ms = hearing.orders, hearing.now_ms
        paid = np.maximum(hearing.actor("busy_ms"), now_ms) + orders.round * RATE_COST_MS
        denied = np.flatnonzero(paid > now_ms + (params.burst - 1) * RATE_COST_MS)
        if not len(denied):
            return None
        why = f"more than {1000 // RATE_COST_MS} a second, {params.burst} at once"
        return Judgement(denied, lambda at: [why] * len(at))


POLICY = Rate()
