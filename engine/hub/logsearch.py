"""Events of the whole log: the newest from the hub's memory, older ones from the log on disk."""

import asyncio
from asyncio import Lock
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import takewhile

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from engine.hub.columns import Column, mask
from engine.hub.eventlog import EventLog
from engine.hub.past import Past
from engine.protocol.errors import UserError
from engine.protocol.events import EVENT_CODE, EVENT_KINDS, Event
from engine.protocol.filters import EVENT_FIELDS, Filter, Term, parse_filter
from engine.protocol.limits import SEARCH_EVENTS_AT_ONCE, SEARCHES_KEPT_MAX
from engine.protocol.query import (
    Answer,
    ChainAnswer,
    ChainQuery,
    EventsAnswer,
    EventsQuery,
    Refused,
)
from engine.protocol.text import nearest, printable
from engine.store.search import Condition, Found, Wanted
from engine.store.segments import DIMENSIONS
from engine.world.arrays import Array
from engine.world.events import TickEvents

_TICK_COSTS_EVENTS = 256
"""A tick with few events costs about as much as so many more of another."""


class _Older(Struct, frozen=True):
    """What was found of the newest events before the hub's memory.

    Attributes:
        events: Oldest first.
        top: They come before this event.
        searched: Every event from this one on was looked at.
        complete: There is nothing before ``searched`` to look at.
    """

    events: tuple[Event, ...]
    top: int
    searched: int
    complete: bool


class _Kept(Struct):
    """A search that is gone on with each time somebody asks the same; one asker at a time."""

    turn: Lock
    older: _Older


class LogSearch:
    """Answers questions for events.

    Args:
        log: The newest events.
        past: All of them.
    """

    def __init__(self, log: EventLog, past: Past) -> None:
        self._log = log
        self._past = past
        self._kept: OrderedDict[EventsQuery, _Kept] = OrderedDict()

    async def events(self, query: EventsQuery) -> EventsAnswer:
        """Return the events that are asked for.

        Raises:
            UserError: The filter or a kind is wrong.
        """
        last_seq = self._log.last_seq
        # The log may be ahead of what the hub was told; no one is told of it before the hub.
        end = last_seq + 1 if query.before_seq is None else min(query.before_seq, last_seq + 1)
        sieve = _Sieve(query)
        if query.after_seq is not None:
            return await self._oldest(query, sieve, query.after_seq, end)
        if query.before_seq is not None:
            found = await self._past.search(sieve.wanted(0, end), query.limit, newest=True)
            if found is not None:
                return _answer(last_seq, found)
        return await self._newest(query, sieve, end)

    async def chain(self, query: ChainQuery) -> Answer:
        """Return an event's causes and effects."""
        if query.seq > self._log.last_seq:
            text = f"no event {query.seq}; the newest is {self._log.last_seq}"
            return Refused("not_found", text)
        chain = await self._past.chain(query.seq)
        if chain is None:
            return Refused("not_found", f"no event {query.seq} is in the log")
        if isinstance(chain, OSError):
            return Refused("gone", f"the log cannot be read: {chain}")
        return ChainAnswer(chain.causes, chain.event, chain.effects, chain.cut)

    async def _oldest(
        self, query: EventsQuery, sieve: "_Sieve", after_seq: int, end: int
    ) -> EventsAnswer:
        held = self._held()
        first = min(end, held[0].first_seq) if held else end
        lost = 0
        if after_seq + 1 < first:
            found = await self._past.search(sieve.wanted(after_seq, end), query.limit, newest=False)
            if found is not None:
                return _answer(self._log.last_seq, found)
            lost, after_seq = first - after_seq - 1, first - 1
        events: list[Event] = []
        async for tick in _in_turns(tick for tick in held if tick.last_seq > after_seq):
            rows = sieve.rows(tick, after_seq, end)[: query.limit - len(events)]
            events += tick.events(rows)
            if len(events) >= query.limit:
                return EventsAnswer(
                    self._log.last_seq, tuple(events), events[-1].seq, complete=False, lost=lost
                )
        searched = max(after_seq, end - 1)
        return EventsAnswer(self._log.last_seq, tuple(events), searched, lost=lost)

    async def _newest(self, query: EventsQuery, sieve: "_Sieve", end: int) -> EventsAnswer:
        last_seq, room = self._log.last_seq, query.limit
        held = self._held()
        pages: list[list[Event]] = []
        async for tick in _in_turns(reversed(held)):
            rows = sieve.rows(tick, 0, end)[-room:]
            pages.append(tick.events(rows))
            room -= len(rows)
            if not room:
                searched = pages[-1][0].seq
                return EventsAnswer(last_seq, _joined(pages), searched, complete=False)
        first = min(end, held[0].first_seq) if held else end
        older = None
        if query.before_seq is None:  # else the log was asked already, and cannot be read
            older = await self._before(query, sieve, first, room)
        if older is None:
            return EventsAnswer(last_seq, _joined(pages), first, lost=max(0, first - 1))
        # Another asker may have searched on from what has left the hub's memory only since.
        found = [event for event in older.events if event.seq < first]
        more = len(found) > room
        events = (*found[-room:], *_joined(pages))
        searched = found[-room].seq if more else min(first, older.searched)
        return EventsAnswer(last_seq, events, searched, complete=older.complete and not more)

    async def _before(
        self, query: EventsQuery, sieve: "_Sieve", first: int, room: int
    ) -> _Older | None:
        """Return the newest wanted events before the hub's memory; None when they are lost.

        What was found is kept: who asks again and again, as a console does, has a search that
        comes further each time instead of one that begins anew.
        """
        start = _Older((), first, first, complete=first <= 1)
        kept = self._kept.setdefault(query, _Kept(Lock(), start))
        self._kept.move_to_end(query)
        while len(self._kept) > SEARCHES_KEPT_MAX:
            self._kept.popitem(last=False)
        async with kept.turn:
            if kept.older.top < first:
                # What has left the hub's memory since.
                wanted = sieve.wanted(kept.older.top - 1, first)
                gap = await self._past.search(wanted, query.limit, newest=True)
                if gap is None:
                    return None
                kept.older = _joined_by(kept.older, gap, first, query.limit)
            older = kept.older
            if not older.complete and len(older.events) < room:
                wanted = sieve.wanted(0, older.searched)
                more = await self._past.search(wanted, room - len(older.events), newest=True)
                if more is None:
                    return None
                events = more.events + older.events
                kept.older = _Older(events, older.top, more.searched, more.complete)
            return kept.older

    def _held(self) -> Sequence[TickEvents]:
        """Return the hub's newest ticks without a hole among them, oldest first."""
        newest = list(self._log.ring)[::-1]
        ends = [0, *(tick.first_seq for tick in newest)]
        whole = takewhile(
            lambda pair: not pair[0] or pair[1].last_seq + 1 == pair[0],
            zip(ends, newest, strict=False),
        )
        return [tick for _, tick in whole][::-1]


def _joined_by(older: _Older, gap: Found, top: int, most: int) -> _Older:
    """Return what was found with what was found between it and ``top``, the newest ``most``."""
    if not gap.complete:
        return _Older(gap.events, top, gap.searched, complete=False)
    events = older.events + gap.events
    if len(events) > most:
        return _Older(events[-most:], top, events[-most].seq, complete=False)
    return replace(older, events=events, top=top)


class _Sieve:
    """What a query wants, for ticks in memory and for the log on disk alike."""

    def __init__(self, query: EventsQuery) -> None:
        terms = parse_filter(query.where, EVENT_FIELDS).terms
        if query.kinds:
            terms = (*terms, Term("kind", "=", _checked(query.kinds)))
        self._filter = Filter(terms)
        self._texts = tuple(term for term in terms if term.field == "text")
        self._about = query.about

    def wanted(self, after_seq: int, end: int) -> Wanted:
        """Return what the log is to be searched for."""
        conditions = [
            tuple((term.field, _code(term.field, value)) for value in term.values)
            for term in self._filter.terms
            if term.op == "=" and term.field in DIMENSIONS and _are_whole(term)
        ]
        if self._about is not None:
            about: Condition = tuple((name, self._about) for name in ("stream", "actor", "target"))
            conditions.append(about)
        seqs, ticks = self._range("seq"), self._range("tick")
        after_seq, end = max(after_seq, seqs[0] - 1), min(end, seqs[1] + 1)
        return Wanted(tuple(conditions), self.holds, after_seq, end, *ticks)

    def _range(self, field: str) -> tuple[int, int]:
        """Return the least and the greatest value that the filter can let pass."""
        least, most = 0, _NUMBER_MAX
        for term in self._filter.terms:
            if term.field != field or not _are_whole(term):
                continue
            values = [int(value) for value in term.values]
            if term.op in {">", ">=", "="}:
                least = max(least, min(values))
            if term.op in {"<", "<=", "="}:
                most = min(most, max(values))
        return min(least, _NUMBER_MAX), max(-1, most)

    def rows(self, tick: TickEvents, after_seq: int, end: int) -> Array:
        """Return a tick's rows after one event and before another that are wanted."""
        if tick.last_seq <= after_seq or tick.first_seq >= end:
            return np.empty(0, np.int64)
        rows = np.flatnonzero(self.holds(tick))
        return rows[(rows > after_seq - tick.first_seq) & (rows < end - tick.first_seq)]

    def holds(self, tick: TickEvents) -> Array:
        """Return which of a tick's events are wanted, bool, (n,)."""
        rows = tick.rows
        holds: Array = mask(self._filter, EVENT_FIELDS, lambda name: _column(tick, name), len(rows))
        about = self._about
        if about is not None:
            holds &= (
                (rows["stream"] == about) | (rows["actor"] == about) | (rows["target"] == about)
            )
        if self._texts:
            # Few events have a text; whether those without one pass is the same for all of them.
            texts = tick.block.texts
            told = np.zeros(len(rows), np.bool_)
            told[list(texts)] = True
            if not self._passes(""):
                holds &= told
            for row in np.flatnonzero(holds & told).tolist():
                holds[row] = self._passes(texts[row])
        return holds

    def _passes(self, text: str) -> bool:
        return all(term.holds(text) for term in self._texts)


_NUMBER_MAX = 2**53


async def _in_turns(ticks: Iterable[TickEvents]) -> AsyncIterator[TickEvents]:
    """Yield ticks; let the feed and the other consoles go on during a long search."""
    looked_at = 0
    for tick in ticks:
        yield tick
        looked_at += max(len(tick.rows), _TICK_COSTS_EVENTS)
        if looked_at >= SEARCH_EVENTS_AT_ONCE:
            looked_at = 0
            await asyncio.sleep(0)


def _column(tick: TickEvents, name: str) -> Column:
    if name == "seq":
        return np.arange(tick.first_seq, tick.last_seq + 1)
    if name == "tick":
        return np.full(len(tick.rows), tick.tick)
    column: Column = tick.rows[name]
    return column


def _code(field: str, value: object) -> int:
    return EVENT_CODE[str(value)] if field == "kind" else int(str(value))


def _are_whole(term: Term) -> bool:
    return all(isinstance(value, int) or term.field == "kind" for value in term.values)


def _checked(kinds: tuple[str, ...]) -> tuple[str, ...]:
    for kind in kinds:
        if kind not in EVENT_CODE:
            raise UserError(
                f"no kind of event {printable(kind, 40)!r}{nearest(kind, EVENT_KINDS)}; "
                f"allowed: {', '.join(EVENT_KINDS)}"
            )
    return kinds


def _answer(last_seq: int, found: Found) -> EventsAnswer:
    return EventsAnswer(last_seq, found.events, found.searched, found.complete)


def _joined(pages: list[list[Event]]) -> tuple[Event, ...]:
    return tuple(event for page in reversed(pages) for event in page)
