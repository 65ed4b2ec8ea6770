"""trader: gathers goods at nodes and sells them to whoever stands near; buys now and then."""

from collections.abc import Sequence
from typing import Final

from engine.assault.behaviours.base import NPC, REACH, View, Wish, kind_of, roam, walk
from engine.stats.chance import Dice

_FULL: Final = 4
"""Goods with which a trader stops gathering and looks for a customer."""
_LOT_MAX: Final = 5


class Trader:
    """Between nodes and customers."""

    name = "trader"

    def decide(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        """See ``Behaviour.decide``."""
        if not view.alive:
            return ()
        if view.hp * 2 < view.hp_best and dice.roll() < 0.4:
            return (Wish("rest"),)
        if view.goods == 0:
            memory["selling"] = 0
        elif view.goods >= _FULL:
            memory["selling"] = 1
        return (
            (self._sell(view, dice, memory),)
            if memory.get("selling")
            else self._gather(view, dice, memory)
        )

    def _sell(self, view: View, dice: Dice, memory: dict[str, int]) -> Wish:
        if offered := memory.pop("offered", 0):
            # Who did not buy has no gold for so much: less the next time, and to somebody else.
            refused = view.goods >= memory["had"]
            memory["poor"], memory["lot"] = (offered, 1) if refused else (0, _LOT_MAX)
        people = [p for p in view.people() if p.id != memory.get("poor")]
        customers = [p for p in people if kind_of(p) == NPC] or people
        near = [p for p in people if view.distance(p) <= REACH]
        if near:
            customer = near[dice.between(0, len(near) - 1)]
            memory["offered"], memory["had"] = customer.id, view.goods
            lot = min(view.goods, memory.get("lot", _LOT_MAX))
            return Wish("trade", target=customer.id, amount=-lot)
        customer_seen = view.nearest(customers)
        if customer_seen is not None:
            return walk(view, customer_seen.x, customer_seen.y, stop=REACH // 4)
        return roam(view, dice, memory)

    def _gather(self, view: View, dice: Dice, memory: dict[str, int]) -> Sequence[Wish]:
        node = view.nearest(view.nodes())
        if node is not None and view.distance(node) <= REACH:
            return (Wish("gather", target=node.id),)
        sellers = [p for p in view.people() if p.goods > 0 and view.distance(p) <= REACH]
        if sellers and dice.roll() < 0.3:
            return (Wish("trade", target=sellers[0].id, amount=1),)
        if node is not None:
            return (walk(view, node.x, node.y, stop=REACH // 2),)
        return (roam(view, dice, memory),)


BEHAVIOUR = Trader()
