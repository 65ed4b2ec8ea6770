"""Reads a log that another process writes: opened for one use, read-only, in short steps."""

from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import apsw

from engine.protocol.errors import ExitCode, UserError
from engine.store.base import TickRecord
from engine.store.compression import Codec

READ_TICKS_MAX: Final = 256
_BUSY_MS: Final = 2000


class LogReader:
    """A log as its readers see it. Use as a context manager.

    Args:
        path: The database file.

    Raises:
        UserError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codec = Codec()
        try:
            self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        except apsw.Error as problem:
            raise self._cannot(problem) from problem
        self._db.set_busy_timeout(_BUSY_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def ticks_after(self, seq: int, limit: int = READ_TICKS_MAX) -> list[TickRecord]:
        """Return the ticks that have events after ``seq``, oldest first, at most ``limit``.

        Raises:
            UserError: The log cannot be read.
        """
        query = (
            "SELECT * FROM ticks WHERE first_seq + count > ? + 1 AND count > 0 AND first_seq >= "
            "coalesce((SELECT max(first_seq) FROM ticks WHERE first_seq <= ? + 1), 0) "
            "ORDER BY first_seq, tick LIMIT ?"
        )
        try:
            rows: list[Any] = self._db.execute(
                query, (seq, seq, min(limit, READ_TICKS_MAX))
            ).fetchall()
        except apsw.Error as problem:
            raise self._cannot(problem) from problem
        unpack = self._codec.unpack
        return [
            TickRecord(tick, first_seq, count, unpack(inputs), unpack(events), state_hash)
            for tick, first_seq, count, inputs, events, state_hash in rows
        ]

    def _cannot(self, problem: apsw.Error) -> UserError:
        return UserError(f"{self._path}: cannot be read: {problem}", ExitCode.OWN_FAULT)
