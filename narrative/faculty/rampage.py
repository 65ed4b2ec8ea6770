"""Many kills by one hand, and the end of such a run."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import BEAT_EVENTS_MAX, STORY_FIGURES_MAX
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names
from narrative.memory import Memory

_WITHIN_TICKS: Final = 1200
"""Kills further apart than this are no rampage."""
_TOLD: Final = (3, 5, 8, 12)
_FEARED: Final = 3

_GROWS: Final = (
    "{killer} is on a rampage: {count} dead since tick {then}, {last} the latest.",
    "{count} kills by one hand. {killer} has now put {list} into the ground.",
    "They begin to run when {killer} comes near: {count} have died so since tick {then}.",
    "Nobody stops {killer}. After {list} the count is {count}.",
)
_ENDS: Final = (
    "{killer} is dead. {victims} would have wished to see it: {avenger} did it at tick {now}.",
    "{count} had died by {killer} before {avenger} put an end to it.",
    "The rampage of {killer} is over after {count} kills; {avenger} was the stronger.",
    "{avenger} killed {killer}, the killer of {victims}.",
)


def _kills() -> deque[Event]:
    # One less than a beat can name: the death that ends a rampage is to be named, too.
    return deque(maxlen=BEAT_EVENTS_MAX - 1)


class Rampage:
    """Remembers the newest kills of everybody who killed."""

    name = "rampage"

    def __init__(self) -> None:
        self._kills: Memory[int, deque[Event]] = Memory(STORY_FIGURES_MAX, _kills)

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for died in moment.of("died"):
            if not died.actor or not died.stream or died.actor == died.stream:
                continue
            yield from self._ended(moment, died)
            kills = self._kills.recall(died.actor)
            kills.append(died)
            self._thin(moment, kills)
            if len(kills) in _TOLD:
                yield _grows(tuple(kills))

    def gap(self) -> None:
        """See ``Adviser.gap``: a kill that was missed only makes a rampage look smaller."""

    def _thin(self, moment: Moment, kills: deque[Event]) -> None:
        while kills and (
            kills[0].tick < moment.tick - _WITHIN_TICKS or not moment.citable(kills[0])
        ):
            kills.popleft()

    def _ended(self, moment: Moment, died: Event) -> Iterable[Draft]:
        kills = self._kills.peek(died.stream)
        if kills is None:
            return
        self._thin(moment, kills)
        if len(kills) >= _FEARED:
            yield _ends(tuple(kills), died)
        self._kills.forget(died.stream)


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
        "now": died.tick,
        "victims": names(reversed(victims[:NAMES_MAX])),
    }
    who = cast(died.actor, died.stream, *victims)
    return Draft("rampage", 5.5, _ENDS, slots, evidence(*kills, died), who)


ADVISER = Rampage
