"""A capsule's log, opened read-only beside whoever writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw

from engine.protocol.errors import UserError
from engine.store.base import Last, TickRecord
from engine.store.compression import Codec
from engine.store.sqlite import STORE_FORMAT

_BUSY_MS: Final = 1000
_TICKS_READ_AT_ONCE: Final = 256


class RecordedLog:
    """See ``LogReader``.

    Args:
        path: ``events.db``.

    Raises:
        UserError: It is no log that this version reads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codec = Codec()
        try:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._db.set_busy_timeout(_BUSY_MS)
            found = self._db.execute("SELECT value FROM meta WHERE name = 'format'").fetchall()
        except apsw.Error as problem:
            raise UserError(f"{path}: no event store: {problem}") from problem
        if not found or found[0][0] != STORE_FORMAT:
            raise UserError(f"{path}: event store of another format")

    def last(self) -> Last | None:
        """See ``LogReader.last``."""
        rows = self._all("SELECT tick, first_seq + count - 1 FROM ticks ORDER BY tick DESC LIMIT 1")
        return Last(*rows[0]) if rows else None

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``LogReader.ticks``."""
        query = "SELECT * FROM ticks WHERE tick >= ? ORDER BY tick LIMIT ?"
        while True:
            rows = self._all(query, (from_tick, _TICKS_READ_AT_ONCE))
            for tick, first_seq, count, inputs, events, state_hash in rows:
                unpack = self._codec.unpack
                yield TickRecord(tick, first_seq, count, unpack(inputs), unpack(events), state_hash)
            if len(rows) < _TICKS_READ_AT_ONCE:
                return
            from_tick = rows[-1][0] + 1

    def checkpoint_ticks(self) -> list[int]:
        """See ``LogReader.checkpoint_ticks``."""
        return [tick for (tick,) in self._all("SELECT tick FROM checkpoints ORDER BY tick")]

    def checkpoint_at(self, tick: int) -> bytes | None:
        """See ``LogReader.checkpoint_at``."""
        rows = self._all("SELECT state FROM checkpoints WHERE tick = ?", (tick,))
        return self._codec.unpack(rows[0][0]) if rows else None

    def close(self) -> None:
        """See ``LogReader.close``."""
        self._db.close()

    def _all(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except apsw.Error as problem:
            raise ValueError(f"{self._path}: {problem}") from problem
