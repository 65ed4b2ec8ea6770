"""Searches the whole log for events: what is indexed by its index, the rest in the log itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engine.protocol.events import Event
from engine.protocol.limits import EVENTS_SEARCH_TICKS_MAX
from engine.store.finding import Finder
from engine.store.lookup import Lookup, OverBudget, Term
from engine.store.postings import Damaged, Seqs
from engine.store.segments import NOTHING_AT_ZERO, Segment
from engine.world.arrays import Array
from engine.world.events import TickEvents

SEQ_END: Final = 2**53
"""More than any event or tick."""

Condition = tuple[Term, ...]
"""An event satisfies it when it has any of the keys."""
Step = tuple[TickEvents | None, int]
"""A tick to look at, if any, and how far the search has come then."""
Rest = Callable[[TickEvents], Array]
"""Returns which of a tick's events satisfy what is not indexed, bool, (n,)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are wanted.

    Attributes:
        conditions: On indexed columns; all must hold.
        rest: What else must hold.
        after_seq: They come after this event, ...
        before_seq: ... and before this one.
        first_tick: Of this tick or later, ...
        last_tick: ... and of this one or earlier.
    """

    conditions: tuple[Condition, ...] = ()
    rest: Rest | None = None
    after_seq: int = 0
    before_seq: int = SEQ_END
    first_tick: int = 0
    last_tick: int = SEQ_END

    def pick(self, tick: TickEvents) -> Array:
        """Return a tick's rows that are wanted as far as conditions go, in order."""
        rows = tick.rows
        holds = np.ones(len(rows), np.bool_)
        for condition in self.conditions:
            some = np.zeros(len(rows), np.bool_)
            for dimension, key in condition:
                some |= rows[dimension] == key
            holds &= some
        if self.rest is not None and holds.any():
            holds &= self.rest(tick)
        return np.flatnonzero(holds)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        events: In order, oldest first.
        last_seq: The newest event of the log.
        searched: How far the search came: oldest first, every event up to this one was looked
            at; newest first, every event from this one on.
        complete: Whether it came to its end; otherwise it goes on from ``searched``.
        indexed_seq: The newest event that was found by the index.
        damage: Why the index is to be made anew, empty while it is not.
    """

    events: tuple[Event, ...]
    last_seq: int
    searched: int
    complete: bool
    indexed_seq: int
    damage: str = ""


def search(log_path: Path, index_path: Path, wanted: Wanted, limit: int, *, newest: bool) -> Found:
    """Return the oldest or the newest events that are wanted, ``limit`` at most.

    It looks at as much as one search may; ``Found`` says whether that was all.

    Args:
        log_path: ``events.db``.
        index_path: ``index.db``; the log is searched without it when it is of no use.
        wanted: Which events.
        limit: At most so many.
        newest: Whether to begin with the newest ones.

    Raises:
        OSError: The log cannot be read.
        ValueError: What is stored is no events.
    """
    with Finder(log_path) as log, Lookup(index_path, log) as lookup:
        return _Search(log, lookup, wanted, limit, newest).run()


class _Search:
    def __init__(
        self, log: Finder, lookup: Lookup, wanted: Wanted, limit: int, newest: bool
    ) -> None:
        last = log.last()
        self._last_seq = last.seq if last is not None else 0
        self._log = log
        self._lookup = lookup
        self._wanted = wanted
        self._limit = limit
        self._newest = newest
        self._first, self._end = _span(wanted, log, self._last_seq)
        self._searched = self._end if newest else self._first - 1
        self._pages: list[list[Event]] = []
        self._ticks_left = EVENTS_SEARCH_TICKS_MAX

    def run(self) -> Found:
        indexed_seq = self._lookup.position
        before = self._searched
        try:
            complete = self._go(self._by_index() if indexed_seq else self._by_log())
        except Damaged as problem:
            # What is left is searched without it, and whoever asked is told.
            self._lookup.give_up(str(problem))
            complete = self._go(self._by_log())
        except OverBudget:
            # One segment too large for one search; the log brings it forward in any case.
            complete = self._searched == before and self._go(self._by_log())
        pages = reversed(self._pages) if self._newest else self._pages
        events = tuple(event for page in pages for event in page)
        damage = self._lookup.damage
        return Found(events, self._last_seq, self._searched, complete, indexed_seq, damage)

    def _go(self, steps: Iterator[Step]) -> bool:
        """Take what is wanted from ticks in order; return whether there is no more to search."""
        room = self._limit - sum(map(len, self._pages))
        for tick, reach in steps:
            if tick is not None:
                rows = self._wanted.pick(tick)
                first, end = self._first - tick.first_seq, self._end - tick.first_seq
                rows = rows[(rows >= first) & (rows < end)]
                page = tick.events(rows[-room:] if self._newest else rows[:room])
                self._pages.append(page)
                room -= len(page)
                if not room:
                    self._searched = page[0].seq if self._newest else page[-1].seq
                    return False
                self._ticks_left -= 1
            self._searched = reach
            if not self._ticks_left:
                return False
        self._searched = self._first if self._newest else self._end - 1
        return True

    def _by_index(self) -> Iterator[Step]:
        """Yield what the index names, and what it does not cover from the log."""
        conditions = [each for each in self._wanted.conditions if all(map(is_indexed, each))]
        if not conditions:
            yield from self._by_log()
            return
        # Few events have one stream or one correlation; many have one kind.
        conditions.sort(key=lambda each: any(dimension == "kind" for dimension, _ in each))
        if self._newest:
            yield from self._by_log(down_to=self._lookup.position)
        segments = self._lookup.segments
        for segment in reversed(segments) if self._newest else segments:
            if segment.first_seq >= self._end or segment.last_seq < self._first:
                continue
            seqs = self._candidates(segment, conditions)
            for tick in self._log.with_any((seqs[::-1] if self._newest else seqs).tolist()):
                yield tick, tick.first_seq if self._newest else tick.last_seq
            yield None, segment.first_seq if self._newest else segment.last_seq
        if not self._newest:
            yield from self._by_log()

    def _candidates(self, segment: Segment, conditions: list[Condition]) -> Seqs:
        found = self._lookup.any_of(conditions[0], segment)
        for condition in conditions[1:]:
            if len(found):
                others = self._lookup.any_of(condition, segment)
                if not len(others):
                    return others
                at = np.minimum(others.searchsorted(found), len(others) - 1)
                found = found[others[at] == found]
        return found[(found >= self._first) & (found < self._end)]

    def _by_log(self, down_to: int = 0) -> Iterator[Step]:
        """Yield what was not searched yet, tick by tick; newest first only after ``down_to``."""
        if not self._newest:
            for tick in self._log.onward(self._searched):
                if tick.first_seq >= self._end:
                    return
                yield tick, tick.last_seq
            return
        for tick in self._log.backward(self._searched):
            if tick.last_seq < max(self._first, down_to + 1):
                return
            yield tick, tick.first_seq


def is_indexed(term: Term) -> bool:
    """Return whether the index knows who has a key."""
    dimension, key = term
    return key > 0 or (key == 0 and dimension not in NOTHING_AT_ZERO)


def _span(wanted: Wanted, log: Finder, last_seq: int) -> tuple[int, int]:
    """Return the first event to look at and the one after the last."""
    first, end = wanted.after_seq + 1, min(wanted.before_seq, last_seq + 1)
    if wanted.first_tick:
        found = log.first_seq_from(wanted.first_tick)
        first = max(first, last_seq + 1 if found is None else found)
    if wanted.last_tick < SEQ_END:
        found = log.first_seq_from(wanted.last_tick + 1)
        end = end if found is None else min(end, found)
    return first, max(first, end)
