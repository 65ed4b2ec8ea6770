"""The story so far: beats checked against the hub's own events, numbered and kept. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise

from engine.hub.eventlog import EventLog
from engine.protocol.events import Event, entity_name
from engine.protocol.grounding import entities_in, ungrounded
from engine.protocol.limits import BEAT_CHARS_MAX, BEAT_TAIL_MAX, BEATS_KEPT_MAX, BEATS_PER_POST_MAX
from engine.protocol.query import Refused, StoryAnswer, StoryQuery
from engine.protocol.story import Beat, Judged, NarratorState, NewBeat, StoryView, TurnedAway
from engine.protocol.summary import StorySummary
from engine.protocol.text import printable

_KIND_CHARS_MAX = 32
_REASONS_SAID_MAX = 3


class Story:
    """Takes beats from the narrator, whom it does not trust.

    Args:
        log: The events that beats are checked against.
        keep: Told every beat that was taken.

    Attributes:
        narrator: How the narrator is; its post says so.
    """

    def __init__(self, log: EventLog, keep: Callable[[Beat], None] = lambda _: None) -> None:
        self._log = log
        self.keep = keep
        self.narrator: NarratorState = "off"
        self._told = 0
        self._ungrounded = 0
        self._kept: deque[Beat] = deque(maxlen=BEATS_KEPT_MAX)
        self._tail: tuple[Beat, ...] = ()
        self._turned_away: deque[tuple[NewBeat, str]] = deque(maxlen=BEAT_TAIL_MAX)

    def take(self, beats: Sequence[NewBeat], at_s: float) -> Judged | Refused:
        """Take in beats, each for itself.

        What is told again, because the first answer was lost on its way, is taken, or
        turned away, once; it is answered as the first time.

        Args:
            beats: At most ``BEATS_PER_POST_MAX``; of more none is looked at.
            at_s: Seconds since the run's start.
        """
        if len(beats) > BEATS_PER_POST_MAX:
            text = f"found {len(beats)} beats; allowed are {BEATS_PER_POST_MAX} at a time"
            return Refused("bad_request", text)
        taken, known, turned_away = 0, 0, []
        for place, beat in enumerate(beats):
            if self._is_known(beat):
                known += 1
                continue
            why = self._why_not_before(beat)
            known += bool(why)
            if not why and (why := self._why_not(beat)):
                self._ungrounded += 1
                self._turned_away.append((beat, why))
            if why:
                turned_away.append(TurnedAway(place, why))
            else:
                self._number(beat, at_s)
                taken += 1
        text = f"beats taken: {taken}"
        if turned_away:
            said = "; ".join(one.why for one in turned_away[:_REASONS_SAID_MAX])
            text = f"{text}; turned away: {len(turned_away)} ({said})"
        return Judged(text, taken, known, tuple(turned_away))

    def view(self) -> StoryView:
        """Return what a snapshot shows."""
        return StoryView(self._told, self._ungrounded, self.narrator, self._tail)

    def answer(self, query: StoryQuery) -> StoryAnswer:
        """Return the beats asked for, oldest first."""
        if query.after:
            later = (beat for beat in self._kept if beat.number > query.after)
            rows = tuple(beat for beat, _ in zip(later, range(query.limit), strict=False))
        else:
            rows = tuple(self._kept)[-query.limit :]
        return StoryAnswer(self._told, rows)

    def summary(self) -> StorySummary | None:
        """Return the figures, None when nobody has told or was to tell anything."""
        offered = self._told + self._ungrounded
        if self.narrator == "off" and not offered:
            return None
        grounded_pct = 100 * self._told / offered if offered else 100.0
        return StorySummary(self._told, round(grounded_pct, 3))

    def _is_known(self, beat: NewBeat) -> bool:
        return any(
            (kept.events, kept.text) == (beat.events, _clean(beat.text))
            for kept in reversed(self._tail)
        )

    def _why_not_before(self, beat: NewBeat) -> str:
        """Return why the same beat was turned away lately, nothing when it was not."""
        return next((why for other, why in self._turned_away if other == beat), "")

    def _why_not(self, beat: NewBeat) -> str:
        """Return why a beat is turned away, nothing when it is not."""
        if any(seq >= later for seq, later in pairwise(beat.events)):
            return "its events are not in ascending order"
        events: list[Event] = []
        for seq in beat.events:
            event = self._log.event(seq)
            if event is None:
                return f"event {seq} is not among those that can be checked"
            events.append(event)
        if beat.tick != events[-1].tick:
            return f"it says tick {beat.tick}; its newest event is of tick {events[-1].tick}"
        strangers = sorted(set(beat.cast) - entities_in(events))
        if strangers:
            return f"{entity_name(strangers[0])} stands in none of its events"
        loose = ungrounded(beat.text, events)
        if loose:
            return f"{printable(loose[0], 40)!r} stands in none of its events"
        return ""

    def _number(self, beat: NewBeat, at_s: float) -> None:
        self._told += 1
        told = Beat(
            number=self._told,
            at_s=round(at_s, 3),
            tick=beat.tick,
            kind=printable(beat.kind, _KIND_CHARS_MAX),
            text=_clean(beat.text),
            events=beat.events,
            cast=beat.cast,
        )
        self._kept.append(told)
        self._tail = (*self._tail, told)[-BEAT_TAIL_MAX:]
        self.keep(told)


def _clean(text: str) -> str:
    return printable(text, BEAT_CHARS_MAX)
