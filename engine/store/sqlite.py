"""The log in SQLite: one row and one durable transaction a tick."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw

from engine.protocol.errors import UserError
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

STORE_FORMAT: Final = 1
_PAGE_BYTES: Final = 8192
_WAL_PAGES: Final = 512
"""Folding 4 MB into the database at a time keeps the tick that does it short."""
_BUSY_MS: Final = 2000
_TICKS_READ_AT_ONCE: Final = 256

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE ticks (
    tick INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    inputs BLOB NOT NULL,
    events BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX ticks_by_seq ON ticks (first_seq);
CREATE TABLE checkpoints (tick INTEGER PRIMARY KEY, state BLOB NOT NULL);
"""


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
                self._open(bytes_max)
                self._last = self._read_last()
            except BaseException:  # an interrupted opening, too, leaves no file open
                self._db.close()
                raise
        except apsw.FullError as problem:
            raise UserError(f"{path}: no room for the event store: {problem}") from problem
        except apsw.Error as problem:
            raise UserError(f"{path}: cannot be used as event store: {problem}") from problem

    def _open(self, bytes_max: int) -> None:
        self._db.set_busy_timeout(_BUSY_MS)
        # apsw's cursors are lazy: without fetchall a pragma may not have run.
        self._db.execute(f"PRAGMA page_size = {_PAGE_BYTES}").fetchall()
        self._db.execute("PRAGMA journal_mode = WAL").fetchall()
        self._db.execute("PRAGMA synchronous = FULL").fetchall()
        self._db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}").fetchall()
        if bytes_max:
            pages = bytes_max // _PAGE_BYTES
            self._db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        with self._db:
            tables = {name for (name,) in self._all("SELECT name FROM sqlite_schema")}
            if not tables:
                self._db.execute(_SCHEMA).fetchall()
                self._all("INSERT INTO meta VALUES ('format', ?)", (STORE_FORMAT,))
                return
        found = self._all("SELECT value FROM meta WHERE name = 'format'")
        if not found or found[0][0] != STORE_FORMAT:
            version = found[0][0] if found else "none"
            raise UserError(
                f"{self._path}: event store of format {version}; "
                f"this version of SeedStorm reads format {STORE_FORMAT}"
            )

    def append(self, record: TickRecord) -> None:
        """See ``EventStore.append``."""
        check_follows(self._last, record)
        pack = self._codec.pack
        row = (record.tick, record.first_seq, record.count)
        blobs = (pack(record.inputs), pack(record.events), record.hash)
        try:
            # A statement of its own is a transaction of its own.
            self._all("INSERT INTO ticks VALUES (?, ?, ?, ?, ?, ?)", row + blobs)
        except apsw.FullError as problem:
            raise StoreFull(f"{self._path}: {problem}") from problem
        self._last = Last(record.tick, record.first_seq + record.count - 1)

    def last(self) -> Last | None:
        """See ``EventStore.last``."""
        return self._last

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``EventStore.ticks``."""
        query = "SELECT * FROM ticks WHERE tick >= ? ORDER BY tick LIMIT ?"
        while True:
            # In pages, so that no reader keeps a transaction open for long.
            rows = self._all(query, (from_tick, _TICKS_READ_AT_ONCE))
            yield from map(self._record, rows)
            if len(rows) < _TICKS_READ_AT_ONCE:
                return
            from_tick = rows[-1][0] + 1

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """See ``EventStore.events``."""
        query = "SELECT max(tick) FROM ticks WHERE first_seq <= ?"
        newest = self._all(query, (after_seq + 1,))[0][0]
        return events_of(self.ticks(newest or 0), after_seq, limit)

    def checkpoint(self, tick: int, blob: bytes) -> None:
        """See ``EventStore.checkpoint``."""
        drop = (
            "DELETE FROM checkpoints WHERE tick NOT IN "
            "(SELECT tick FROM checkpoints ORDER BY tick DESC LIMIT ?)"
        )
        try:
            # Not in one transaction: SQLite ends it by itself when the disk is full, and
            # apsw's context manager then fails to roll back. One checkpoint too many is fine.
            self._all(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (tick, self._codec.pack(blob))
            )
            self._all(drop, (CHECKPOINTS_KEPT,))
        except apsw.FullError as problem:
            raise StoreFull(f"{self._path}: {problem}") from problem

    def latest_checkpoint(self) -> tuple[int, bytes] | None:
        """See ``EventStore.latest_checkpoint``."""
        rows = self._all("SELECT tick, state FROM checkpoints ORDER BY tick DESC LIMIT 1")
        return (rows[0][0], self._codec.unpack(rows[0][1])) if rows else None

    @property
    def size_bytes(self) -> int:
        """See ``EventStore.size_bytes``: the database and its write-ahead log."""
        wal = self._path.with_name(self._path.name + "-wal")
        return sum(file.stat().st_size for file in (self._path, wal) if file.exists())

    def close(self) -> None:
        """See ``EventStore.close``; the write-ahead log is folded into the database."""
        self._db.close()

    def _read_last(self) -> Last | None:
        rows = self._all("SELECT tick, first_seq + count - 1 FROM ticks ORDER BY tick DESC LIMIT 1")
        return Last(*rows[0]) if rows else None

    def _record(self, row: tuple[Any, ...]) -> TickRecord:
        tick, first_seq, count, inputs, events, state_hash = row
        unpack = self._codec.unpack
        return TickRecord(tick, first_seq, count, unpack(inputs), unpack(events), state_hash)

    def _all(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, values).fetchall()
