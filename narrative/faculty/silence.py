"""The world that begins, falls silent and wakes; crowds that vanish and come back."""

from collections.abc import Iterable
from typing import Final

from engine.protocol.events import Event, entity_name
from engine.protocol.limits import BEAT_EVENTS_MAX
from narrative.faculty.base import NAMES_MAX, Draft, Moment, Slots, cast, evidence, names

_WITHIN_TICKS: Final = 20
_CROWD: Final = 12
"""So many who go within so few ticks are a crowd."""
_APART_TICKS: Final = 100
"""So long without anybody going, and the next one begins another wave."""
_AWAY_PART: Final = 10
"""A crowd is back when no more than one part in so many of it is still away."""
_AWAY_MAX: Final = 100_000

_DAWN: Final = (
    "A world begins, at tick {now}, before any player.",
    "Tick {now}. Out of nothing, a land.",
)
_FIRST: Final = (
    "{who} is the first to set foot on the land, at tick {now}.",
    "The land has its first soul: {who}, at tick {now}.",
)
_WOKE: Final = (
    "Some time after tick {then} the world fell silent. It woke at tick {now} and reached for "
    "the {souls} souls it had held.",
    "The last that was told of the world was of tick {then}. At tick {now} it opened its eyes "
    "again; {souls} souls had been torn out of it.",
    "Tick {then} is the last that anybody told of before the world stopped breathing. Tick "
    "{now} found it alive, and {souls} souls adrift.",
)
_VANISHED: Final = (
    "They are gone: {list} and many others, from tick {then} on.",
    "From tick {then} on the land has been emptying: {list} went, and a crowd with them.",
    "A great vanishing. {list} and a crowd with them are no longer in the world.",
)
_STORM: Final = (
    "A storm rages. {list} are gone from the land, and many others, from tick {then} on.",
    "There is a storm over the land, and it is emptier: {list} went, from tick {then} on, and a "
    "crowd with them.",
    "The storm is here, and {list} are gone. They are not alone.",
)
# Of the crowd that was seen to go: whoever went before that may be away still.
_BACK: Final = (
    "They are back. {first} was the first to return, at tick {then}; with {last}, at tick "
    "{now}, the crowd is there again.",
    "The land fills again: {first} came at tick {then}, and by tick {now} nearly all of the "
    "crowd had followed, {last} the latest of them.",
    "Hardly one of the crowd is missing any more: {first} led the way at tick {then}, and when "
    "{last} came at tick {now} the fires were burning.",
)
_CALM: Final = (
    "The storm has passed. {first} was the first to find the way back, at tick {then}; with "
    "{last}, at tick {now}, the crowd is there again.",
    "After the storm: {first} came back at tick {then}, and by tick {now} nearly all of the "
    "crowd had followed, {last} the latest of them.",
    "The sky is clear. {first} led the way back at tick {then}; {last} came in at tick {now}, "
    "and hardly one of the crowd is missing.",
)


class Silence:
    """Remembers who is away, and since when."""

    name = "silence"

    def __init__(self) -> None:
        self._anybody = False
        self._going: dict[int, Event] = {}
        self._away: set[int] = set()
        self._away_most = 0
        self._lost_tick = 0
        self._told = False
        self._stormy = False
        self._first_back: Event | None = None

    def look(self, moment: Moment) -> Iterable[Draft]:
        """See ``Adviser.look``."""
        for started in moment.of("world_started"):
            yield from self._started(moment, started)
        if not self._anybody:
            yield from self._first(moment)
        came_and_went = moment.of("disconnected", "left", "resumed")
        for event in sorted(came_and_went, key=lambda event: event.seq):
            if event.kind == "resumed":
                yield from self._returned(moment, event)
            elif event.stream:
                self._lost(event)
        self._stormy = self._stormy or moment.storm
        yield from self._vanished(moment)

    def gap(self) -> None:
        """See ``Adviser.gap``: who is away is not known any more."""
        self._new_wave()

    def _new_wave(self) -> None:
        self._going.clear()
        self._away.clear()
        self._away_most = 0
        self._told = False
        self._stormy = False
        self._first_back = None

    def _started(self, moment: Moment, started: Event) -> Iterable[Draft]:
        if not started.a:
            if started.seq == 1:
                slots: Slots = {"now": started.tick}
                yield Draft("dawn", 3.0, _DAWN, slots, evidence(started), ())
            return
        self._new_wave()
        self._lost_tick = started.tick
        before = moment.before
        if before is None or not moment.citable(before) or before.tick >= started.tick:
            return
        self._told = started.b >= _CROWD
        slots = {"then": before.tick, "now": started.tick, "souls": started.b}
        yield Draft("silence", 6.0, _WOKE, slots, evidence(before, started), ())

    def _first(self, moment: Moment) -> Iterable[Draft]:
        for joined in moment.of("joined"):
            self._anybody = True
            if moment.complete and joined.stream:
                slots: Slots = {"who": entity_name(joined.stream), "now": joined.tick}
                who = cast(joined.stream)
                yield Draft("dawn", 3.9, _FIRST, slots, evidence(joined), who)
            return

    def _lost(self, gone: Event) -> None:
        if gone.tick - self._lost_tick > _APART_TICKS:
            self._new_wave()
        self._lost_tick = gone.tick
        if len(self._away) < _AWAY_MAX:
            self._away.add(gone.stream)
        self._away_most = max(self._away_most, len(self._away))
        self._going.pop(gone.stream, None)
        if not self._told and len(self._going) < _AWAY_MAX:
            self._going[gone.stream] = gone

    def _vanished(self, moment: Moment) -> Iterable[Draft]:
        going = self._going
        while going and (first := next(iter(going.values()))).tick < moment.tick - _WITHIN_TICKS:
            del going[first.stream]
        if self._told or len(going) < _CROWD:
            return
        self._told = True
        listed = tuple(going.values())[:BEAT_EVENTS_MAX]
        going.clear()
        gone = [event.stream for event in listed]
        slots: Slots = {"list": names(gone[:NAMES_MAX]), "then": listed[0].tick}
        sentences = _STORM if moment.storm else _VANISHED
        yield Draft("vanishing", 5.8, sentences, slots, evidence(*listed), cast(*gone))

    def _returned(self, moment: Moment, back: Event) -> Iterable[Draft]:
        self._going.pop(back.stream, None)
        if back.stream not in self._away:
            return
        self._away.discard(back.stream)
        if not self._told:
            return
        first = self._first_back = self._first_back or back
        if len(self._away) * _AWAY_PART > self._away_most:
            return
        # A storm that goes on, or another one, has not passed.
        sentences = _CALM if self._stormy and not moment.storm else _BACK
        self._new_wave()
        if first.stream == back.stream or not moment.citable(first):
            return
        slots: Slots = {
            "first": entity_name(first.stream),
            "last": entity_name(back.stream),
            "then": first.tick,
            "now": back.tick,
        }
        who = cast(back.stream, first.stream)
        yield Draft("return", 4.8, sentences, slots, evidence(first, back), who)


ADVISER = Silence
