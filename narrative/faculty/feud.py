"""Two who meet again and again, and deaths that are paid back."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import STORY_PAIRS_MAX
from narrative.faculty.base import Draft, Moment, Slots, cast, evidence
from narrative.memory import Memory, Recent

_APART_TICKS: Final = 100
"""So long without a blow, and the next one is another meeting."""
_MEETINGS: Final = (3, 6, 10)
"""Which meeting of a pair is told."""
_REMEMBERED: Final = 12
_ANY_TICK: Final = 0
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
    "{one} and {other} cannot leave each other alone: since tick {then} they have fought "
    "{count} times.",
    "Steel again between {one} and {other}, their quarrel of tick {then} still open: "
    "meeting number {count} since then.",
    "{one} found {other} again at tick {now}. So they have met {count} times since tick {then}.",
)
_DUEL: Final = (
    "{one} has {other} against the wall: {hp} hp left after the last blow.",
    "{other} still stands before {one}; the last blow left {hp} hp and little hope.",
    "A duel nears its end: {one} hit for {damage} and left {other} {hp} hp.",
    "Blow after blow {one} wears {other} down. The last left {hp} hp.",
)


class _Pair:
    """What two did to each other."""

    __slots__ = ("blows", "last_tick", "meetings", "slain", "told")

    def __init__(self) -> None:
        self.slain: deque[Event] = deque(maxlen=2)
        self.meetings = Recent(_REMEMBERED)
        self.last_tick = -_APART_TICKS - 1
        self.told = False
        self.blows: Counter[int] = Counter()


class Feud:
    """Remembers who fought whom, pair by pair."""

    name = "feud"

    def __init__(self) -> None:
        self._pairs: Memory[tuple[int, int], _Pair] = Memory(STORY_PAIRS_MAX, _Pair)

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        blows = sorted(moment.of("attacked", "retaliated"), key=lambda blow: blow.seq)
        last = {blow.stream: blow for blow in blows}
        for blow in moment.of("attacked"):
            if blow.actor and blow.stream and blow.actor != blow.stream:
                yield from self._blow(moment, blow, is_last=last[blow.stream] is blow)
        for died in moment.of("died"):
            if died.actor and died.stream and died.actor != died.stream:
                yield from self._death(moment, died)

    def gap(self) -> None:
        """See ``Adviser.gap``: they may have met, and have settled it."""
        self._pairs = Memory(STORY_PAIRS_MAX, _Pair)

    def _blow(self, moment: Moment, blow: Event, *, is_last: bool) -> Iterable[Draft]:
        pair = self._pairs.recall(_key(blow))
        if blow.tick - pair.last_tick > _APART_TICKS:
            pair.told = False
            pair.blows.clear()
            pair.meetings.thin(_ANY_TICK, moment.citable)
            pair.meetings.add(blow)
            if pair.meetings.reached(_MEETINGS):
                yield _met(pair)
        pair.last_tick = blow.tick
        pair.blows[blow.actor] += 1
        if pair.told or pair.blows[blow.actor] < _DUEL_BLOWS:
            return
        # After a later blow of the tick this one's figures are not true any more.
        if is_last and 0 < blow.b <= _LAST_BREATH_HP:
            pair.told = True
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
    first, last = pair.meetings.first, pair.meetings.last
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
