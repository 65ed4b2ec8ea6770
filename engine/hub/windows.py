"""Percentiles over the last seconds, whatever the length of the run."""

from collections import deque
from collections.abc import Mapping

from engine.protocol.feed import Percentiles
from engine.stats.histogram import Histogram

_POINTS = (50.0, 90.0, 95.0, 99.0, 99.9)


class Window:
    """Histograms of whole seconds, the newest few kept.

    Args:
        seconds: How many.
    """

    def __init__(self, seconds: int) -> None:
        self._kept: deque[Histogram] = deque(maxlen=seconds)
        self._current = Histogram()

    @property
    def current(self) -> Histogram:
        """The second that is not over."""
        return self._current

    def add(self, counts: Mapping[int, int], max_ms: float = 0.0) -> None:
        """Count values into the present second."""
        self._current.merge_sparse(counts, max_ms)

    def close_second(self) -> Histogram:
        """End the present second and return it."""
        over = self._current
        self._kept.append(over)
        self._current = Histogram()
        return over

    def merged(self) -> Histogram:
        """Return everything in the window."""
        merged = Histogram()
        for histogram in (*self._kept, self._current):
            merged.merge(histogram)
        return merged


def percentiles(histogram: Histogram) -> Percentiles:
    """Return a histogram's percentiles for the feed."""
    if not histogram.count:
        return Percentiles()
    p50, p90, p95, p99, p999 = histogram.percentiles(_POINTS)
    return Percentiles(histogram.count, p50, p90, p95, p99, p999, histogram.max_ms)
