"""``index.db``: which events have which stream, actor, target, kind, correlation or cause.

Everything in it follows from the log, so that it may be thrown away at any time. A *segment*
covers the events of some whole ticks; segments follow each other without gaps from event 1,
and what comes after the newest one is searched in the log itself. When enough segments of one
size are there, they are merged into one of the next. By tick the log itself is in order.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import numpy as np
from msgspec.structs import astuple

from engine.protocol.limits import INDEX_FAN_IN, INDEX_TIERS
from engine.store.finding import Finder
from engine.store.postings import Damaged, Keys, Packer, Seqs
from engine.store.segments import (
    DIMENSIONS,
    INDEX_FORMAT,
    NOTHING_AT_ZERO,
    Segment,
    check_counts,
    read_segments,
)
from engine.world.events import TickEvents

_PAGE_BYTES: Final = 8192
_BUSY_MS: Final = 2000

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    tier INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_tick INTEGER NOT NULL,
    hash BLOB NOT NULL,
    counts BLOB NOT NULL
);
CREATE TABLE blocks (
    dimension INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    first_key INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_key INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (dimension, segment, first_key, first_seq)
) WITHOUT ROWID;
"""


class Index:
    """The index, for the one process that fills it.

    Args:
        path: ``index.db``; made when it does not exist.
        log: The log it is of.

    Attributes:
        why_anew: Why it was thrown away and begun anew, empty when it was not.

    Raises:
        OSError: It can be neither used nor made.
    """

    def __init__(self, path: Path, log: Finder) -> None:
        self._path = path
        self._packer = Packer()
        self.why_anew = ""
        self._segments: list[Segment] = []
        self._next_id = 1
        self._db: apsw.Connection | None
        try:
            try:
                self._db = self._open(log)
            except (Damaged, apsw.CorruptError, apsw.NotADBError) as problem:
                self.why_anew = str(problem)
                self._take_place(self._make())
                self._db = self._open(log)
        except (apsw.Error, Damaged) as problem:
            raise OSError(f"{path}: {problem}") from problem

    @property
    def position(self) -> int:
        """The newest event that is indexed."""
        return self._segments[-1].last_seq if self._segments else 0

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What there is, oldest first."""
        return tuple(self._segments)

    @property
    def size_bytes(self) -> int:
        """Bytes the index takes, its write-ahead log aside."""
        return self._path.stat().st_size

    def add(self, ticks: Sequence[TickEvents], last_tick: int, state_hash: bytes) -> None:
        """Index the ticks that follow, as one segment, in one transaction.

        Args:
            ticks: Those with events, at least one, in order.
            last_tick: The last tick that is covered.
            state_hash: After that tick.

        Raises:
            OSError: There is no room, or the file cannot be written; nothing was added.
            Damaged: The index is of no use any more.
        """
        first_seq = ticks[0].first_seq
        assert first_seq == self.position + 1, (first_seq, self.position)  # noqa: S101 - ours
        rows = np.concatenate([tick.rows for tick in ticks])
        seqs = np.arange(first_seq, first_seq + len(rows), dtype=np.int64)
        columns = {name: np.ascontiguousarray(rows[name]).astype(np.int64) for name in DIMENSIONS}
        last_seq = int(seqs[-1])
        counts = np.zeros((len(DIMENSIONS), 2), "<i8")
        with self._transaction() as db:
            for number, name in enumerate(DIMENSIONS):
                keys, theirs = columns[name], seqs
                if name in NOTHING_AT_ZERO:
                    some = np.flatnonzero(keys)
                    keys, theirs = keys[some], seqs[some]
                blocks = self._write(db, number, self._next_id, first_seq, keys, theirs)
                counts[number] = blocks, len(keys)
            segment = Segment(
                self._next_id, 0, first_seq, last_seq, last_tick, state_hash, counts.tobytes()
            )
            _put(db, segment)
        self._segments.append(segment)
        self._next_id += 1

    def merge(self) -> bool:
        """Merge the oldest segments of a size of which there are enough; False if of none.

        Raises:
            OSError: As for ``add``.
            Damaged: A block cannot be read.
        """
        for tier in range(INDEX_TIERS - 1):
            some = [segment for segment in self._segments if segment.tier == tier]
            if len(some) >= INDEX_FAN_IN:
                self._merge(some[:INDEX_FAN_IN])
                return True
        return False

    def begin_anew(self, why: str) -> None:
        """Throw away everything that is indexed; others may read meanwhile.

        Raises:
            OSError: As for ``add``; the index is as it was, or empty.
        """
        self._replace()
        self.why_anew = why

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        if self._db is not None:
            self._db.close()

    def _replace(self) -> apsw.Connection:
        """Put an empty index in the place of what is there, and open it."""
        try:
            # Another file, for of a damaged one nothing is certain, not even that it can be
            # emptied; and made before the old one is given up, for the disk may be full.
            new = self._make()
            old, self._db, self._segments = self._db, None, []
            if old is not None:
                old.close()
            self._take_place(new)
            self._db = _connect(self._path)
        except apsw.Error as problem:
            raise OSError(f"{self._path}: {problem}") from problem
        return self._db

    def _merge(self, some: list[Segment]) -> None:
        last = some[-1]
        counts = np.zeros((len(DIMENSIONS), 2), "<i8")
        with self._transaction() as db:
            for number in range(len(DIMENSIONS)):
                parts = [part for old in some for part in self._entries(db, number, old)]
                if parts:
                    keys, seqs = map(np.concatenate, zip(*parts, strict=True))
                    first_seq = some[0].first_seq
                    blocks = self._write(db, number, self._next_id, first_seq, keys, seqs)
                    counts[number] = blocks, len(keys)
                for old in some:
                    db.execute(
                        "DELETE FROM blocks WHERE dimension = ? AND segment = ?", (number, old.id)
                    )
            db.executemany("DELETE FROM segments WHERE id = ?", [(old.id,) for old in some])
            merged = Segment(
                self._next_id, last.tier + 1, some[0].first_seq, last.last_seq,
                last.last_tick, last.hash, counts.tobytes(),
            )  # fmt: skip
            _put(db, merged)
        at = self._segments.index(some[0])
        self._segments[at : at + len(some)] = [merged]
        self._next_id += 1

    def _entries(
        self, db: apsw.Connection, number: int, segment: Segment
    ) -> Iterator[tuple[Keys, Seqs]]:
        query = (
            "SELECT data, first_key FROM blocks WHERE dimension = ? AND segment = ? "
            "ORDER BY first_key, first_seq"
        )
        rows: list[tuple[Any, ...]]
        rows = db.execute(query, (number, segment.id)).fetchall()
        for data, first_key in rows:
            yield self._packer.unpack(data, first_key, segment.first_seq)

    def _write(
        self, db: apsw.Connection, number: int, segment: int, base: int, keys: Keys, seqs: Seqs
    ) -> int:
        """Write the entries of a segment in one dimension; return how many blocks they make.

        Args:
            db: In a transaction.
            number: The dimension.
            segment: The segment's id.
            base: Its first event.
            keys: One an entry, in any order.
            seqs: The entries' events, ascending within a key.
        """
        # Stable: within a key the events stay in order.
        order = np.argsort(keys, kind="stable")
        rows = [
            (number, segment, block.first_key, block.first_seq, block.last_key, block.entries,
             block.data)
            for block in self._packer.pack(keys[order], seqs[order], base)
        ]  # fmt: skip
        db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return len(rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        db = self._db if self._db is not None else self._replace()
        try:
            with _whole(db):
                yield db
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as problem:
            raise Damaged(f"it is damaged ({problem})") from problem
        except apsw.Error as problem:
            raise OSError(f"{self._path}: {problem}") from problem

    def _open(self, log: Finder) -> apsw.Connection:
        fresh = not self._path.exists()
        if fresh:
            self._take_place(self._make())
        db = _connect(self._path)
        try:
            if not fresh:
                _check_pages(db)
            self._segments = read_segments(db, log)
            check_counts(db, self._segments)
        except BaseException:  # an interrupted opening, too, leaves no file open
            db.close()
            raise
        self._next_id = 1 + max((segment.id for segment in self._segments), default=0)
        return db

    def _make(self) -> Path:
        """Make an empty index beside whatever is there, and return its path."""
        new = self._path.with_name(self._path.name + ".new")
        _remove(new)
        db = _connect(new)
        try:
            with db:
                db.execute(_SCHEMA).fetchall()
                db.execute("INSERT INTO meta VALUES ('format', ?)", (INDEX_FORMAT,)).fetchall()
        finally:
            db.close()
        return new

    def _take_place(self, new: Path) -> None:
        """Put an index in the place of whatever is there; nobody of this process has that open."""
        # Its own write-ahead log went with closing; that of the old file must not be found.
        _remove(self._path)
        new.replace(self._path)


@contextlib.contextmanager
def _whole(db: apsw.Connection) -> Iterator[None]:
    """Do everything inside, or nothing of it."""
    db.execute("BEGIN IMMEDIATE").fetchall()
    try:
        yield
        db.execute("COMMIT").fetchall()
    except BaseException:  # rolled back, and raised again
        if db.in_transaction:  # SQLite ends it by itself when the disk is full
            db.execute("ROLLBACK").fetchall()
        raise


def _put(db: apsw.Connection, segment: Segment) -> None:
    db.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(segment))


def _connect(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(_BUSY_MS)
        # apsw's cursors are lazy: without fetchall a pragma may not have run.
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}").fetchall()
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        # A power cut takes the newest segments, and tears nothing: what is folded in is synced.
        db.execute("PRAGMA synchronous = NORMAL").fetchall()
    except BaseException:  # a file that is no database is not left open
        db.close()
        raise
    return db


def _check_pages(db: apsw.Connection) -> None:
    found = db.execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise Damaged(f"it is damaged ({found[0][0]})")


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
