"""spawn-protection: who has just come into the world cannot be attacked for a moment."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from engine.protocol.events import entity_name
from engine.world.hearing import Hearing
from engine.world.orders import ATTACK
from engine.world.policies.base import Judgement


class Params(Struct, frozen=True):
    """Of ``spawn-protection``."""

    ticks: Annotated[
        int, Meta(ge=0, le=6000, description="ticks after joining or coming back to life")
    ] = 20


@dataclass(frozen=True, slots=True)
class SpawnProtection:
    """Lasts for some ticks after joining or coming back to life, or until one attacks."""

    name: str = "spawn-protection"
    help: str = "attacking who has just come into the world"
    priority: int = 50
    kinds: tuple[int, ...] = (ATTACK,)
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        state, rows = hearing.state, hearing.rows(ATTACK)
        since = state.spawned_ms[hearing.orders.target_row[rows]]
        # One more than the time is stored; who is not protected any more has 0 there.
        until = since + np.int64(params.ticks * hearing.interval_ms - 1)
        at = np.flatnonzero((since > 0) & (until > hearing.now_ms))
        if not len(at):
            return None
        denied, left_ms = rows[at], until[at] - hearing.now_ms
        ticks = -(-left_ms // hearing.interval_ms)
        targets = hearing.orders.target[denied]
        return Judgement(
            denied,
            lambda some: [
                f"{entity_name(who)} is protected for another {left} ticks"
                for who, left in zip(targets[some].tolist(), ticks[some].tolist(), strict=True)
            ],
        )


POLICY = SpawnProtection()
