"""The generator's own health: a generator that cannot keep up measures itself."""

from engine.hub.tally import Tally
from engine.hub.windows import Window
from engine.protocol.child import SquadReport
from engine.protocol.feed import GeneratorView
from engine.protocol.limits import SATURATED_CONSECUTIVE_S, SATURATED_LATENESS_MS
from engine.protocol.summary import GeneratorSummary
from engine.stats.histogram import Histogram

_WINDOW_S = 5


class Generator:
    """Send lateness, loop lag, processor time and memory of the squads.

    Saturated: send lateness p99 above ``SATURATED_LATENESS_MS`` in
    ``SATURATED_CONSECUTIVE_S`` consecutive seconds; a second without a word from a
    squad that lives counts as one.

    Attributes:
        saturated_at_s: The first such second after the warm-up, None when there is none.
        saturated: Saturated now.
        second_ms_p99: Send lateness of the last second.
        second_ms_max: The same, its worst.
    """

    def __init__(self) -> None:
        self._lateness = Window(_WINDOW_S)
        self._lag = Window(_WINDOW_S)
        self._lateness_all = Histogram()
        self._lag_all = Histogram()
        self._late_seconds = 0
        self._late_measured = 0
        self._heard: set[int] = set()
        self._measured_s = 0
        self._cpu_s_before: float | None = None
        self._cpu_s_start = 0.0
        self._cpu_s = 0.0
        self._cpu_pct = 0.0
        self._rss_mb_max = 0.0
        self._lateness_max_ms = 0.0
        self.second_ms_p99 = 0.0
        self.second_ms_max = 0.0
        self.saturated_at_s: float | None = None
        self.saturated = False

    def take(self, report: SquadReport) -> None:
        """Take in a squad's report."""
        self._heard.add(report.squad)
        self._lateness.add(report.lateness, report.lateness_max_ms)
        self._lag.add(report.loop_lag)

    def close_second(self, second: int, tally: Tally, *, measured: bool) -> bool:
        """End a second; return whether the generator has become saturated in it.

        Args:
            second: Seconds since the run's start.
            tally: The squads.
            measured: The warm-up is over and the run is not.
        """
        lateness, lag = self._lateness.close_second(), self._lag.close_second()
        silent = any(report.squad not in self._heard for report in tally.squads)
        late = lateness.count > 0 and lateness.percentile(99) > SATURATED_LATENESS_MS
        self.second_ms_p99, self.second_ms_max = lateness.percentile(99), lateness.max_ms
        self._heard.clear()
        self._late_seconds = self._late_seconds + 1 if late or silent else 0
        self._late_measured = self._late_measured + 1 if measured and (late or silent) else 0
        before, self.saturated = self.saturated, self._late_seconds >= SATURATED_CONSECUTIVE_S
        cpu_s = tally.cpu_s()
        if self._cpu_s_before is not None:
            self._cpu_pct = max(0.0, cpu_s - self._cpu_s_before) * 100
        if measured:
            if not self._measured_s:
                self._cpu_s_start = self._cpu_s_before or 0.0
            self._measured_s += 1
            self._cpu_s = cpu_s
            self._lateness_all.merge(lateness)
            self._lag_all.merge(lag)
            self._lateness_max_ms = max(self._lateness_max_ms, lateness.max_ms)
            if self._late_measured >= SATURATED_CONSECUTIVE_S and self.saturated_at_s is None:
                self.saturated_at_s = float(second + 1 - SATURATED_CONSECUTIVE_S)
        self._cpu_s_before = cpu_s
        self._rss_mb_max = max(self._rss_mb_max, tally.rss_mb())
        return self.saturated and not before

    def view(self, tally: Tally) -> GeneratorView:
        """Return what the console shows; percentiles over the last seconds."""
        lateness = self._lateness.merged()
        return GeneratorView(
            squads=len(tally.squads),
            cpu_pct=self._cpu_pct,
            send_lateness_ms_p99=lateness.percentile(99),
            send_lateness_ms_max=lateness.max_ms,
            loop_lag_ms_p99=self._lag.merged().percentile(99),
            rss_mb=tally.rss_mb(),
            saturated=self.saturated or self.saturated_at_s is not None,
        )

    def summary(self, tally: Tally) -> GeneratorSummary:
        """Return what the summary says; warm-up excluded, but for what was dropped."""
        return GeneratorSummary(
            cpu_pct=(self._cpu_s - self._cpu_s_start) * 100 / max(1, self._measured_s),
            send_lateness_ms_p99=self._lateness_all.percentile(99),
            send_lateness_ms_max=self._lateness_max_ms,
            loop_lag_ms_p99=self._lag_all.percentile(99),
            saturated=self.saturated_at_s is not None,
            saturated_at_s=self.saturated_at_s,
            rss_mb=self._rss_mb_max,
            updates_dropped=tally.total("updates_dropped"),
        )
