"""The log in memory, for runs that leave nothing behind."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import Final

from engine.protocol.events import Event
from engine.protocol.limits import LOG_CHECK_BYTES_MAX
from engine.store.base import (
    Conflict,
    Inspection,
    Last,
    StoreFull,
    TickRecord,
    check_follows,
    events_of,
    too_many,
)
from engine.store.compression import Codec
from engine.store.heads import StreamHeads
from engine.world.constants import RULES_VERSION
from engine.world.events import TickEvents, logged_streams

BYTES_MAX: Final = 512 * 1024 * 1024


class MemoryStore:
    """See ``EventStore``.

    Args:
        bytes_max: More than this raises ``StoreFull``.
    """

    rules = RULES_VERSION

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._codec = Codec()
        self._ticks: list[TickRecord] = []
        self._checkpoints: dict[int, bytes] = {}
        self._bytes = 0
        self._heads = StreamHeads()

    def append(self, record: TickRecord) -> None:
        """See ``EventStore.append``."""
        if self._ticks and record.tick == self._ticks[-1].tick:
            if next(self.ticks(record.tick)) != record:
                raise Conflict(f"tick {record.tick} is in the log already, with other content")
            return
        check_follows(self.last(), record)
        streams, versions = logged_streams(record.events, record.count)
        self._heads.check(streams, versions)
        stored = self._codec.pack_record(record)
        blobs = (stored.inputs, stored.events, stored.audit, stored.hash)
        self._grow(sum(len(blob) for blob in blobs))
        self._ticks.append(stored)
        self._heads.advance(streams, versions)

    def last(self) -> Last | None:
        """See ``LogReader.last``."""
        if not self._ticks:
            return None
        newest = self._ticks[-1]
        return Last(newest.tick, newest.last_seq)

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``LogReader.ticks``."""
        for index in range(max(from_tick, 0), len(self._ticks)):
            yield self._codec.unpack_record(self._ticks[index])

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """See ``LogReader.events``."""
        return events_of(self.ticks(self._tick_of(after_seq + 1)), after_seq, limit)

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        """See ``LogReader.ticks_after``."""
        found: list[TickEvents] = []
        count = 0
        for record in islice(self.ticks(self._tick_of(after_seq + 1)), ticks_max):
            if record.count and record.last_seq > after_seq:
                found.append(TickEvents(record.tick, record.block()))
            count += record.count
            if count >= events_max:
                break
        return found

    def _tick_of(self, seq: int) -> int:
        return max(0, bisect_right(self._ticks, seq, key=lambda tick: tick.first_seq) - 1)

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """See ``EventStore.checkpoint``."""
        packed = self._codec.pack(blob)
        self._grow(len(packed) - len(self._checkpoints.get(tick, b"")))
        self._checkpoints[tick] = packed
        for dropped in too_many(self.checkpoint_ticks()):
            self._bytes -= len(self._checkpoints.pop(dropped))

    def checkpoint_ticks(self) -> list[int]:
        """See ``LogReader.checkpoint_ticks``."""
        return sorted(self._checkpoints)

    def checkpoint_at(self, tick: int) -> bytes | None:
        """See ``LogReader.checkpoint_at``."""
        packed = self._checkpoints.get(tick)
        return None if packed is None else self._codec.unpack(packed)

    def inspect(self, bytes_max: int = LOG_CHECK_BYTES_MAX, end: int | None = None) -> Inspection:
        """See ``LogReader.inspect``; what this process has in memory is as it wrote it."""
        del bytes_max, end
        return Inspection(len(self._ticks), True)

    @property
    def size_bytes(self) -> int:
        """See ``EventStore.size_bytes``."""
        return self._bytes

    def close(self) -> None:
        """See ``LogReader.close``."""
        self._ticks.clear()
        self._checkpoints.clear()

    def _grow(self, more: int) -> None:
        if self._bytes + more > self._bytes_max:
            raise StoreFull(f"the log in memory is full ({self._bytes_max} bytes)")
        self._bytes += more
