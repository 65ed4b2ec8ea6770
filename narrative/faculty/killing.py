"""A killing and what the killer took."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from narrative.faculty.base import Draft, Moment, Slots, cast, evidence, places_text

_RICH_GOLD: Final = 75
_OLD_LIVES: Final = 3

_PLAIN: Final = (
    "{killer} struck {victim} down{where}; there was nothing on the body worth taking.",
    "{victim} fell to {killer}{where}, and nothing was taken.",
    "Tick {tick}: {killer} ended {victim}{where}, for no gain at all.",
    "{killer} killed {victim}{where}. A grave, and nobody the richer.",
)
_GOLD: Final = (
    "{killer} killed {victim}{where} and walked off with {gold} gold.",
    "{victim} died at the hands of {killer}{where}; {gold} gold changed owner.",
    "{gold} gold was what the life of {victim} was worth to {killer}{where}.",
    "At tick {tick} {killer} cut {victim} down{where} and counted {gold} gold.",
)
_GOODS: Final = (
    "{killer} left {victim} dead{where} and carried away {gold} gold and {goods} goods.",
    "{victim} lost to {killer}{where}: a life, {gold} gold, {goods} goods.",
    "A robbery{where}: {killer} killed {victim} for {gold} gold and {goods} goods.",
)
_OLD: Final = (
    "Life number {lives} of {victim} ended{where}, and {killer} was the reason.",
    "{killer} sent {victim} to the grave{where}, out of life number {lives}.",
)


class Killing:
    """Every death by another's hand, with the loot of the same tick."""

    name = "killing"

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        loot = {event.cause: event for event in moment.of("looted")}
        for died in moment.of("died"):
            if died.actor and died.stream and died.actor != died.stream:
                yield _draft(moment, died, loot.get(died.seq))

    def gap(self) -> None:
        """See ``Adviser.gap``: nothing is remembered here."""


def _draft(moment: Moment, died: Event, looted: Event | None) -> Draft:
    if looted is not None and (looted.stream, looted.target) != (died.actor, died.stream):
        looted = None
    weight = 1.5
    sentences: tuple[str, ...] = _PLAIN
    slots: Slots = {
        "killer": entity_name(died.actor),
        "victim": entity_name(died.stream),
        "tick": died.tick,
        "lives": died.b,
    }
    events = [died]
    if died.b >= _OLD_LIVES:
        weight, sentences = 2.0, _OLD
    elif looted is not None and looted.a > 0:
        sentences = _GOODS if looted.b > 1 else _GOLD
        weight = 2.5 if looted.a >= _RICH_GOLD else 1.8
        slots |= {"gold": looted.a, "goods": looted.b}
        events.append(looted)
    elif looted is not None:
        return _only_goods(died, looted)
    where = moment.places.of(died.stream, died.seq)
    if where is not None and moment.citable(where[1]):
        events.append(where[1])
    else:
        where = None
    slots["where"] = places_text(where[0] if where else None)
    return Draft(
        "death", weight, sentences, slots, evidence(*events), cast(died.actor, died.stream)
    )


def _only_goods(died: Event, looted: Event) -> Draft:
    sentences = (
        "{killer} killed {victim} over a load of goods.",
        "There was no gold to take from {victim}, so {killer} took goods.",
    )
    slots: Slots = {"killer": entity_name(died.actor), "victim": entity_name(died.stream)}
    events, who = evidence(died, looted), cast(died.actor, died.stream)
    return Draft("death", 1.6, sentences, slots, events, who)


ADVISER = Killing
