"""``EventStore``: a world's log. What was appended is durable, what was not never happened.

``SqliteStore`` and ``MemoryStore`` pass the same contract suite (``tests/contract``). Who
reads a log beside its world has a ``LogReader`` (``engine.store.reading``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from engine.protocol.events import Event
from engine.protocol.limits import CHECKPOINTS_KEPT_MAX, LOG_CHECK_BYTES_MAX
from engine.store.upcast import upcast
from engine.world.events import EVENT_SCHEMA, EventBlock, TickEvents, to_events
from engine.world.inputs import TickInputs
from engine.world.world import TickResult


class StoreUnavailable(Exception):
    """Storing does not work at present. What was to be stored may or may not be; try it again."""


class StoreFull(StoreUnavailable):
    """There is no room for more; what was to be stored is not, and can be tried again."""


class Conflict(ValueError):
    """A record does not go on where the log ends: another writer, or a fault of ours."""


class Damaged(ValueError):
    """A stored log does not hold what was written; what was found, and what still holds.

    Args:
        text: In words.
        tick: See below.

    Attributes:
        tick: The first tick that is not as it was written; None where no tick can be named.
    """

    def __init__(self, text: str, tick: int | None = None) -> None:
        super().__init__(text)
        self.tick = tick


@dataclass(frozen=True, slots=True)
class Inspection:
    """What of a log was looked through, and found to be as it was written.

    Attributes:
        ticks: Ticks looked at, the newest ones.
        is_whole: They are all there are.
    """

    ticks: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick as stored.

    Attributes:
        tick: The tick.
        first_seq: ``seq`` of its first event.
        count: Number of events.
        inputs: ``TickInputs.pack()``.
        events: ``EventBlock.to_log()``, of the writer's ``schema``.
        hash: State hash after the tick.
        audit: What governance wrote down about the intents, in its stored form.
        schema: ``EVENT_SCHEMA`` of the writer.
    """

    tick: int
    first_seq: int
    count: int
    inputs: bytes
    events: bytes
    hash: bytes
    audit: bytes = b""
    schema: int = EVENT_SCHEMA

    @classmethod
    def of(cls, result: TickResult, inputs: TickInputs) -> "TickRecord":
        """Return the record of what a step gave and took."""
        events = result.events
        return cls(
            result.tick,
            events.first_seq,
            len(events.rows),
            inputs.pack(),
            events.to_log(),
            result.hash,
            result.audit_log,
        )

    @property
    def last_seq(self) -> int:
        """``seq`` of the last event; before the first when there is none."""
        return self.first_seq + self.count - 1

    def block(self) -> EventBlock:
        """Return the events, as this version understands them whoever wrote them.

        Raises:
            ValueError: The bytes are no events, or are of a newer schema.
        """
        return upcast(EventBlock.from_log(self.first_seq, self.events), self.schema)


@dataclass(frozen=True, slots=True)
class Last:
    """Where the log ends: newest tick and newest event."""

    tick: int
    seq: int


class LogReader(Protocol):
    """What can be read of a log, by its world and by others."""

    @property
    def rules(self) -> int:
        """``RULES_VERSION`` of the world that wrote it; only the same can step it again."""
        ...

    def last(self) -> Last | None:
        """Return where the log ends, None when it is empty."""
        ...

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """Yield the stored ticks from ``from_tick`` on, in order.

        Raises:
            ValueError: A block is damaged.
        """
        ...

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """Return at most ``limit`` events that come after ``after_seq``, in order."""
        ...

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        """Return stored ticks with events after ``after_seq``, whole, oldest first.

        Args:
            after_seq: The last event that is known already.
            ticks_max: Ticks looked at, at most.
            events_max: No further tick is read once there are as many events.

        Raises:
            OSError: The log cannot be read.
            ValueError: What is stored is no events.
        """
        ...

    def checkpoint_ticks(self) -> list[int]:
        """Return the ticks of the stored checkpoints, in order."""
        ...

    def checkpoint_at(self, tick: int) -> bytes | None:
        """Return the checkpoint of the state before ``tick``, None when there is none.

        Raises:
            ValueError: It is damaged.
        """
        ...

    def inspect(self, bytes_max: int = LOG_CHECK_BYTES_MAX, end: int | None = None) -> Inspection:
        """Look the log through for damage; of a longer one the newest part.

        Args:
            bytes_max: Of the log as it is stored; about as much is read.
            end: Look no further than before this tick, and not at pages: for a log that
                another process goes on with.

        Raises:
            Damaged: It does not hold what was written. The tick, what is wrong with it,
                and the newest tick before it are named.
        """
        ...

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        ...


class EventStore(LogReader, Protocol):
    """An append-only log of ticks, and checkpoints to start from.

    A record says itself where it belongs: its tick and ``first_seq`` must follow the
    newest ones, and the versions of its events those of their streams.
    """

    def append(self, record: TickRecord) -> None:
        """Store one tick, in one durable transaction.

        The newest record again, with the same content, is already there: nothing is done,
        so that an append whose outcome is not known may be tried again.

        Raises:
            StoreFull: There is no room; nothing was stored.
            StoreUnavailable: The disk fails, or another process holds the log. Whether the
                tick was stored is not known: append it again.
            Conflict: The tick, its first event or a version does not follow the newest ones.
        """
        ...

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """Store the state before ``tick``; of very many, older ones are thinned out.

        Raises:
            StoreFull: There is no room; nothing was stored.
            StoreUnavailable: The disk fails, or another process holds the log.
        """
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes the log takes."""
        ...


def check_follows(last: Last | None, record: TickRecord) -> None:
    """Refuse a record that would leave a gap or a fork in the log.

    Raises:
        Conflict: It does not follow ``last``.
    """
    tick, seq = (0, 1) if last is None else (last.tick + 1, last.seq + 1)
    if (record.tick, record.first_seq) != (tick, seq):
        raise Conflict(
            f"tick {record.tick} with events from {record.first_seq}; "
            f"the log goes on with tick {tick} and event {seq}"
        )


def events_of(records: Iterator[TickRecord], after_seq: int, limit: int) -> list[Event]:
    """Return at most ``limit`` events after ``after_seq`` from ticks in order."""
    found: list[Event] = []
    for record in records:
        if record.count:
            part = record.block().after(after_seq, limit - len(found))
            found += to_events(part, record.tick)
        if len(found) >= limit:
            break
    return found


def too_many(checkpoints: list[int]) -> list[int]:
    """Return which checkpoints to drop: every second of the older half, the first stays.

    Args:
        checkpoints: Their ticks, in order.
    """
    if len(checkpoints) <= CHECKPOINTS_KEPT_MAX:
        return []
    return checkpoints[: len(checkpoints) // 2][1::2]
