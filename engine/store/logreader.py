"""Looks into a world's log beside the world: read-only, every look a short transaction."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import apsw

from engine.protocol.limits import LOG_EVENTS_READ_MAX, LOG_TICKS_READ_MAX
from engine.store.base import Last
from engine.store.compression import Codec
from engine.world.events import EventBlock, TickEvents

_BUSY_MS: Final = 1000
_COLUMNS: Final = "tick, first_seq, count, events"

# Ticks without events share first_seq with the next that has some: of equals the newest.
_HOLDING: Final = (
    f"SELECT {_COLUMNS} FROM ticks WHERE first_seq <= ? "  # noqa: S608 - a constant
    "ORDER BY first_seq DESC, tick DESC LIMIT 1"
)
_AFTER: Final = (
    f"SELECT {_COLUMNS} FROM ticks WHERE first_seq > ? AND count > 0 "  # noqa: S608 - a constant
    "ORDER BY first_seq LIMIT ?"
)
_BEFORE: Final = (
    f"SELECT {_COLUMNS} FROM ticks WHERE first_seq < ? AND count > 0 "  # noqa: S608 - a constant
    "ORDER BY first_seq DESC LIMIT ?"
)


class LogReader:
    """A log that another process may be writing. Opened for a question, closed after it.

    Args:
        path: ``events.db``; it is never written.

    Raises:
        OSError: The log cannot be read; so do all methods, and ``ValueError`` when what is
            stored is no events.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unpack = Codec().unpack
        try:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        except apsw.Error as problem:
            raise OSError(f"{path}: {problem}") from problem
        self._db.set_busy_timeout(_BUSY_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        self._db.close()

    def last(self) -> Last | None:
        """Return where the log ends, None when it is empty."""
        rows = self._all("SELECT tick, first_seq + count - 1 FROM ticks ORDER BY tick DESC LIMIT 1")
        return Last(*rows[0]) if rows else None

    def seal(self, tick: int) -> tuple[int, bytes] | None:
        """Return a tick's last event and state hash, None when the log has no such tick."""
        rows = self._all("SELECT first_seq + count - 1, hash FROM ticks WHERE tick = ?", (tick,))
        return rows[0] if rows else None

    def first_seq_from(self, tick: int) -> int | None:
        """Return ``seq`` of the first event in or after a tick, None when there is none yet."""
        query = "SELECT first_seq FROM ticks WHERE tick >= ? AND count > 0 ORDER BY tick LIMIT 1"
        rows = self._all(query, (tick,))
        return rows[0][0] if rows else None

    def holding(self, seq: int) -> TickEvents | None:
        """Return the tick with an event, None when the log has no such event."""
        rows = self._all(_HOLDING, (seq,))
        if not rows or not rows[0][1] <= seq < rows[0][1] + rows[0][2]:
            return None
        return self._tick(rows[0])

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
                yield self._tick(row)
            after_seq = rows[-1][1] + rows[-1][2] - 1

    def backward(self, before_seq: int) -> Iterator[TickEvents]:
        """Yield every tick with events before ``before_seq``, whole, newest first."""
        while rows := self._page(_BEFORE, before_seq):
            for row in rows:
                yield self._tick(row)
            before_seq = rows[-1][1]

    def _page(self, query: str, seq: int) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        count = 0
        try:
            # The cursor is closed here: no transaction stays open while the caller works.
            for row in self._db.execute(query, (seq, LOG_TICKS_READ_MAX)):
                rows.append(row)
                count += row[2]
                if count >= LOG_EVENTS_READ_MAX:
                    break
        except apsw.Error as problem:
            raise OSError(f"{self._path}: {problem}") from problem
        return rows

    def _tick(self, row: tuple[Any, ...]) -> TickEvents:
        tick, first_seq, _, events = row
        return TickEvents(tick, EventBlock.from_log(first_seq, self._unpack(events)))

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except apsw.Error as problem:
            raise OSError(f"{self._path}: {problem}") from problem
