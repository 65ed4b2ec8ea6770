"""Looks a stored log through for damage: its pages, its rows, the chain of their checks."""

from engine.store.base import Damaged, Inspection
from engine.store.chain import NO_CHECK, check_of
from engine.store.tables import Stored, Tables


def inspect(
    tables: Tables, size_bytes: int, bytes_max: int, before: int | None = None
) -> Inspection:
    """See ``LogReader.inspect``.

    Args:
        tables: The log.
        size_bytes: Of its files.
        bytes_max: About as much of it is looked through, the newest part.
        before: The tick to stop at, and leave pages alone; None for all there is.
    """
    pages = _damaged_pages(tables) if size_bytes <= bytes_max and before is None else ""
    try:
        ticks = tables.bounds()
        newest = ticks[1] if ticks else -1
        if before is not None:
            newest = min(newest, before - 1)
        start = tables.newest_from(bytes_max) if size_bytes > bytes_max else 0
        end = _see_rows(tables, min(start, max(0, newest)), newest)
        saved = tables.checkpoint_ticks() if before is None else []
        ahead = [tick for tick in saved if tick > end]
    except Damaged:
        raise
    except ValueError as problem:
        raise Damaged(f"the log is damaged: {problem}{pages}") from problem
    if ahead:
        raise Damaged(
            f"the log ends with tick {end - 1}, and has the state before tick {ahead[-1]}: "
            "its newest ticks are gone",
            end,
        )
    if pages:
        raise Damaged(f"the log is damaged beside its ticks, which are whole{pages}")
    return Inspection(end - start, start == 0)


def _damaged_pages(tables: Tables) -> str:
    """Return what SQLite says about pages, those of indexes, too; empty when all is well."""
    try:
        told = str(tables.all("PRAGMA integrity_check(1)")[0][0])
    except ValueError as problem:
        told = str(problem)
    return "" if told == "ok" else f" ({' '.join(told.split())})"


def _see_rows(tables: Tables, start: int, newest: int) -> int:
    """See that rows are whole and follow each other; return the tick after the last one."""
    tick, seq, check = start, None, NO_CHECK
    if start:
        record, check = _one(tables, start - 1)
        seq = record.last_seq + 1
    while tick <= newest:
        for record, stored_check in _some(tables, tick):
            if tick > newest:
                break
            if record.tick != tick:
                raise _damaged(tick, f"it is missing, the next is {record.tick}")
            if seq is not None and record.first_seq != seq:
                raise _damaged(tick, f"it begins with event {record.first_seq} instead of {seq}")
            check = check_of(check, record)
            if tables.has_checks and check != stored_check:
                raise _damaged(tick, "its content, or the check of it, is not what was written")
            tick, seq = tick + 1, record.last_seq + 1
    return tick


def _some(tables: Tables, tick: int) -> list[Stored]:
    """Return some rows from a tick on; of a batch with a damaged page, those before it."""
    try:
        found = tables.stored(tick)
    except ValueError:
        return [_one(tables, tick)]
    if not found:
        raise _damaged(tick, "it is missing")
    return found


def _one(tables: Tables, tick: int) -> Stored:
    try:
        found = tables.stored(tick, ticks_max=1)
    except ValueError as problem:
        raise _damaged(tick, str(problem)) from problem
    if not found:
        raise _damaged(tick, "it is missing")
    return found[0]


def _damaged(tick: int, what: str) -> Damaged:
    before = f"the last good tick is {tick - 1}" if tick else "no tick before it is good"
    return Damaged(f"tick {tick} of the log is damaged: {what}; {before}", tick)
