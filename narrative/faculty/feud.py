"""Two who meet again and again, and deaths that are paid back."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import STORY_PAIRS_MAX
from narrative.faculty.base import Draft, Moment, Slots, cast, evidence
from narrative.memory import Memory

_APART_TICKS: Final = 100
"""So long without a blow, and the next one is another meeting."""
_MEETINGS: Final = (3, 6, 10)
"""Which meeting of a pair is told."""
_REMEMBERED: Final = 12
_DUEL_BLOWS: Final = 5
_LAST_BREATH_HP: Final = 12

_REVENGE: Final = (
    "{loser} killed {winner} at tick {then}. At tick {now} {winner} came back for it, "
    "and this time {loser} fell.",
    "A debt is paid: {winner}, slain by {loser} at tick {then}, slew {loser} at tick {now}.",
    "{winner} had not forgotten tick {then}. {loser} died for it at tick {now}.",
    "Blood for blood: first {loser} killed {winner}, now {winner} has killed {loser}.",
)
_AGAIN: Final = (
    "{winner} has killed {loser} again: at tick {then}, and now at tick {now}.",
    "No peace between them: {loser} falls to {winner} once more, as at tick {then}.",
    "{loser} rose after tick {then} only to meet {winner} again. The end was the same.",
)
_MET: Final = (
    "{one} and {other} cannot leave each other alone: they have now fought {count} times, "
    "first at tick {then}.",
    "Steel again between {one} and {other}, their quarrel of tick {then} still open: "
    "meeting number {count}.",
    "{one} found {other} again at tick {now}. So they have met {count} times.",
)
_DUEL: Final = (
    "{one} has {other} against the wall: {hp} hp left after the last blow.",
    "{other} still stands before {one}, with {hp} hp and little hope.",
    "A duel nears its end: {one} hit for {damage}, and {other} holds on with {hp} hp.",
    "Blow after blow {one} wears {other} down. {hp} hp remain.",
)


class _Pair:
    """What two did to each other."""

    __slots__ = ("blows", "last_tick", "meetings", "slain", "told_tick")

    def __init__(self) -> None:
        self.slain: deque[Event] = deque(maxlen=2)
        self.meetings: deque[Event] = deque(maxlen=_REMEMBERED)
        self.last_tick = -_APART_TICKS - 1
        self.told_tick = -1
        self.blows = 0


class Feud:
    """Remembers who fought whom, pair by pair."""

    name = "feud"

    def __init__(self) -> None:
        self._pairs: Memory[tuple[int, int], _Pair] = Memory(STORY_PAIRS_MAX, _Pair)

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for blow in moment.of("attacked"):
            if blow.actor and blow.stream and blow.actor != blow.stream:
                yield from self._blow(moment, blow)
        for died in moment.of("died"):
            if died.actor and died.stream and died.actor != died.stream:
                yield from self._death(moment, died)

    def gap(self) -> None:
        """See ``Adviser.gap``: meetings that were missed only make a feud look smaller."""

    def _blow(self, moment: Moment, blow: Event) -> Iterable[Draft]:
        pair = self._pairs.recall(_key(blow))
        met = blow.tick - pair.last_tick > _APART_TICKS
        pair.last_tick = blow.tick
        pair.blows = 1 if met else pair.blows + 1
        if met:
            pair.meetings.append(blow)
            if len(pair.meetings) in _MEETINGS and all(map(moment.citable, pair.meetings)):
                yield _met(pair)
        elif (
            pair.blows >= _DUEL_BLOWS
            and 0 < blow.b <= _LAST_BREATH_HP
            and pair.told_tick != pair.meetings[-1].tick
        ):
            pair.told_tick = pair.meetings[-1].tick
            yield _duel(blow)

    def _death(self, moment: Moment, died: Event) -> Iterable[Draft]:
        slain = self._pairs.recall(_key(died)).slain
        before = slain[-1] if slain and moment.citable(slain[-1]) else None
        slain.append(died)
        if before is None:
            return
        revenge = before.actor == died.stream
        slots: Slots = {
            "winner": entity_name(died.actor),
            "loser": entity_name(died.stream),
            "then": before.tick,
            "now": died.tick,
        }
        yield Draft(
            "feud",
            5.0 if revenge else 4.0,
            _REVENGE if revenge else _AGAIN,
            slots,
            evidence(before, died),
            cast(died.actor, died.stream),
        )


def _key(event: Event) -> tuple[int, int]:
    return min(event.actor, event.stream), max(event.actor, event.stream)


def _met(pair: _Pair) -> Draft:
    first, last = pair.meetings[0], pair.meetings[-1]
    slots: Slots = {
        "one": entity_name(last.actor),
        "other": entity_name(last.stream),
        "count": len(pair.meetings),
        "then": first.tick,
        "now": last.tick,
    }
    weight = 2.0 + len(pair.meetings) / 4
    return Draft(
        "feud", weight, _MET, slots, evidence(*pair.meetings), cast(last.actor, last.stream)
    )


def _duel(blow: Event) -> Draft:
    slots: Slots = {
        "one": entity_name(blow.actor),
        "other": entity_name(blow.stream),
        "damage": blow.a,
        "hp": blow.b,
    }
    return Draft("duel", 1.2, _DUEL, slots, evidence(blow), cast(blow.actor, blow.stream))


ADVISER = Feud
