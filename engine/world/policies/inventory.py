"""inventory: who gathers needs room, who trades the goods, the gold and the room for it."""

from dataclasses import dataclass

import numpy as np

from engine.protocol.events import entity_name
from engine.world.hearing import NO_ROWS, Hearing
from engine.world.orders import GATHER, TRADE
from engine.world.policies.base import Judgement, NoParams
from engine.world.purses import CARRIED_MAX, Needs, needs_of


@dataclass(frozen=True, slots=True)
class Inventory:
    """Judges each intent as if it were the only one; ``trade-escrow`` judges them together."""

    name: str = "inventory"
    help: str = "gathering or trading without the room, the goods or the gold for it"
    priority: int = 45
    kinds: tuple[int, ...] = (GATHER, TRADE)
    steady: bool = False
    fixed: bool = False
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: NoParams) -> Judgement | None:
        """See ``Policy``."""
        del params
        gathers, trades = hearing.rows(GATHER), hearing.rows(TRADE)
        if len(gathers):
            state, orders = hearing.state, hearing.orders
            full = state.goods[orders.actor_row[gathers]] >= CARRIED_MAX
            full |= state.goods[orders.target_row[gathers]] <= 0
            gathers = gathers[full] if full.any() else NO_ROWS
        needs, lacking = None, NO_ROWS
        if len(trades):
            needs = needs_of(hearing.state, hearing.orders, trades)
            lacking = np.flatnonzero(needs.lacking())
            trades = trades[lacking]
        if not len(gathers) and not len(trades):
            return None
        return Judgement(
            np.concatenate((gathers, trades)),
            lambda at: [
                _gather_words(hearing, int(gathers[place]))
                if place < len(gathers)
                else _trade_words(needs, int(lacking[place - len(gathers)]))
                for place in at.tolist()
            ],
        )


def _gather_words(hearing: Hearing, row: int) -> str:
    if hearing.state.goods[hearing.orders.actor_row[row]] >= CARRIED_MAX:
        return f"can carry no more than {CARRIED_MAX} goods"
    return f"{entity_name(int(hearing.orders.target[row]))} is empty"


def _trade_words(needs: Needs | None, at: int) -> str:
    return "" if needs is None else needs.words(at)


POLICY = Inventory()
