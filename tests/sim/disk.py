"""Logs that outlive the world that wrote them, and the ways in which they can fail it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Literal, Protocol

import numpy as np

from engine.protocol.events import Event
from engine.protocol.limits import LOG_CHECK_BYTES_MAX
from engine.store.base import (
    EventStore,
    Inspection,
    Last,
    StoreFull,
    StoreUnavailable,
    TickRecord,
)
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from engine.world.events import TickEvents
from tests.sim.timeline import Timeline

CrashAt = Literal[
    "", "between", "before_append", "torn", "after_append", "answering", "checkpoint", "folding"
]
"""Where the world's process dies next: between ticks, or at such a piece of work."""


class Crash(BaseException):
    """The world's process was killed; no code under test may catch it."""


class Disk(Protocol):
    """Where a log is kept."""

    def open(self) -> EventStore:
        """Open the log as a new process does."""
        ...

    def photograph(self) -> None:
        """Remember the files as they are now: what a torn write is torn from."""
        ...

    def crash(self, chance: Random, torn: CrashAt) -> None:
        """The process that had it open is gone; the last write may have been cut."""
        ...


class MemoryDisk:
    """A log in memory: whatever was appended is there, whole."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def open(self) -> EventStore:
        return self._store

    def photograph(self) -> None:
        pass

    def crash(self, chance: Random, torn: CrashAt) -> None:
        assert torn not in {"torn", "folding"}, "a log in memory has no torn writes"


class FileDisk:
    """A real event store in files; a crash leaves them as a killed process would.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._life = 0
        self._open: SqliteStore | None = None
        self._before: tuple[bytes, bytes] = (b"", b"")

    @property
    def path(self) -> Path:
        return self._folder / f"events-{self._life}.db"

    def open(self) -> EventStore:
        self._open = SqliteStore(self.path)
        return self._open

    def photograph(self) -> None:
        self._before = self._files()

    def crash(self, chance: Random, torn: CrashAt) -> None:
        after = self._files()
        assert self._open is not None
        # Closing folds the write-ahead log in, which a killed process does not get to do.
        self._open.close()
        for path in self._folder.glob(f"{self.path.name}*"):
            path.unlink()
        self._life += 1
        database, wal = torn_files(self._before, after, chance, torn)
        self.path.write_bytes(database)
        if wal:
            self._wal.write_bytes(wal)

    def copy_to(self, folder: Path) -> None:
        """Copy the closed log into a capsule's folder."""
        assert self._open is not None
        self._open.close()
        shutil.copy(self.path, folder / "events.db")

    @property
    def _wal(self) -> Path:
        return self.path.with_name(self.path.name + "-wal")

    def _files(self) -> tuple[bytes, bytes]:
        return (
            self.path.read_bytes() if self.path.exists() else b"",
            self._wal.read_bytes() if self._wal.exists() else b"",
        )


def torn_files(
    before: tuple[bytes, bytes], after: tuple[bytes, bytes], chance: Random, torn: CrashAt
) -> tuple[bytes, bytes]:
    """Return the files as they are when a transaction is cut in the middle.

    Args:
        before: Database and write-ahead log before the transaction.
        after: The same after it.
        chance: Where it is cut.
        torn: ``torn`` cuts the write-ahead log while the transaction is written to it,
            ``folding`` the database while the log is folded into it; else nothing is cut.
    """
    if torn == "torn":
        # The database is not touched before the transaction is in the log.
        return before[0], _cut(before[1], after[1], chance)
    if torn == "folding":
        return _cut(before[0], after[0], chance), after[1]
    return after


def _cut(before: bytes, after: bytes, chance: Random) -> bytes:
    """Return ``after`` up to some byte in what changed, and ``before`` from there on."""
    least, length = min(len(before), len(after)), max(len(before), len(after))
    old, new = np.frombuffer(before, np.uint8, least), np.frombuffer(after, np.uint8, least)
    changed = np.nonzero(old != new)[0]
    first = int(changed[0]) if len(changed) else least
    if first == length:
        return after
    cut = chance.randrange(first, length)
    return after[:cut] + before[cut:]


class FaultyStore:
    """An event store that fails when it is told to.

    Args:
        inner: The store that it is else.
        timeline: Time.
        disk: Where the store is.
        stored: Told of each record that has become durable.

    Attributes:
        crash_at: Where the process is to die.
        full_until_s: Nothing is taken before.
        loses_checkpoints: Checkpoints are taken and forgotten.
        hides_success: The next append works and says that it did not.
        durable: Newest tick that is in the log for good, -1 before the first.
    """

    def __init__(
        self,
        inner: EventStore,
        timeline: Timeline,
        disk: Disk,
        stored: Callable[[TickRecord], None],
    ) -> None:
        self.crash_at: CrashAt = ""
        self.full_until_s = 0.0
        self.loses_checkpoints = False
        self.hides_success = False
        self._inner = inner
        self._timeline = timeline
        self._disk = disk
        self._stored = stored
        last = inner.last()
        self.durable = -1 if last is None else last.tick

    @property
    def rules(self) -> int:
        return self._inner.rules

    def append(self, record: TickRecord) -> None:
        if self._timeline.time_s < self.full_until_s:
            raise StoreFull("no room, as the simulation wants it")
        if self.crash_at == "before_append":
            raise Crash
        if self.crash_at in {"torn", "folding"}:
            self._disk.photograph()
        self._inner.append(record)
        if self.crash_at in {"torn", "folding"}:
            raise Crash
        if self.hides_success:
            self.hides_success = False
            raise StoreUnavailable("it was stored, but that is not known")
        self.durable = record.tick
        self._stored(record)
        if self.crash_at == "after_append":
            raise Crash

    def checkpoint(self, tick: int, blob: bytes) -> None:
        if self._timeline.time_s < self.full_until_s:
            raise StoreFull("no room, as the simulation wants it")
        if not self.loses_checkpoints:
            self._inner.checkpoint(tick, blob)
        if self.crash_at == "checkpoint":
            raise Crash

    def last(self) -> Last | None:
        return self._inner.last()

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        return self._inner.ticks(from_tick)

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        return self._inner.events(after_seq, limit)

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        return self._inner.ticks_after(after_seq, ticks_max=ticks_max, events_max=events_max)

    def checkpoint_ticks(self) -> list[int]:
        return self._inner.checkpoint_ticks()

    def checkpoint_at(self, tick: int) -> bytes | None:
        return self._inner.checkpoint_at(tick)

    def inspect(self, bytes_max: int = LOG_CHECK_BYTES_MAX, end: int | None = None) -> Inspection:
        return self._inner.inspect(bytes_max, end)

    @property
    def size_bytes(self) -> int:
        return self._inner.size_bytes

    def close(self) -> None:
        self._inner.close()
