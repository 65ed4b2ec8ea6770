"""Reads a world's log beside the world: read-only, short transactions, formats 1 and 2."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from engine.protocol.errors import UserError
from engine.protocol.events import Event
from engine.protocol.limits import LOG_CHECK_BYTES_MAX
from engine.store.base import Inspection, Last, TickRecord
from engine.store.inspecting import inspect
from engine.store.opening import open_to_read
from engine.store.tables import NoLogYet, Tables, size_bytes
from engine.world.events import TickEvents

_BUSY_MS: Final = 1000


class LogFile:
    """See ``LogReader``: a log that another process may be writing. It is never written.

    Between two calls no transaction is open, so that the writer's log can be folded in;
    but who only looks now and then should close it, for the writer's end tidies up only
    when nobody has the file open.

    Args:
        path: ``events.db``.

    Raises:
        UserError: It is no log, or one of a newer version.
        OSError: It cannot be read.
        ValueError: A page of it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = open_to_read(path, _BUSY_MS)
            try:
                self._tables = Tables(self._db, path)
            except BaseException:  # an interrupted opening, too, leaves no file open
                self._db.close()
                raise
        except apsw.Error as problem:
            raise OSError(f"{path}: {problem}") from problem

    @property
    def rules(self) -> int:
        """See ``LogReader.rules``."""
        return self._tables.rules

    def last(self) -> Last | None:
        """See ``LogReader.last``."""
        return self._tables.last()

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        """See ``LogReader.ticks``."""
        return self._tables.ticks(from_tick)

    def events(self, after_seq: int = 0, limit: int = 100) -> list[Event]:
        """See ``LogReader.events``."""
        return self._tables.events(after_seq, limit)

    def tick(self, tick: int) -> TickEvents:
        """Return the events of one tick; ``ValueError`` when there is none or it is damaged."""
        return self._tables.tick(tick)

    def inputs(self, tick: int) -> bytes:
        """Return the inputs of one tick; ``ValueError`` when there is none or it is damaged."""
        return self._tables.inputs(tick)

    def audits(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Return the audits of the ticks from ``first`` to ``last``, those that have one."""
        return self._tables.audits(first, last)

    def checkpoint_ticks(self) -> list[int]:
        """See ``LogReader.checkpoint_ticks``."""
        return self._tables.checkpoint_ticks()

    def checkpoint_at(self, tick: int) -> bytes | None:
        """See ``LogReader.checkpoint_at``."""
        return self._tables.checkpoint_at(tick)

    def inspect(self, bytes_max: int = LOG_CHECK_BYTES_MAX, end: int | None = None) -> Inspection:
        """See ``LogReader.inspect``."""
        return inspect(self._tables, size_bytes(self._path), bytes_max, end)

    def ticks_after(self, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
        """See ``LogReader.ticks_after``."""
        return self._tables.ticks_after(after_seq, ticks_max=ticks_max, events_max=events_max)

    def close(self) -> None:
        """See ``LogReader.close``."""
        self._db.close()


def read_events(path: Path, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
    """Return stored ticks with events after ``after_seq``, whole, oldest first.

    Args:
        path: ``events.db``; it is never written.
        after_seq: The last event that is known already.
        ticks_max: Ticks looked at, at most.
        events_max: No further tick is read once there are as many events.

    Raises:
        OSError: The log cannot be read.
        ValueError: What is stored is no events.
    """
    try:
        # Opened for each use: a reader that stays would keep the writer from tidying up.
        with closing(LogFile(path)) as log:
            return log.ticks_after(after_seq, ticks_max=ticks_max, events_max=events_max)
    except UserError as problem:
        raise OSError(problem.message) from problem


def read_last(path: Path) -> Last | None:
    """Return where a log ends, None when it is empty or not there yet.

    Raises:
        OSError: The log cannot be read.
        ValueError: It is damaged.
    """
    if not path.exists():
        return None
    try:
        with closing(LogFile(path)) as log:
            return log.last()
    except NoLogYet:
        return None
    except UserError as problem:
        raise OSError(problem.message) from problem
