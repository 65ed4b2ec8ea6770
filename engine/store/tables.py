"""The tables of ``events.db``, of this format and of older ones, and how rows are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.limits import LOG_BYTES_READ_AT_ONCE, TICKS_READ_AT_ONCE
from engine.store.base import Last, TickRecord, events_of
from engine.store.chain import check_of_blob
from engine.store.compression import Codec
from engine.store.upcast import upcast
from engine.world.constants import RULES_VERSION
from engine.world.events import EVENT_SCHEMA, EventBlock, TickEvents

STORE_FORMAT: Final = 2
"""1 had no audit, no schema and no checks; its rules and its event schema were 1, too."""

CREATE: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE ticks (
    tick INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    inputs BLOB NOT NULL,
    events BLOB NOT NULL,
    audit BLOB NOT NULL,
    hash BLOB NOT NULL,
    "check" BLOB NOT NULL
);
CREATE INDEX ticks_by_seq ON ticks (first_seq);
CREATE TABLE checkpoints (
    tick INTEGER PRIMARY KEY, state BLOB NOT NULL, "check" BLOB NOT NULL
);
"""

_COLUMNS: Final = {
    1: "tick, first_seq, count, 1, inputs, events, x'', hash, x''",
    2: 'tick, first_seq, count, schema, inputs, events, audit, hash, "check"',
}
_CHECKPOINT: Final = {1: "state, x''", 2: 'state, "check"'}
# Ticks without events share first_seq with the next that has some: of equals the newest.
_TICK_OF_SEQ: Final = (
    "SELECT tick FROM ticks WHERE first_seq <= ? ORDER BY first_seq DESC, tick DESC LIMIT 1"
)
_TYPES: Final = (int, int, int, int, bytes, bytes, bytes, bytes, bytes)
_EVENT_TYPES: Final = (int, int, int, int, bytes)

_UNREADABLE: Final = (
    apsw.NotADBError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.PermissionsError,
)

Row = tuple[Any, ...]
Stored = tuple[TickRecord, bytes]
"""A record with its blocks compressed, and its check."""


class NoLogYet(UserError):
    """The file is there and empty: its world has just been started."""


class Tables:
    """A log's tables, read only, in short transactions.

    Args:
        db: The open database.
        path: Its file, for what people are told.

    Attributes:
        format: ``STORE_FORMAT`` of the writer.
        rules: ``RULES_VERSION`` of the writer.
        has_checks: Whether rows and checkpoints carry checks.
        event_columns: What ``tick_of_row`` makes a tick's events of.

    Raises:
        UserError: It is no log, or one of a newer version.
        OSError: The file cannot be read.
        ValueError: A page of it is damaged.
    """

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._codec = Codec()
        self.format, self.rules = self._versions()
        self.has_checks = self.format > 1
        schema = "schema" if self.has_checks else "1"
        self.event_columns = f"tick, first_seq, count, {schema}, events"

    def _versions(self) -> tuple[int, int]:
        names = {name for (name,) in self.all("SELECT name FROM sqlite_schema")}
        if not names:
            raise NoLogYet(f"{self._path}: no event store: it is empty")
        if "meta" not in names:
            raise UserError(f"{self._path}: no event store: it has other tables")
        meta: dict[Any, Any] = dict(self.all("SELECT name, value FROM meta"))
        stored = meta.get("format")
        if not isinstance(stored, int) or stored < 1:
            raise UserError(f"{self._path}: no event store: its format is {stored!r}")
        rules = meta.get("rules", 1)
        for what, found, known in (
            ("format", stored, STORE_FORMAT),
            ("rules", rules, RULES_VERSION),
        ):
            if not isinstance(found, int) or found > known:
                raise self._newer(what, found, known)
        if stored > 1:
            newest = self.all("SELECT schema FROM ticks ORDER BY tick DESC LIMIT 1")
            schema = newest[0][0] if newest else EVENT_SCHEMA
            if isinstance(schema, int) and schema > EVENT_SCHEMA:
                raise self._newer("event schema", schema, EVENT_SCHEMA)
        return stored, rules

    def _newer(self, what: str, found: object, known: int) -> UserError:
        return UserError(
            f"{self._path}: an event store of {what} {found}, written by a newer SeedStorm; "
            f"this version knows {what} 1 to {known}: open it with the version that wrote it"
        )

    def last(self) -> Last | None:
        """See ``LogReader.last``."""
        rows = self.all("SELECT tick, first_seq + count - 1 FROM ticks ORDER BY tick DESC LIMIT 1")
        return Last(*rows[0]) if rows else None

    def audits(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Return the audits of some ticks, those that have one; none of an older format."""
        if self.format == 1:
            return []
        query = "SELECT tick, audit FROM ticks WHERE tick BETWEEN ? AND ? ORDER BY tick"
        rows = self.all(query, (first, last))
        return [(tick, self._codec.unpack(audit)) for tick, audit in rows if audit]

    def bounds(self) -> tuple[int, int] | None:
        """Return the oldest and the newest tick, None when there are none."""
        oldest, newest = self.all("SELECT min(tick), max(tick) FROM ticks")[0]
        return None if oldest is None else (oldest, newest)

    def newest_from(self, bytes_max: int) -> int:
        """Return the tick from which the rest of the log is about ``bytes_max`` long.

        Ticks differ: those of a storm hold most of a log's bytes.
        """
        query = "SELECT tick, length(inputs) + length(events) FROM ticks ORDER BY tick DESC"
        found = 0
        with self.told():
            for tick, size in self._db.execute(query):
                if bytes_max <= 0:
                    break
                found, bytes_max = tick, bytes_max - size
        return found

    def stored(self, from_tick: int, ticks_max: int = TICKS_READ_AT_ONCE) -> list[Stored]:
        """Return some ticks from ``from_tick`` on, as stored; none when there are no more.

        Args:
            from_tick: The first tick.
            ticks_max: Ticks, at most; fewer when they are large.

        Raises:
            ValueError: A row holds what no writer has put there.
        """
        query = f"SELECT {_COLUMNS[self.format]} FROM ticks WHERE tick >= ? ORDER BY tick LIMIT ?"  # noqa: S608 - one of two constants
        found: list[Stored] = []
        size = 0
        with self.told():
            for row in self._db.execute(query, (from_tick, ticks_max)):
                found.append(_stored(row))
                size += sum(len(blob) for blob in row[4:8])
                if size > LOG_BYTES_READ_AT_ONCE:
                    break
        return found

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``LogReader.ticks``."""
        # In pages, so that no reader keeps a transaction open for long.
        while rows := self.stored(from_tick):
            for record, _ in rows:
                yield self._codec.unpack_record(record)
            from_tick = rows[-1][0].tick + 1

    def events(self, after_seq: int, limit: int) -> list[Event]:
        """See ``LogReader.events``."""
        return events_of(self.ticks(self.tick_of(after_seq + 1)), after_seq, limit)

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        """See ``LogReader.ticks_after``; of one short transaction."""
        query = f"SELECT {self.event_columns} FROM ticks WHERE tick >= ? ORDER BY tick LIMIT ?"  # noqa: S608 - one of two constants
        rows: list[Row] = []
        count = 0
        with self.told():
            for row in self._db.execute(query, (self.tick_of(after_seq + 1), ticks_max)):
                _see_types(row, _EVENT_TYPES)
                rows.append(row)
                count += row[2]
                if count >= events_max:
                    break
        return [self.tick_of_row(row) for row in rows if row[2] and row[1] + row[2] - 1 > after_seq]

    def tick(self, tick: int) -> TickEvents:
        """Return the events of one tick.

        Raises:
            ValueError: There is no such tick, or it is damaged.
        """
        query = f"SELECT {self.event_columns} FROM ticks WHERE tick = ?"  # noqa: S608 - one of two constants
        return self.tick_of_row(self._one(query, tick))

    def inputs(self, tick: int) -> bytes:
        """Return the inputs of one tick.

        Raises:
            ValueError: There is no such tick, or it is damaged.
        """
        row = self._one("SELECT tick, inputs FROM ticks WHERE tick = ?", tick)
        _see_types(row, (int, bytes))
        return self._codec.unpack(row[1])

    def _one(self, query: str, tick: int) -> Row:
        rows = self.all(query, (tick,))
        if not rows:
            raise ValueError(f"{self._path}: there is no tick {tick}")
        return rows[0]

    def tick_of_row(self, row: Row) -> TickEvents:
        """Return the events that a row of ``event_columns`` holds.

        Raises:
            ValueError: It holds what no writer has put there.
        """
        _see_types(row, _EVENT_TYPES)
        tick, first_seq, count, schema, events = row
        block = upcast(EventBlock.from_log(first_seq, self._codec.unpack(events)), schema)
        if len(block.rows) != count:
            raise ValueError(f"tick {tick} is damaged: {len(block.rows)} events for {count}")
        return TickEvents(tick, block)

    def tick_of(self, seq: int) -> int:
        """Return the newest tick that begins with event ``seq`` or an earlier one, or 0."""
        rows = self.all(_TICK_OF_SEQ, (seq,))
        return int(rows[0][0]) if rows else 0

    def checkpoint_ticks(self) -> list[int]:
        """See ``LogReader.checkpoint_ticks``."""
        return [tick for (tick,) in self.all("SELECT tick FROM checkpoints ORDER BY tick")]

    def checkpoint_at(self, tick: int) -> bytes | None:
        """See ``LogReader.checkpoint_at``."""
        query = f"SELECT {_CHECKPOINT[self.format]} FROM checkpoints WHERE tick = ?"  # noqa: S608 - one of two constants
        rows = self.all(query, (tick,))
        if not rows:
            return None
        state, check = rows[0]
        if self.has_checks and check_of_blob(tick, state) != check:
            raise ValueError(f"the checkpoint of tick {tick} is damaged: its check differs")
        return self._codec.unpack(state)

    def all(self, sql: str, values: Row = ()) -> list[Row]:
        """Return every row of a query; the transaction is then over.

        Raises:
            ValueError: A page of the file is damaged.
            OSError: The file cannot be read.
        """
        with self.told():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise what SQLite complains of as ``all`` does."""
        try:
            yield
        except _UNREADABLE as problem:
            raise OSError(f"{self._path}: {problem}") from problem
        except apsw.Error as problem:
            # Damage has many faces: a malformed page, an absurd size, a table that is none.
            raise ValueError(f"{self._path}: a page of it is damaged: {problem}") from problem


def size_bytes(path: Path) -> int:
    """Return the bytes of a database and of its write-ahead log."""
    wal = path.with_name(path.name + "-wal")
    return sum(file.stat().st_size for file in (path, wal) if file.exists())


def _stored(row: Row) -> Stored:
    _see_types(row, _TYPES)
    tick, first_seq, count, schema, inputs, events, audit, state_hash, check = row
    record = TickRecord(tick, first_seq, count, inputs, events, state_hash, audit, schema)
    return record, check


def _see_types(row: Row, types: tuple[type, ...]) -> None:
    wrong = [value for value, kind in zip(row, types, strict=True) if not isinstance(value, kind)]
    if wrong:
        raise ValueError(f"tick {row[0]!r} is damaged: it holds {wrong[0]!r:.40}")
