"""rate: ten commands a second, twenty at once after a pause."""

from dataclasses import dataclass

import numpy as np

from engine.world.constants import RATE_COST_MS, RATE_SAVED_MS_MAX
from engine.world.policies.base import Hearing, Judgement


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket for each player.

    ``State.busy_ms`` is when the player will have paid for its commands; it may lie
    ``RATE_SAVED_MS_MAX`` ahead of the clock, no more.
    """

    name: str = "rate"
    help: str = "more than 10 commands a second, or more than 20 at once"
    priority: int = 10
    whole_tick: bool = True

    def judge(self, hearing: Hearing) -> Judgement:
        """See ``Policy``."""
        orders, now_ms = hearing.orders, hearing.now_ms
        busy = np.maximum(hearing.state.busy_ms[orders.actor_row], now_ms)
        paid = busy + (orders.round + 1) * RATE_COST_MS
        return Judgement(paid > now_ms + RATE_SAVED_MS_MAX, lambda rows: [_WHY] * len(rows))


_WHY = f"more than {1000 // RATE_COST_MS} a second, {RATE_SAVED_MS_MAX // RATE_COST_MS} at once"

POLICY = Rate()
