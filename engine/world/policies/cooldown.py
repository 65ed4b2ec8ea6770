"""cooldown: some time must pass between two attacks, two sayings and so on."""

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct

from engine.world.arrays import Array
from engine.world.hearing import Hearing
from engine.world.orders import ATTACK, GATHER, REST, SAY, TRADE
from engine.world.policies.base import Judgement

_Ticks = Annotated[int, Meta(ge=0, le=6000)]


class Params(Struct, frozen=True):
    """Of ``cooldown``: ticks from one to the next, 0 for none."""

    attack: Annotated[_Ticks, Meta(description="ticks from one attack to the next")] = 1
    gather: Annotated[_Ticks, Meta(description="ticks from one gathering to the next")] = 0
    trade: Annotated[_Ticks, Meta(description="ticks from one trade to the next")] = 0
    say: Annotated[_Ticks, Meta(description="ticks from one saying to the next")] = 2
    rest: Annotated[_Ticks, Meta(description="ticks from one rest to the next")] = 0


_KINDS: Final = (
    (ATTACK, "attack", "attacked_ms"),
    (GATHER, "gather", "gathered_ms"),
    (TRADE, "trade", "traded_ms"),
    (SAY, "say", "said_ms"),
    (REST, "rest", "rested_ms"),
)


@dataclass(frozen=True, slots=True)
class Cooldown:
    """Counts from when the entity last did the same; what was denied does not count."""

    name: str = "cooldown"
    help: str = "the same again too soon"
    priority: int = 30
    kinds: tuple[int, ...] = tuple(kind for kind, _, _ in _KINDS)
    steady: bool = False
    fixed: bool = False
    defaults: Params = Params()

    def judge(self, hearing: Hearing, params: Params) -> Judgement | None:
        """See ``Policy``."""
        found: list[tuple[Array, str]] = []
        for kind, name, column in _KINDS:
            ticks = getattr(params, name)
            rows = hearing.rows(kind) if ticks else ()
            if not len(rows):
                continue
            last = hearing.state.columns[column][hearing.orders.actor_row[rows]]
            # One more than the time is stored; who never did it has 0 there.
            ready = last + np.int64(ticks * hearing.interval_ms - 1)
            early = (last > 0) & (ready > hearing.now_ms)
            if early.any():
                found.append((rows[early], f"one {name} in {ticks} ticks"))
        if not found:
            return None
        counts = [len(rows) for rows, _ in found]
        which = np.repeat(np.arange(len(found)), counts)
        return Judgement(
            np.concatenate([rows for rows, _ in found]),
            lambda at: [found[kind][1] for kind in which[at].tolist()],
        )


POLICY = Cooldown()
