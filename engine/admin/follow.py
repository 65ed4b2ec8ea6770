"""``Follow``: what one stream has still to tell. Cursors, and no queue: nothing grows.

What happened is kept once, in the hub and in the log, for everyone. A stream holds where
it is in each topic and makes its next message when its client has taken the one before.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from engine.admin.call import check_parameters
from engine.admin.errors import Problem
from engine.admin.service import AdminService, ArmedFault, FaultNews
from engine.admin.sift import Sift, Violation, kind_codes, violations_of
from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.feed import FaultView
from engine.protocol.limits import (
    FILTER_CHARS_MAX,
    STREAM_EVENTS_PER_MESSAGE_MAX,
    TICK_INTERVAL_MS,
)
from engine.protocol.query import TickFigures
from engine.protocol.story import Beat
from engine.protocol.text import nearest, printable
from engine.world.events import TickEvents

TOPICS: Final = ("events", "ticks", "violations", "story", "faults")
_SEQ_DIGITS_MAX: Final = 18

Why = Literal["slow", "lost"]


class Wish(Struct, frozen=True):
    """What a client wants to follow; see ``engine.admin.docs``."""

    topics: tuple[str, ...] = ("events",)
    after_seq: int | None = None
    kinds: tuple[int, ...] | None = None


class Hello(Struct, frozen=True, tag_field="type", tag="hello", omit_defaults=True):
    """First of all; ``armed`` when faults are followed and some are armed."""

    run: str
    interval_ms: int
    topics: tuple[str, ...]
    after_seq: int
    last_seq: int
    armed: tuple[ArmedFault, ...] = ()


class EventsTold(Struct, frozen=True, tag_field="type", tag="events"):
    """Events of one tick; accounts for ``first_seq`` to ``last_seq``."""

    tick: int
    first_seq: int
    last_seq: int
    events: list[Event]


class ViolationsTold(Struct, frozen=True, tag_field="type", tag="violations"):
    """Violations of one tick."""

    tick: int
    violations: list[Violation]


class TicksTold(Struct, frozen=True, tag_field="type", tag="ticks"):
    """Figures of ticks."""

    ticks: list[TickFigures]


class BeatTold(Struct, frozen=True, tag_field="type", tag="beat"):
    """A beat."""

    beat: Beat


class FaultTold(Struct, frozen=True, tag_field="type", tag="fault"):
    """News of a fault."""

    number: int
    what: str
    tick: int
    fault: FaultView


class Live(Struct, frozen=True, tag_field="type", tag="live"):
    """Everything up to ``last_seq`` was told."""

    last_seq: int


class GapTold(Struct, frozen=True, tag_field="type", tag="gap"):
    """``first`` to ``last`` cannot be told."""

    topic: str
    first: int
    last: int
    count: int
    why: Why


class EndedTold(Struct, frozen=True, tag_field="type", tag="ended"):
    """The run is over."""

    exit_code: int
    text: str


def wish_of(parameters: Iterable[tuple[str, Any]]) -> Wish:
    """Return what a stream's query parameters ask for.

    Raises:
        Problem: One is wrong; names it.
    """
    pairs = [(name, str(value)) for name, value in parameters]
    check_parameters([name for name, _ in pairs], ("topics", "after_seq", "kinds"))
    given = dict(pairs)
    for name, value in given.items():
        if len(value) > FILTER_CHARS_MAX:
            raise Problem("bad_request", f"allowed are {FILTER_CHARS_MAX} characters", name)
    topics = given.get("topics", "events").split(",")
    for topic in topics:
        if topic not in TOPICS:
            shown, allowed = printable(topic, 40), ", ".join(TOPICS)
            text = f"no topic {shown!r}{nearest(topic, TOPICS)}; allowed: {allowed}"
            raise Problem("bad_request", text, "topics")
    after, kinds = given.get("after_seq"), given.get("kinds")
    if after is not None and not (
        after.isascii() and after.isdigit() and len(after) <= _SEQ_DIGITS_MAX
    ):
        text = f"found {printable(after, 40)!r}; allowed is a sequence number, 0 for all"
        raise Problem("bad_request", text, "after_seq")
    try:
        codes = kind_codes(kinds.split(",")) if kinds is not None else None
    except UserError as problem:
        raise Problem("bad_request", problem.message, "kinds") from problem
    chosen = tuple(topic for topic in TOPICS if topic in topics)
    return Wish(chosen, None if after is None else int(after), codes)


class Follow:
    """One stream's place in everything it follows.

    Args:
        service: The engine.
        wish: What to tell.
        lag_events_max: A live stream that is further behind is told a gap.
    """

    def __init__(self, service: AdminService, wish: Wish, lag_events_max: int) -> None:
        self._service = service
        self._topics = wish.topics
        self._sift = Sift(kinds=wish.kinds)
        self._lag_events_max = lag_events_max
        self._catches_up = wish.after_seq is not None
        last = service.last_seq
        self._seq = last if wish.after_seq is None else min(wish.after_seq, last)
        self._told = self._seq
        self._seen_tick = 0
        self._tick = service.health().tick
        self._beat = service.snapshot.story.beats
        self._fault = service.faults_told
        self._armed = service.faults_armed if "faults" in wish.topics else ()

    def hello(self) -> bytes:
        """Return the first message."""
        service = self._service
        return _encode(
            Hello(
                service.run,
                TICK_INTERVAL_MS,
                self._topics,
                self._seq,
                service.last_seq,
                self._armed,
            )
        )

    def ended(self) -> bytes | None:
        """Return the last message, None while the run goes on."""
        last = self._service.ended
        return None if last is None else _encode(EndedTold(last.exit_code, last.text))

    async def pending(self) -> AsyncIterator[bytes]:
        """Yield every message there is now; each is made when the one before was taken."""
        follows_log = "events" in self._topics or "violations" in self._topics
        while True:
            several = await self._service.ticks_after(self._seq) if follows_log else []
            for message in self._others():
                yield message
            if not several:
                break
            for tick in several:
                if self._is_slow():
                    for message in self._gap(self._service.last_seq, "slow"):
                        yield message
                    break
                for message in self._of_tick(tick):
                    yield message
        if self._catches_up:
            self._catches_up = False
            yield _encode(Live(self._seq))

    def _is_slow(self) -> bool:
        """Whether a live stream is too far behind, and has to go on with the newest event."""
        return not self._catches_up and self._service.last_seq - self._seq > self._lag_events_max

    def _gap(self, last: int, why: Why) -> Iterable[bytes]:
        """Yield the gap from where the stream is up to ``last``, and go on after it.

        What was looked at before and held nothing that is asked for is accounted for first.
        """
        first, self._seq = self._seq + 1, last
        topic = "violations"
        if "events" in self._topics:
            topic = "events"
            if self._told + 1 < first:
                yield _encode(EventsTold(self._seen_tick, self._told + 1, first - 1, []))
            self._told = last
        yield _encode(GapTold(topic, first, last, last - first + 1, why))

    def _of_tick(self, tick: TickEvents) -> Iterable[bytes]:
        if tick.first_seq > self._seq + 1:
            yield from self._gap(tick.first_seq - 1, "lost")
        after, self._seq, self._seen_tick = self._seq, tick.last_seq, tick.tick
        if "events" in self._topics:
            indexes = self._sift.pick(tick, after)
            for at in range(0, len(indexes), STREAM_EVENTS_PER_MESSAGE_MAX):
                some = indexes[at : at + STREAM_EVENTS_PER_MESSAGE_MAX]
                is_last = at + len(some) == len(indexes)
                events = tick.events(some)
                first = self._told + 1
                self._told = tick.last_seq if is_last else events[-1].seq
                yield _encode(EventsTold(tick.tick, first, self._told, events))
        if "violations" in self._topics:
            found = violations_of(tick, after)
            if found:
                yield _encode(ViolationsTold(tick.tick, found))

    def _others(self) -> Iterable[bytes]:
        if "ticks" in self._topics:
            figures = self._service.figures_after(self._tick)
            if figures:
                yield from self._jump("ticks", self._tick, figures[0].tick)
                self._tick = figures[-1].tick
                yield _encode(TicksTold(figures))
        if "story" in self._topics:
            for beat in self._service.beats_after(self._beat):
                yield from self._jump("story", self._beat, beat.number)
                self._beat = beat.number
                yield _encode(BeatTold(beat))
        if "faults" in self._topics:
            for news in self._service.faults_after(self._fault):
                yield from self._jump("faults", self._fault, news.number)
                self._fault = news.number
                yield _encode(_fault_told(news))

    @staticmethod
    def _jump(topic: str, before: int, first: int) -> Iterable[bytes]:
        missed = first - before - 1
        if missed > 0:
            yield _encode(GapTold(topic, before + 1, first - 1, missed, "lost"))


def _fault_told(news: FaultNews) -> FaultTold:
    return FaultTold(news.number, news.what, news.tick, news.fault)


def _encode(message: Struct) -> bytes:
    return msgspec.json.encode(message)
