"""Finds events in a log beside its world: by number, onward and backward, a tick at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from engine.protocol.errors import UserError
from engine.protocol.limits import LOG_EVENTS_READ_MAX, LOG_TICKS_READ_MAX
from engine.store.base import Last
from engine.store.opening import Closing, open_to_read
from engine.store.tables import Tables
from engine.world.events import TickEvents

_BUSY_MS: Final = 1000

# Ticks without events share first_seq with the next that has some: of equals the newest.
_HOLDING: Final = "first_seq <= ? ORDER BY first_seq DESC, tick DESC LIMIT ?"
_AFTER: Final = "first_seq > ? AND count > 0 ORDER BY first_seq LIMIT ?"
_BEFORE: Final = "first_seq < ? AND count > 0 ORDER BY first_seq DESC LIMIT ?"


class Finder(Closing):
    """A log that another process may be writing. Opened for a question, closed after it.

    Args:
        path: ``events.db``; it is never written.

    Raises:
        OSError: The log cannot be read; so do all methods, and ``ValueError`` when what is
            stored is no events.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = open_to_read(path, _BUSY_MS)
        except apsw.Error as problem:
            raise OSError(f"{path}: {problem}") from problem
        try:
            self._tables = Tables(self._db, path)
        except UserError as problem:
            self._db.close()
            raise OSError(problem.message) from problem
        except BaseException:  # an interrupted opening, too, leaves no file open
            self._db.close()
            raise
        self._select = f"SELECT {self._tables.event_columns} FROM ticks WHERE "  # noqa: S608 - one of two constants

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        self._db.close()

    def last(self) -> Last | None:
        """Return where the log ends, None when it is empty."""
        return self._tables.last()

    def seal(self, tick: int) -> tuple[int, bytes] | None:
        """Return a tick's last event and state hash, None when the log has no such tick."""
        query = "SELECT first_seq + count - 1, hash FROM ticks WHERE tick = ?"
        rows = self._tables.all(query, (tick,))
        return (rows[0][0], rows[0][1]) if rows else None

    def first_seq_from(self, tick: int) -> int | None:
        """Return ``seq`` of the first event in or after a tick, None when there is none yet."""
        query = "SELECT first_seq FROM ticks WHERE tick >= ? AND count > 0 ORDER BY tick LIMIT 1"
        rows = self._tables.all(query, (tick,))
        return int(rows[0][0]) if rows else None

    def holding(self, seq: int) -> TickEvents | None:
        """Return the tick with an event, None when the log has no such event."""
        rows = self._tables.all(self._select + _HOLDING, (seq, 1))
        if not rows or not rows[0][1] <= seq < rows[0][1] + rows[0][2]:
            return None
        return self._tables.tick_of_row(rows[0])

    def with_any(self, seqs: Sequence[int]) -> Iterator[TickEvents]:
        """Yield the ticks that hold some events, each once.

        Args:
            seqs: In order, up or down; the ticks come in the same order.
        """
        held: TickEvents | None = None
        for seq in seqs:
            if held is not None and held.first_seq <= seq <= held.last_seq:
                continue
            held = self.holding(seq)
            if held is not None:
                yield held

    def onward(self, after_seq: int) -> Iterator[TickEvents]:
        """Yield every tick with events after ``after_seq``, whole, oldest first."""
        held = self.holding(after_seq + 1)
        if held is not None:
            yield held
            after_seq = held.last_seq
        while rows := self._page(_AFTER, after_seq):
            for row in rows:
                yield self._tables.tick_of_row(row)
            after_seq = rows[-1][1] + rows[-1][2] - 1

    def backward(self, before_seq: int) -> Iterator[TickEvents]:
        """Yield every tick with events before ``before_seq``, whole, newest first."""
        while rows := self._page(_BEFORE, before_seq):
            for row in rows:
                yield self._tables.tick_of_row(row)
            before_seq = rows[-1][1]

    def _page(self, which: str, seq: int) -> list[tuple[Any, ...]]:
        """Return some rows; no transaction stays open while the caller works on them."""
        rows: list[tuple[Any, ...]] = []
        count = 0
        with self._tables.told():
            for row in self._db.execute(self._select + which, (seq, LOG_TICKS_READ_MAX)):
                rows.append(row)
                count += row[2]
                if count >= LOG_EVENTS_READ_MAX:
                    break
        return rows
