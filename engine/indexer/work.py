"""Fills the index from the log, a segment at a time."""

from collections.abc import Callable
from pathlib import Path

from engine.protocol.limits import INDEX_DELAY_S, INDEX_SEGMENT_EVENTS
from engine.store.finding import Finder
from engine.store.index import Index
from engine.store.postings import Damaged
from engine.world.events import TickEvents


class Indexer:
    """Keeps an index behind its log. No method waits; each does a piece of the work.

    Args:
        log_path: ``events.db``; it is never written.
        index_path: ``index.db``.
        told: Told why an index was thrown away, each time one is.

    Raises:
        OSError: The log cannot be read, or the index can be neither used nor made.
    """

    def __init__(self, log_path: Path, index_path: Path, told: Callable[[str], None]) -> None:
        self._log_path = log_path
        self._told = told
        self._waits_since_s: float | None = None
        with Finder(log_path) as log:
            self.index = Index(index_path, log)
        if self.index.why_anew:
            told(self.index.why_anew)

    def step(self, now_s: float, *, at_once: bool = False) -> bool:
        """Index the next segment when it is due, and merge; True when more is due at once.

        Args:
            now_s: The time, on any monotonic clock.
            at_once: Index what there is, however little.

        Raises:
            OSError: The log cannot be read or the index not written; it can be tried again.
            ValueError: What is stored in the log is no events.
        """
        index = self.index
        with Finder(self._log_path) as log:
            last = log.last()
            waiting = 0 if last is None else last.seq - index.position
            if waiting <= 0:
                self._waits_since_s = None
                return False
            if self._waits_since_s is None:
                self._waits_since_s = now_s
            in_time = now_s - self._waits_since_s < INDEX_DELAY_S
            if waiting < INDEX_SEGMENT_EVENTS and in_time and not at_once:
                return False
            ticks = _segment(log, index.position)
            seal = log.seal(ticks[-1].tick)
        if seal is None:
            raise OSError(f"{self._log_path}: tick {ticks[-1].tick} is gone")
        self._waits_since_s = now_s
        try:
            index.add(ticks, ticks[-1].tick, seal[1])
            while index.merge():
                pass
        except Damaged as problem:
            self.begin_anew(str(problem))
            return True
        waiting -= sum(len(tick.rows) for tick in ticks)
        return waiting >= INDEX_SEGMENT_EVENTS or (at_once and waiting > 0)

    def begin_anew(self, why: str) -> None:
        """Throw the index away and begin with the first event.

        Raises:
            OSError: It cannot be written.
        """
        self.index.begin_anew(why)
        self._told(why)

    def close(self) -> None:
        """Close the index."""
        self.index.close()


def _segment(log: Finder, position: int) -> list[TickEvents]:
    """Return the ticks of the next segment."""
    ticks: list[TickEvents] = []
    count = 0
    for tick in log.onward(position):
        ticks.append(tick)
        count += len(tick.rows)
        if count >= INDEX_SEGMENT_EVENTS:
            break
    return ticks
