"""What a tick took, phase by phase, and why a bad one was bad."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.protocol.child import TickRow

PHASES: Final = ("govern", "step", "react", "hash", "append", "fan_out")
STALL_SHARE: Final = 0.4
"""A phase that takes more than this share of the interval is named."""
_TICK_ROWS_KEPT_MAX: Final = 1200
_STALLS_KEPT_MAX: Final = 20


class Stopwatch:
    """Sums up the time of the phases of one tick.

    Args:
        now_s: A precise monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._mark_s = 0.0
        self.phases_ms: dict[str, float] = {}

    def reset(self) -> None:
        """Forget the last tick and begin to measure."""
        self.phases_ms = dict.fromkeys((*PHASES, "other"), 0.0)
        self._mark_s = self._now_s()

    def resume(self) -> None:
        """Begin to measure again after time that is not the tick's."""
        self._mark_s = self._now_s()

    def lap(self, phase: str) -> None:
        """Everything since the last lap was ``phase``."""
        now_s = self._now_s()
        self.phases_ms[phase] += (now_s - self._mark_s) * 1000.0
        self._mark_s = now_s

    @property
    def busy_ms(self) -> float:
        """All the time measured."""
        return sum(self.phases_ms.values())


def steal_ms() -> float:
    """Return the time the host has taken from this machine's CPUs, 0 where it does not say."""
    try:
        with Path("/proc/stat").open() as lines:
            return int(lines.readline().split()[8]) * 1000.0 / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0.0


@dataclass(slots=True)
class Ledger:
    """Rows and causes since the last report, bounded should nobody take reports.

    Attributes:
        interval_ms: The tick interval.
    """

    interval_ms: float
    ticks: list[TickRow] = field(default_factory=list)
    stalls: list[str] = field(default_factory=list)
    _steal_ms: float = field(default_factory=steal_ms)

    def add(self, row: TickRow, watch: Stopwatch) -> None:
        """Take a tick's row, and name what was slow in it."""
        self.ticks.append(row)
        del self.ticks[:-_TICK_ROWS_KEPT_MAX]
        limit_ms = self.interval_ms * STALL_SHARE
        for phase, took_ms in watch.phases_ms.items():
            if took_ms > limit_ms:
                self.tell(f"tick {row.tick}: {phase} took {took_ms:.0f} ms{self._stolen()}")
        if row.late_ms > limit_ms:
            self.tell(f"tick {row.tick}: began {row.late_ms:.0f} ms late{self._stolen()}")

    def tell(self, cause: str) -> None:
        """Keep a cause for the next report."""
        self.stalls.append(cause)
        del self.stalls[:-_STALLS_KEPT_MAX]

    def watch_steal(self) -> None:
        """Note the time the host took from this machine so far."""
        self._steal_ms = steal_ms()

    def _stolen(self) -> str:
        stolen_ms = steal_ms() - self._steal_ms
        return f" (the host took {stolen_ms:.0f} ms)" if stolen_ms >= 1.0 else ""


def rss_mb() -> float:
    """Return this process's resident memory, 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s() -> float:
    """Return the CPU time of this process."""
    return time.process_time()
