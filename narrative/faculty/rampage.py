"""Many kills by one hand, and the end of such a run."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import BEAT_EVENTS_MAX, STORY_FIGURES_MAX
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names
from narrative.memory import Memory, Recent

_WITHIN_TICKS: Final = 1200
"""Kills further apart than this are no rampage."""
_TOLD: Final = (3, 5, 8, 12)
_FEARED: Final = 3

_GROWS: Final = (
    "{killer} is on a rampage: {count} dead since tick {then}, {last} the latest.",
    "{count} kills by one hand since tick {then}. {killer} has now put {list} into the ground.",
    "They begin to run when {killer} comes near: {count} have died so since tick {then}.",
    "Nobody stops {killer}. After {list} the count since tick {then} is {count}.",
)
_ENDS: Final = (
    "{killer} is dead. {victims} would have wished to see it: {avenger} did it at tick {now}.",
    "{count} had died by {killer} since tick {then}; {avenger} put an end to it at tick {now}.",
    "The rampage of {killer} is over after {count} kills since tick {then}; {avenger} was the "
    "stronger.",
    "{avenger} killed {killer}, the killer of {victims}.",
)


def _kills() -> Recent:
    # One less than a beat can name: the death that ends a rampage is to be named, too.
    return Recent(BEAT_EVENTS_MAX - 1)


class Rampage:
    """Remembers the newest kills of everybody who killed."""

    name = "rampage"

    def __init__(self) -> None:
        self._kills: Memory[int, Recent] = Memory(STORY_FIGURES_MAX, _kills)

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        dead = {died.stream: died.seq for died in moment.of("died")}
        for died in moment.of("died"):
            by_another = bool(died.actor and died.stream and died.actor != died.stream)
            kills = self._kills.peek(died.stream)
            if kills is not None:
                kills.thin(moment.tick - _WITHIN_TICKS, moment.citable)
                if by_another and len(kills) >= _FEARED:
                    yield _ends(tuple(kills), died)
                kills.end(died.tick)
            if by_another:
                kills = self._kills.recall(died.actor)
                kills.thin(moment.tick - _WITHIN_TICKS, moment.citable)
                kills.add(died)
                if dead.get(died.actor, 0) < died.seq and kills.reached(_TOLD):
                    yield _grows(tuple(kills))

    def gap(self) -> None:
        """See ``Adviser.gap``: who killed may have killed more, or be dead."""
        self._kills = Memory(STORY_FIGURES_MAX, _kills)


def _grows(kills: tuple[Event, ...]) -> Draft:
    killer = kills[-1].actor
    victims = list(dict.fromkeys(died.stream for died in reversed(kills)))
    slots: Slots = {
        "killer": entity_name(killer),
        "count": len(kills),
        "then": kills[0].tick,
        "last": entity_name(kills[-1].stream),
        "list": names(reversed(victims[:NAMES_MAX])),
    }
    weight = 3.5 + len(kills) / 4
    return Draft("rampage", weight, _GROWS, slots, evidence(*kills), cast(killer, *victims))


def _ends(kills: tuple[Event, ...], died: Event) -> Draft:
    victims = list(dict.fromkeys(died.stream for died in reversed(kills)))
    slots: Slots = {
        "killer": entity_name(died.stream),
        "avenger": entity_name(died.actor),
        "count": len(kills),
        "then": kills[0].tick,
        "now": died.tick,
        "victims": names(reversed(victims[:NAMES_MAX])),
    }
    who = cast(died.actor, died.stream, *victims)
    return Draft("rampage", 5.5, _ENDS, slots, evidence(*kills, died), who)


ADVISER = Rampage
