"""Gold that changes hands: the richest loot yet, a great bargain, a busy merchant."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import BEAT_EVENTS_MAX, STORY_FIGURES_MAX
from narrative.faculty.base import Draft, Moment, Slots, cast, evidence
from narrative.memory import Memory, Recent

_LOOT_MIN: Final = 50
_BARGAIN_MIN: Final = 40
_SALES_TOLD: Final = (8, 16)
_WITHIN_TICKS: Final = 900

_LOOT_FIRST: Final = (
    "{taker} took {gold} gold from the body of {loser}: a fortune, as these lands go.",
    "With the {gold} gold of {loser}, {taker} is somebody now.",
)
_LOOT_EVER: Final = (
    "Never was so much taken from one body: {gold} gold, from {loser} to {taker}. "
    "The {before} of {holder} are forgotten.",
    "The richest robbery so far: {taker} took {gold} gold from {loser}. {holder} had made "
    "{before}.",
)
_LOOT: Final = (
    "{taker} robbed {loser} of {gold} gold and outdid {holder}, who once made {before}.",
    "{holder} thought {before} gold a fortune. {taker} has just lifted {gold} off {loser}.",
)
_BARGAIN: Final = (
    "A bargain the market will talk about: {seller} sold {goods} goods to {buyer} for {gold} gold.",
    "{buyer} paid {gold} gold to {seller}, for {goods} goods at a stroke.",
)
_MERCHANT: Final = (
    "{seller} has made {count} sales since tick {then}; the last brought {gold} gold from {buyer}.",
    "Not everyone fights: {seller} closed sale number {count} since tick {then}, with {buyer}.",
    "Purses open for {seller}: {count} sales from tick {then} to tick {now}.",
    "While others bleed, {seller} sells: {count} times since tick {then}, {buyer} the latest "
    "to pay.",
)


def _sales() -> Recent:
    return Recent(BEAT_EVENTS_MAX)


class Fortune:
    """Remembers the records, and the newest sales of everybody who sells."""

    name = "fortune"

    def __init__(self) -> None:
        self._loot: Event | None = None
        self._bargain = _BARGAIN_MIN
        self._sales: Memory[int, Recent] = Memory(STORY_FIGURES_MAX, _sales)

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for looted in moment.of("looted"):
            if looted.stream and looted.target and looted.a >= _LOOT_MIN:
                yield from self._richer(moment, looted)
        for traded in moment.of("traded"):
            if traded.stream and traded.target and traded.a:
                yield from self._dealt(moment, traded)

    def gap(self) -> None:
        """See ``Adviser.gap``: a record that was missed may have been the greater one."""
        self._loot = None
        self._sales = Memory(STORY_FIGURES_MAX, _sales)

    def _richer(self, moment: Moment, looted: Event) -> Iterable[Draft]:
        before = self._loot
        if before is not None and looted.a <= before.a:
            return
        self._loot = looted
        slots: Slots = {
            "taker": entity_name(looted.stream),
            "loser": entity_name(looted.target),
            "gold": looted.a,
        }
        who = (looted.stream, looted.target)
        if before is None:
            events = evidence(looted)
            yield Draft("fortune", 2.6, _LOOT_FIRST, slots, events, cast(*who))
        elif before.stream != looted.stream and moment.citable(before):
            slots |= {"holder": entity_name(before.stream), "before": before.a}
            events, everybody = evidence(before, looted), cast(*who, before.stream)
            sentences = _LOOT_EVER + _LOOT if moment.complete else _LOOT
            yield Draft("fortune", 3.4, sentences, slots, events, everybody)

    def _dealt(self, moment: Moment, traded: Event) -> Iterable[Draft]:
        sells = traded.a < 0
        seller, buyer = (traded.stream, traded.target) if sells else (traded.target, traded.stream)
        slots: Slots = {
            "seller": entity_name(seller),
            "buyer": entity_name(buyer),
            "gold": abs(traded.b),
            "goods": abs(traded.a),
        }
        if abs(traded.b) >= self._bargain:
            self._bargain = abs(traded.b) + 1
            yield Draft("fortune", 3.0, _BARGAIN, slots, evidence(traded), cast(seller, buyer))
        sales = self._sales.recall(seller)
        sales.thin(moment.tick - _WITHIN_TICKS, moment.citable)
        sales.add(traded)
        if sales.reached(_SALES_TOLD):
            slots |= {"count": len(sales), "then": sales.first.tick, "now": traded.tick}
            events, who = evidence(*sales), cast(seller, buyer)
            yield Draft("fortune", 1.0, _MERCHANT, slots, events, who)


ADVISER = Fortune
