"""The thresholds of a run, judged while it goes on."""

from collections.abc import Callable

from engine.protocol.summary import Summary
from engine.report.summary import outcomes
from engine.stats.thresholds import Threshold


class Judge:
    """Judges once a second; during the warm-up nothing has failed yet.

    Args:
        thresholds: What is to hold.
        warm_up_s: Seconds that do not count.

    Attributes:
        now: Each threshold's text, and whether it held in the last second.
    """

    def __init__(self, thresholds: tuple[Threshold, ...], warm_up_s: float) -> None:
        self.thresholds = thresholds
        self._warm_up_s = warm_up_s
        self.now: tuple[tuple[str, bool], ...] = ()

    def second(self, second: int, summary: Callable[[], Summary]) -> None:
        """A second is over.

        Args:
            second: Which, from 0.
            summary: Returns the run's figures so far; not asked for without need.
        """
        if not self.thresholds:
            return
        if second < self._warm_up_s:
            self.now = tuple((threshold.text, True) for threshold in self.thresholds)
        else:
            judged = outcomes(summary(), self.thresholds)
            self.now = tuple((outcome.threshold.text, outcome.held) for outcome in judged)
