"""The log in SQLite: one row and one durable transaction a tick."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.limits import LOG_CHECK_BYTES_MAX
from engine.store.base import (
    Conflict,
    Damaged,
    Inspection,
    Last,
    StoreFull,
    StoreUnavailable,
    TickRecord,
    check_follows,
    too_many,
)
from engine.store.chain import NO_CHECK, check_of, check_of_blob
from engine.store.compression import Codec
from engine.store.heads import StreamHeads, heads_of
from engine.store.inspecting import inspect
from engine.store.tables import CREATE, STORE_FORMAT, Tables, size_bytes
from engine.world.constants import RULES_VERSION
from engine.world.events import TickEvents, logged_streams

_PAGE_BYTES: Final = 8192
_WAL_PAGES: Final = 512
"""Folding 4 MB into the database at a time keeps the tick that does it short."""
_BUSY_MS: Final = 2000
_PASSING: Final = (
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
)
"""What may go by: a disk that fails, another process that holds the log."""


class SqliteStore:
    """See ``EventStore``. Others may read the file meanwhile (WAL); one store writes it.

    Args:
        path: The database file; made when it does not exist.
        bytes_max: A larger file raises ``StoreFull``; 0 for as large as the disk allows.

    Raises:
        UserError: The file cannot be used: no database, another format, no permission.
    """

    def __init__(self, path: Path, bytes_max: int = 0) -> None:
        self._path = path
        self._codec = Codec()
        try:
            self._db = apsw.Connection(str(path))
            try:
                self._tables = self._open(bytes_max)
                self._last = self._tables.last()
                # Read when they are needed: damage is for ``inspect`` to find and name.
                self._check: bytes | None = None
                self._heads: StreamHeads | None = None
                self._is_unsure = False
            except BaseException:  # an interrupted opening, too, leaves no file open
                self._db.close()
                raise
        except apsw.FullError as problem:
            raise UserError(f"{path}: no room for the event store: {problem}") from problem
        except apsw.Error as problem:
            raise UserError(f"{path}: cannot be used as event store: {problem}") from problem
        except (OSError, ValueError) as problem:
            raise UserError(f"cannot be used as event store: {problem}") from problem

    def _open(self, bytes_max: int) -> Tables:
        self._db.set_busy_timeout(_BUSY_MS)
        is_new = not self._all("SELECT 1 FROM sqlite_schema")
        if not is_new:
            # Before anything is changed: the file may be another version's or program's.
            self._refuse_older(Tables(self._db, self._path))
        # apsw's cursors are lazy: without fetchall a pragma may not have run.
        self._db.execute(f"PRAGMA page_size = {_PAGE_BYTES}").fetchall()
        self._db.execute("PRAGMA journal_mode = WAL").fetchall()
        self._db.execute("PRAGMA synchronous = FULL").fetchall()
        self._db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}").fetchall()
        if bytes_max:
            pages = bytes_max // _PAGE_BYTES
            self._db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        if is_new:
            with self._db:
                self._db.execute(CREATE).fetchall()
                versions = ("format", STORE_FORMAT, "rules", RULES_VERSION)
                self._all("INSERT INTO meta VALUES (?, ?), (?, ?)", versions)
        return Tables(self._db, self._path)

    def _refuse_older(self, tables: Tables) -> None:
        for what, found, known in (
            ("format", tables.format, STORE_FORMAT),
            ("rules", tables.rules, RULES_VERSION),
        ):
            if found != known:
                raise UserError(
                    f"{self._path}: an event store of {what} {found}; this version goes on with "
                    f"{what} {known} only: its events can still be read, its world not gone on with"
                )

    def _newest_check(self, last: Last | None) -> bytes:
        return NO_CHECK if last is None else self._tables.stored(last.tick)[0][1]

    @property
    def rules(self) -> int:
        """See ``LogReader.rules``."""
        return self._tables.rules

    def append(self, record: TickRecord) -> None:
        """See ``EventStore.append``."""
        with self._storing():
            self._append(record)

    def _append(self, record: TickRecord) -> None:
        if self._is_unsure:
            self._look_again()
        if self._last is not None and record.tick == self._last.tick:
            self._confirm(record)
            return
        check_follows(self._last, record)
        streams, versions = logged_streams(record.events, record.count)
        if self._heads is None:
            self._heads = heads_of(self)
        self._heads.check(streams, versions)
        stored = self._codec.pack_record(record)
        if self._check is None:
            self._check = self._newest_check(self._last)
        check = check_of(self._check, stored)
        row = (
            stored.tick,
            stored.first_seq,
            stored.count,
            stored.schema,
            stored.inputs,
            stored.events,
            stored.audit,
            stored.hash,
            check,
        )
        # A statement of its own is a transaction of its own.
        self._all("INSERT INTO ticks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._last, self._check = Last(record.tick, record.last_seq), check
        self._heads.advance(streams, versions)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """Say what a failure means for who stores."""
        try:
            yield
        except apsw.CorruptError as problem:
            raise Damaged(f"{self._path}: a page of it is damaged: {problem}") from problem
        except apsw.ConstraintError as problem:
            self._is_unsure = True
            raise Conflict(f"{self._path}: another process writes to it: {problem}") from problem
        except apsw.FullError as problem:
            self._is_unsure = True
            raise StoreFull(f"{self._path}: {problem}") from problem
        except (*_PASSING, OSError) as problem:
            self._is_unsure = True
            raise StoreUnavailable(f"{self._path}: {problem}") from problem

    def _look_again(self) -> None:
        """See where the log ends after a failure; what had failed may be stored all the same."""
        last = self._tables.last()
        if last != self._last:
            self._last, self._check, self._heads = last, None, None
        self._is_unsure = False

    def _confirm(self, record: TickRecord) -> None:
        """See that the newest record is this one.

        Raises:
            Conflict: It has other content.
        """
        if next(self.ticks(record.tick)) != record:
            raise Conflict(f"tick {record.tick} is in the log already, with other content")

    def last(self) -> Last | None:
        """See ``LogReader.last``."""
        return self._last

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``LogReader.ticks``."""
        return self._tables.ticks(from_tick)

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """See ``LogReader.events``."""
        return self._tables.events(after_seq, limit)

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        """See ``LogReader.ticks_after``."""
        return self._tables.ticks_after(after_seq, ticks_max=ticks_max, events_max=events_max)

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """See ``EventStore.checkpoint``."""
        state = self._codec.pack(blob)
        row = (tick, state, check_of_blob(tick, state))
        with self._storing():
            # Not in one transaction: SQLite ends it by itself when the disk is full, and
            # apsw's context manager then fails to roll back. One checkpoint too many is fine.
            self._all("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)", row)
            for dropped in too_many(self.checkpoint_ticks()):
                self._all("DELETE FROM checkpoints WHERE tick = ?", (dropped,))

    def checkpoint_ticks(self) -> list[int]:
        """See ``LogReader.checkpoint_ticks``."""
        return self._tables.checkpoint_ticks()

    def checkpoint_at(self, tick: int) -> bytes | None:
        """See ``LogReader.checkpoint_at``."""
        return self._tables.checkpoint_at(tick)

    def inspect(self, bytes_max: int = LOG_CHECK_BYTES_MAX, end: int | None = None) -> Inspection:
        """See ``LogReader.inspect``."""
        found = inspect(self._tables, self.size_bytes, bytes_max, end)
        # Who looks a log through goes on with it: not in the first tick, then.
        self._heads = heads_of(self)
        return found

    @property
    def size_bytes(self) -> int:
        """See ``EventStore.size_bytes``: the database and its write-ahead log."""
        return size_bytes(self._path)

    def close(self) -> None:
        """See ``LogReader.close``; the write-ahead log is folded into the database."""
        self._db.close()

    def _all(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()
