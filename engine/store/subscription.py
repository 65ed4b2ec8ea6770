"""``Subscription``: follows a log from any event on, while another process writes it.

A consumer stores the position it has come to with what it has made of the events, and goes
on from there after a restart of either side. What it is not given, it is told as a ``Gap``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.protocol.limits import LOG_EVENTS_READ_MAX, LOG_TICKS_READ_MAX
from engine.store.base import EventStore
from engine.store.reading import read_events, read_last
from engine.world.events import TickEvents


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that are left out, because the subscriber would lag too far behind.

    Attributes:
        first_seq: The first of them.
        last_seq: The last of them.
    """

    first_seq: int
    last_seq: int


class Source(Protocol):
    """A log to follow."""

    def newest_seq(self) -> int:
        """Return the newest event, 0 when there is none.

        Raises:
            OSError: The log cannot be read.
        """
        ...

    def after(self, seq: int) -> list[TickEvents]:
        """Return the next ticks with events after ``seq``, whole, a bounded number of them.

        Raises:
            OSError: The log cannot be read.
            ValueError: What is stored is no events.
        """
        ...


class FileSource:
    """A log in a file, opened for each look. One that is not there yet has no events."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest_seq(self) -> int:
        """See ``Source``."""
        last = read_last(self._path)
        return last.seq if last else 0

    def after(self, seq: int) -> list[TickEvents]:
        """See ``Source``."""
        return read_events(
            self._path, seq, ticks_max=LOG_TICKS_READ_MAX, events_max=LOG_EVENTS_READ_MAX
        )


class StoreSource:
    """A store of this process."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def newest_seq(self) -> int:
        """See ``Source``."""
        last = self._store.last()
        return last.seq if last else 0

    def after(self, seq: int) -> list[TickEvents]:
        """See ``Source``."""
        return self._store.ticks_after(
            seq, ticks_max=LOG_TICKS_READ_MAX, events_max=LOG_EVENTS_READ_MAX
        )


class Subscription:
    """Every event after a position, once and in order.

    Args:
        source: The log.
        position: The last event that is known already: what ``last_seq`` of the newest item
            was, 0 for all there are.
        lag_events_max: A subscriber that is further behind is told a gap and goes on nearer
            to the end; None for one that wants every event, however long it takes.

    Attributes:
        position: The last event that was handed over or told as left out.
    """

    def __init__(
        self, source: Source, position: int = 0, lag_events_max: int | None = None
    ) -> None:
        if position < 0 or (lag_events_max is not None and lag_events_max < 1):
            raise ValueError("a position is 0 or more, a lag 1 event or more")
        self._source = source
        self._lag_events_max = lag_events_max
        self.position = position

    def poll(self) -> list[TickEvents | Gap]:
        """Return what comes next, a bounded number of ticks; nothing when it is up to date.

        Raises:
            OSError: The log cannot be read; the position stays, try again.
            ValueError: What is stored is no events, or it is not the log of the position.
        """
        newest = self._source.newest_seq()
        if newest < self.position:
            raise ValueError(
                f"the position is event {self.position}, the log ends with {newest}: "
                "it is not the log that was followed"
            )
        if newest == self.position:
            return []
        found: list[TickEvents | Gap] = []
        position = self.position
        most = self._lag_events_max
        if most is not None and newest - position > most:
            found.append(Gap(position + 1, newest - most))
            position = newest - most
        for tick in self._source.after(position):
            if tick.first_seq > position + 1:
                raise ValueError(f"the log has no events {position + 1} to {tick.first_seq - 1}")
            found.append(TickEvents(tick.tick, tick.block.after(position)))
            position = tick.last_seq
        self.position = position
        return found
