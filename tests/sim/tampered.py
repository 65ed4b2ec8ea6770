"""A log that can be tampered with."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np

from engine.store.base import Inspection, Last, LogReader, TickRecord
from engine.store.chain import NO_CHECK, check_of
from engine.store.tables import Tables
from engine.world.events import EventBlock


def chain_anew(path: Path) -> None:
    """Compute the checks of a log's rows again, as who tampers with it might."""
    db = apsw.Connection(str(path))
    check = NO_CHECK
    for record, _ in Tables(db, path).stored(0):
        check = check_of(check, record)
        db.execute('UPDATE ticks SET "check" = ? WHERE tick = ?', (check, record.tick)).fetchall()
    db.close()


class Log:
    """A copy of a log, held in lists.

    Attributes:
        records: Its ticks.
        checkpoints: Its checkpoints by tick.
    """

    def __init__(self, log: LogReader) -> None:
        self.rules = log.rules
        self.records = list(log.ticks())
        self.checkpoints = {tick: log.checkpoint_at(tick) for tick in log.checkpoint_ticks()}

    def last(self) -> Last:
        return Last(self.records[-1].tick, self.records[-1].last_seq)

    def ticks(self, from_tick: int = 0) -> Iterator[TickRecord]:
        return iter(self.records[from_tick:])

    def checkpoint_ticks(self) -> list[int]:
        return sorted(self.checkpoints)

    def checkpoint_at(self, tick: int) -> bytes | None:
        return self.checkpoints.get(tick)

    def inspect(self, bytes_max: int = 0, end: int | None = None) -> Inspection:
        del bytes_max, end
        return Inspection(len(self.records), True)

    def change(self, find: Callable[[np.ndarray], np.ndarray], **values: int) -> None:
        """Change the first event that is found."""
        for at, record in enumerate(self.records):
            block = record.block()
            found = np.nonzero(find(block.rows))[0]
            if len(found):
                rows = block.rows.copy()
                for name, value in values.items():
                    rows[name][found[0]] = value
                told = EventBlock(block.first_seq, rows, block.texts).to_log()
                self.records[at] = replace(record, events=told)
                return
        raise AssertionError("there is no such event to tamper with")
