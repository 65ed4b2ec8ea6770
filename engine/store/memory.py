"""The log in memory, for runs that leave nothing behind."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from engine.protocol.events import Event
from engine.store.base import (
    CHECKPOINTS_KEPT,
    Last,
    StoreFull,
    TickRecord,
    check_follows,
    events_of,
)
from engine.store.compression import Codec

BYTES_MAX: Final = 512 * 1024 * 1024


class MemoryStore:
    """See ``EventStore``.

    Args:
        bytes_max: More than this raises ``StoreFull``.
    """

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._codec = Codec()
        self._ticks: list[TickRecord] = []
        self._checkpoints: list[tuple[int, bytes]] = []
        self._bytes = 0

    def append(self, record: TickRecord) -> None:
        """See ``EventStore.append``."""
        check_follows(self.last(), record)
        pack = self._codec.pack
        stored = TickRecord(
            record.tick,
            record.first_seq,
            record.count,
            pack(record.inputs),
            pack(record.events),
            record.hash,
        )
        self._grow(len(stored.inputs) + len(stored.events) + len(stored.hash))
        self._ticks.append(stored)

    def last(self) -> Last | None:
        """See ``EventStore.last``."""
        if not self._ticks:
            return None
        newest = self._ticks[-1]
        return Last(newest.tick, newest.first_seq + newest.count - 1)

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``EventStore.ticks``."""
        for index in range(max(from_tick, 0), len(self._ticks)):
            yield self._unpacked(index)

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """See ``EventStore.events``."""
        first = bisect_right(self._ticks, after_seq + 1, key=lambda tick: tick.first_seq) - 1
        records = (self._unpacked(index) for index in range(max(first, 0), len(self._ticks)))
        return events_of(records, after_seq, limit)

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """See ``EventStore.checkpoint``."""
        packed = self._codec.pack(blob)
        self._grow(len(packed))
        self._checkpoints = [old for old in self._checkpoints if old[0] != tick]
        self._checkpoints.append((tick, packed))
        for _, dropped in self._checkpoints[:-CHECKPOINTS_KEPT]:
            self._bytes -= len(dropped)
        del self._checkpoints[:-CHECKPOINTS_KEPT]

    def latest_checkpoint(self) -> tuple[int, bytes] | None:
        """See ``EventStore.latest_checkpoint``."""
        if not self._checkpoints:
            return None
        tick, packed = self._checkpoints[-1]
        return tick, self._codec.unpack(packed)

    @property
    def size_bytes(self) -> int:
        """See ``EventStore.size_bytes``."""
        return self._bytes

    def close(self) -> None:
        """See ``EventStore.close``."""
        self._ticks.clear()
        self._checkpoints.clear()

    def _grow(self, more: int) -> None:
        if self._bytes + more > self._bytes_max:
            raise StoreFull(f"the log in memory is full ({self._bytes_max} bytes)")
        self._bytes += more

    def _unpacked(self, index: int) -> TickRecord:
        stored, unpack = self._ticks[index], self._codec.unpack
        return TickRecord(
            stored.tick,
            stored.first_seq,
            stored.count,
            unpack(stored.inputs),
            unpack(stored.events),
            stored.hash,
        )
