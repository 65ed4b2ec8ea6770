"""``EventStore``: a world's log. What was appended is durable, what was not never happened.

``SqliteStore`` and ``MemoryStore`` pass the same contract suite (``tests/contract``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from engine.protocol.events import Event
from engine.world.events import EventBlock, to_events
from engine.world.inputs import TickInputs

CHECKPOINTS_KEPT: Final = 3
"""Older checkpoints are dropped: the log has everything they hold."""


class StoreFull(Exception):
    """There is no room for more; what was to be stored is not, and can be tried again."""


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick as stored.

    Attributes:
        tick: The tick.
        first_seq: ``seq`` of its first event.
        count: Number of events.
        inputs: ``TickInputs.pack()``.
        events: ``EventBlock.to_log()``.
        hash: State hash after the tick.
    """

    tick: int
    first_seq: int
    count: int
    inputs: bytes
    events: bytes
    hash: bytes

    @classmethod
    def of(
        cls, tick: int, inputs: TickInputs, events: EventBlock, state_hash: bytes
    ) -> "TickRecord":
        """Return the record of what a step took and gave."""
        return cls(
            tick, events.first_seq, len(events.rows), inputs.pack(), events.to_log(), state_hash
        )

    def block(self) -> EventBlock:
        """Return the events.

        Raises:
            ValueError: The bytes are no events.
        """
        return EventBlock.from_log(self.first_seq, self.events)


@dataclass(frozen=True, slots=True)
class Last:
    """Where the log ends: newest tick and newest event."""

    tick: int
    seq: int


class EventStore(Protocol):
    """An append-only log of ticks, and checkpoints to start from."""

    def append(self, record: TickRecord) -> None:
        """Store one tick, in one durable transaction.

        Raises:
            StoreFull: There is no room; nothing was stored.
            ValueError: The tick or its first event does not follow the newest ones.
        """
        ...

    def last(self) -> Last | None:
        """Return where the log ends, None when it is empty."""
        ...

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """Yield the stored ticks from ``from_tick`` on, in order."""
        ...

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """Return at most ``limit`` events that come after ``after_seq``, in order."""
        ...

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """Store the state before ``tick``; the newest few are kept.

        Raises:
            StoreFull: There is no room; nothing was stored.
        """
        ...

    def latest_checkpoint(self) -> tuple[int, bytes] | None:
        """Return the newest checkpoint and its tick, None when there is none."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes the log takes."""
        ...

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        ...


def check_follows(last: Last | None, record: TickRecord) -> None:
    """Refuse a record that would leave a gap or a fork in the log.

    Raises:
        ValueError: It does not follow ``last``.
    """
    tick, seq = (0, 1) if last is None else (last.tick + 1, last.seq + 1)
    if (record.tick, record.first_seq) != (tick, seq):
        raise ValueError(
            f"tick {record.tick} with events from {record.first_seq}; "
            f"the log goes on with tick {tick} and event {seq}"
        )


def events_of(records: Iterator[TickRecord], after_seq: int, limit: int) -> list[Event]:
    """Return at most ``limit`` events after ``after_seq`` from ticks in order."""
    found: list[Event] = []
    for record in records:
        skip = max(after_seq + 1 - record.first_seq, 0)
        block = record.block()
        end = min(record.count, skip + limit - len(found))
        texts = {row - skip: text for row, text in block.texts.items() if skip <= row < end}
        part = EventBlock(record.first_seq + skip, block.rows[skip:end], texts)
        found += to_events(part, record.tick)
        if len(found) >= limit:
            break
    return found
