"""The story so far: beats checked against the hub's own events, numbered and kept. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise

from engine.hub.eventlog import EventLog
from engine.protocol.command import Reply
from engine.protocol.events import Event, entity_name
from engine.protocol.grounding import entities_in, ungrounded
from engine.protocol.limits import BEAT_CHARS_MAX, BEAT_TAIL_MAX, BEATS_KEPT_MAX, BEATS_PER_POST_MAX
from engine.protocol.query import StoryAnswer, StoryQuery
from engine.protocol.story import Beat, NarratorState, NewBeat, StoryView
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

    def take(self, beats: Sequence[NewBeat], at_s: float) -> Reply:
        """Take in beats, each for itself.

        What is told again, because the first answer was lost on its way, is taken once.

        Args:
            beats: At most ``BEATS_PER_POST_MAX``.
            at_s: Seconds since the run's start.

        Returns:
            ``ok`` when at least one was taken or none was turned away; the text says what
            was turned away, and why.
        """
        if len(beats) > BEATS_PER_POST_MAX:
            text = f"found {len(beats)} beats; allowed are {BEATS_PER_POST_MAX} at a time"
            return Reply(ok=False, text=text, code="bad_request")
        taken, known, reasons = 0, 0, []
        for beat in beats:
            if self._is_known(beat):
                known += 1
                continue
            reason = self._why_not(beat)
            if reason:
                reasons.append(reason)
            else:
                self._number(beat, at_s)
                taken += 1
        self._ungrounded += len(reasons)
        text = f"beats taken: {taken}"
        if reasons:
            said = "; ".join(reasons[:_REASONS_SAID_MAX])
            text = f"{text}; turned away: {len(reasons)} ({said})"
        ok = not reasons or bool(taken or known)
        return Reply(ok=ok, text=text, code="" if ok else "bad_request")

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
