"""Reads a world's log beside the world: read-only, opened for each use, short transactions."""

from pathlib import Path
from typing import Any, Final

import apsw

from engine.store.compression import Codec
from engine.world.events import EventBlock, TickEvents

_BUSY_MS: Final = 1000

# Ticks without events share first_seq with the next that has some: of equals the newest.
_FIRST: Final = (
    "SELECT tick FROM ticks WHERE first_seq <= ? ORDER BY first_seq DESC, tick DESC LIMIT 1"
)
_TICKS: Final = (
    "SELECT tick, first_seq, count, events FROM ticks WHERE tick >= ? ORDER BY tick LIMIT ?"
)


def read_events(path: Path, after_seq: int, *, ticks_max: int, events_max: int) -> list[TickEvents]:
    """Return stored ticks with events after ``after_seq``, whole, oldest first.

    Args:
        path: ``events.db``; it is never written.
        after_seq: The last event that is known already.
        ticks_max: Ticks, at most.
        events_max: No further tick is read once there are as many events.

    Raises:
        OSError: The log cannot be read.
        ValueError: What is stored is no events.
    """
    try:
        # Opened for each use: no reader keeps the writer's log from being folded in.
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.set_busy_timeout(_BUSY_MS)
            rows = _fetch(db, after_seq, ticks_max, events_max)
        finally:
            db.close()
    except apsw.Error as problem:
        raise OSError(f"{path}: {problem}") from problem
    unpack = Codec().unpack
    found = [
        TickEvents(tick, EventBlock.from_log(first_seq, unpack(events)))
        for tick, first_seq, count, events in rows
        if count
    ]
    return [each for each in found if each.last_seq > after_seq]


def _fetch(
    db: apsw.Connection, after_seq: int, ticks_max: int, events_max: int
) -> list[tuple[Any, ...]]:
    first = db.execute(_FIRST, (after_seq + 1,)).fetchall()
    rows: list[tuple[Any, ...]] = []
    count = 0
    for row in db.execute(_TICKS, (first[0][0] if first else 0, ticks_max)):
        rows.append(row)
        count += row[2]
        if count >= events_max:
            break
    return rows
