"""The world's ticks: the last 10 s for the console, all after the warm-up for the summary."""

from collections import deque

from msgspec.structs import asdict

from engine.protocol.child import TickRow, WorldReport
from engine.protocol.feed import TickView
from engine.protocol.limits import PAGE_ROWS_MAX
from engine.protocol.query import TickFigures
from engine.protocol.summary import Spread, TickSummary
from engine.stats.histogram import Histogram

PHASES = ("govern", "step", "react", "hash", "append", "fan_out")
_WINDOW_S = 10


class Ticks:
    """Figures of the world's ticks.

    Args:
        interval_ms: Tick interval.

    Attributes:
        tick: The newest tick.
        overruns: Since the start.
        skipped: Since the start.
        newest: The newest ticks, oldest first, for whoever asks.
    """

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._rows: deque[TickRow] = deque(maxlen=_WINDOW_S * 1000 // interval_ms)
        self.newest: deque[TickFigures] = deque(maxlen=PAGE_ROWS_MAX)
        self._second: list[float] = []
        self._ms = Histogram()
        self._phases = {phase: Histogram() for phase in PHASES}
        self._measured_from: int | None = None
        self._closed = False
        self._overruns_measured = 0
        self._skipped_before = 0
        self._skipped_warm_up = 0
        self._skipped_now = 0
        self.tick = 0
        self.overruns = 0

    @property
    def skipped(self) -> int:
        """Ticks that were given up since the start."""
        return self._skipped_before + self._skipped_now

    def begin(self, warm_up_s: float) -> None:
        """The players begin now; the summary measures from the end of the warm-up."""
        self._measured_from = self.tick + 1 + round(warm_up_s * 1000 / self._interval_ms)
        self.overruns = 0
        self._skipped_before, self._skipped_warm_up = -self._skipped_now, 0

    def close(self) -> None:
        """The run is over; what the world does while it stops is not measured."""
        self._closed = True

    def gone(self) -> None:
        """The world died; the next one counts from 0."""
        self._skipped_before += self._skipped_now
        self._skipped_now = 0

    def take(self, report: WorldReport) -> int:
        """Take in a report and return the number of new overruns."""
        self.newest += [TickFigures(**asdict(row)) for row in report.ticks]
        if self._closed:
            return 0
        overruns = 0
        for row in report.ticks:
            self._rows.append(row)
            self._second.append(row.ms)
            overruns += row.overrun
            if self._is_measured(row.tick):
                self._measure(row)
        self.tick = max(self.tick, report.tick)
        self._skipped_now = report.skipped
        if not self._is_measured(self.tick):
            self._skipped_warm_up = self.skipped
        self.overruns += overruns
        return overruns

    def close_second(self) -> float | None:
        """Return the p99 of the ticks since the last call, None without any."""
        p99 = _nearest_rank(sorted(self._second), 99) if self._second else None
        self._second.clear()
        return p99

    def view(self) -> TickView:
        """Return what the console shows."""
        times = sorted(row.ms for row in self._rows)
        phases = {
            phase: _nearest_rank(sorted(getattr(row, f"{phase}_ms") for row in self._rows), 95)
            for phase in PHASES
        }
        return TickView(
            tick=self.tick,
            interval_ms=self._interval_ms,
            ms_p50=_nearest_rank(times, 50),
            ms_p99=_nearest_rank(times, 99),
            ms_max=times[-1] if times else 0.0,
            overruns=self.overruns,
            skipped=self.skipped,
            phases_ms_p95=phases,
        )

    def summary(self) -> TickSummary:
        """Return what the summary says."""
        p50, p95, p99 = self._ms.percentiles((50, 95, 99))
        return TickSummary(
            count=self._ms.count,
            interval_ms=self._interval_ms,
            overruns=self._overruns_measured,
            overruns_warm_up=self.overruns - self._overruns_measured,
            skipped=self.skipped - self._skipped_warm_up,
            ms=Spread(p50, p95, p99, self._ms.max_ms),
            phases_ms_p95={
                phase: histogram.percentile(95) for phase, histogram in self._phases.items()
            },
        )

    def _is_measured(self, tick: int) -> bool:
        return self._measured_from is not None and tick >= self._measured_from

    def _measure(self, row: TickRow) -> None:
        self._ms.add(max(0.0, row.ms))
        for phase, histogram in self._phases.items():
            histogram.add(max(0.0, getattr(row, f"{phase}_ms")))
        self._overruns_measured += row.overrun


def _nearest_rank(ordered: list[float], p: int) -> float:
    """Return the percentile of sorted values, 0 without any."""
    if not ordered:
        return 0.0
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)]
