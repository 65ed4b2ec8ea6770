"""trade-escrow: several trades that want the same goods or gold get them in order."""

from dataclasses import dataclass

import numpy as np

from engine.world.hearing import Hearing
from engine.world.orders import TRADE
from engine.world.policies.base import Judgement, NoParams
from engine.world.purses import reserve


@dataclass(frozen=True, slots=True)
class TradeEscrow:
    """Reserves what each trade of a round wants; what then is not left, a later one lacks.

    The lower player id goes first. What comes in can be spent from the next round on.
    """

    name: str = "trade-escrow"
    help: str = "trades for what an earlier one of the same round has reserved"
    priority: int = 70
    kinds: tuple[int, ...] = (TRADE,)
    steady: bool = False
    fixed: bool = False
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: NoParams) -> Judgement | None:
        """See ``Policy``."""
        del params
        rows = hearing.in_play(hearing.rows(TRADE))
        if not len(rows):
            return None
        needs, lacking = reserve(hearing.state, hearing.orders, rows)
        denied = np.flatnonzero(lacking)
        if not len(denied):
            return None
        return Judgement(
            rows[denied], lambda at: [needs.words(place) for place in denied[at].tolist()]
        )


POLICY = TradeEscrow()
