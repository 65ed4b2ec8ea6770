"""What a squad counts: commands, latencies, errors, and its own health.

Counters run since the start; histograms hold what came since the last report that was
really handed over, so that a report which did not fit loses no sample.

A command is counted once: due = sent + missed, and sent = acknowledged + unanswered +
still in flight. Denied and mutated commands are acknowledged ones as well. The latency
of an unanswered command is the timeout, for it took at least that long.
"""

import math
from typing import Final

from engine.assault.cheats import Cheats
from engine.protocol.gateway import INTENT_KINDS, VerdictKind
from engine.protocol.limits import ERROR_KINDS_MAX, UNANSWERED_TIMEOUT_S
from engine.protocol.text import printable
from engine.stats.histogram import Histogram

_ERROR_CHARS_MAX: Final = 48


class Tally:
    """A squad's figures.

    Attributes:
        measure_from_s: Commands due earlier belong to the warm-up: counted, but in no
            percentile except the live view.
        cheats: What became of marked commands, and of the others.
    """

    def __init__(self) -> None:
        self.measure_from_s = math.inf
        self.due = self.sent = self.acknowledged = self.denied = self.mutated = 0
        self.unanswered = self.missed = self.lost = self.acknowledged_lost = 0
        self.frames = self.bytes = 0
        self.errors: dict[str, int] = {}
        self.cheats = Cheats()
        self.latency = {kind: Histogram() for kind in INTENT_KINDS}
        self.latency_now = Histogram()
        self.uncorrected = Histogram()
        self.lateness = Histogram()
        self.loop_lag = Histogram()
        self._latency_ms: dict[str, list[float]] = {kind: [] for kind in INTENT_KINDS}
        self._now_ms: list[float] = []
        self._uncorrected_ms: list[float] = []
        self._lateness_ms: list[float] = []
        self._lag_ms: list[float] = []

    def command_sent(self, late_s: float) -> None:
        """A command was due and left, ``late_s`` after it was due."""
        self.due += 1
        self.sent += 1
        self._lateness_ms.append(max(0.0, late_s) * 1000.0)

    def command_missed(self) -> None:
        """A command was due while its player had no connection."""
        self.due += 1
        self.missed += 1

    def command_answered(
        self, kind: str, due_s: float, sent_s: float, now_s: float, verdict: VerdictKind
    ) -> None:
        """The server's verdict on a command has come."""
        self.acknowledged += 1
        if verdict == "deny":
            self.denied += 1
        elif verdict == "mutate":
            self.mutated += 1
        self._took(kind, due_s, now_s - due_s, now_s - sent_s)

    def command_unanswered(self, kind: str, due_s: float) -> None:
        """No answer came in time."""
        self.unanswered += 1
        self._took(kind, due_s, UNANSWERED_TIMEOUT_S, UNANSWERED_TIMEOUT_S)

    def error(self, kind: str) -> None:
        """Something went wrong; ``kind`` may hold a server's words."""
        kind = printable(kind, _ERROR_CHARS_MAX)
        if kind not in self.errors and len(self.errors) >= ERROR_KINDS_MAX:
            kind = "other"
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def timer_late(self, late_s: float) -> None:
        """The loop's own timer fired ``late_s`` after its time."""
        self._lag_ms.append(max(0.0, late_s) * 1000.0)

    def settle(self) -> None:
        """Put the samples kept aside into the histograms, a batch at a time."""
        pairs = [
            (self.latency_now, self._now_ms),
            (self.uncorrected, self._uncorrected_ms),
            (self.lateness, self._lateness_ms),
            (self.loop_lag, self._lag_ms),
            *((self.latency[kind], self._latency_ms[kind]) for kind in INTENT_KINDS),
        ]
        for histogram, samples in pairs:
            histogram.add_many(samples)
            samples.clear()

    def handed_over(self) -> None:
        """The histograms are in a report that was taken: begin new ones."""
        for histogram in (self.latency_now, self.uncorrected, self.lateness, self.loop_lag):
            histogram.clear()
        for histogram in self.latency.values():
            histogram.clear()

    def _took(self, kind: str, due_s: float, took_s: float, uncorrected_s: float) -> None:
        took_ms = max(0.0, took_s) * 1000.0
        self._now_ms.append(took_ms)
        if due_s >= self.measure_from_s:
            self._latency_ms[kind].append(took_ms)
            self._uncorrected_ms.append(max(0.0, uncorrected_s) * 1000.0)
