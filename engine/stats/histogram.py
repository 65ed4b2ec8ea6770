"""A log-bucketed histogram of milliseconds: under 1 % error, merged by addition.

Bucket 0 holds everything up to ``LOWEST_MS``; bucket ``i`` the values in
``(LOWEST_MS * GROWTH**(i-1), LOWEST_MS * GROWTH**i]``. A bucket is reported as its
geometric middle, which is at most half a growth step (0.5 %) off any value in it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

LOWEST_MS: Final = 0.001
GROWTH: Final = 1.01
HIGHEST_MS: Final = 3_600_000.0
"""One hour: larger values count in the last bucket, and exactly in ``max_ms``."""

_LOG_GROWTH: Final = math.log(GROWTH)
BUCKETS: Final = math.ceil(math.log(HIGHEST_MS / LOWEST_MS) / _LOG_GROWTH) + 1


def bucket_of(value_ms: float) -> int:
    """Return the bucket of a value.

    Raises:
        ValueError: Negative or not a number: a duration is neither.
    """
    if not value_ms >= 0.0:
        raise ValueError(f"{value_ms} ms is no duration")
    if value_ms <= LOWEST_MS:
        return 0
    return int(min(math.ceil(math.log(value_ms / LOWEST_MS) / _LOG_GROWTH), BUCKETS - 1))


def middle_ms(bucket: int) -> float:
    """Return the value a bucket stands for: its geometric middle, in milliseconds."""
    return LOWEST_MS * math.exp((bucket - 0.5) * _LOG_GROWTH) if bucket > 0 else LOWEST_MS


class Histogram:
    """Counts by bucket.

    Attributes:
        buckets: Counts, int64, shape (``BUCKETS``,).
        count: Values counted.
        max_ms: Largest value, exact; 0 while empty. After a merge of a sparse form that
            came without its maximum it is the middle of the highest bucket.
    """

    __slots__ = ("buckets", "count", "max_ms")

    def __init__(self) -> None:
        self.buckets: NDArray[np.int64] = np.zeros(BUCKETS, dtype=np.int64)
        self.count = 0
        self.max_ms = 0.0

    def add(self, value_ms: float, times: int = 1) -> None:
        """Count one value ``times`` times.

        Raises:
            ValueError: Negative, or not a number.
        """
        self.buckets[bucket_of(value_ms)] += times
        self.count += times
        self.max_ms = max(self.max_ms, value_ms)

    def add_many(self, values_ms: Sequence[float] | NDArray[np.float64]) -> None:
        """Count a batch of values at once.

        Raises:
            ValueError: One is negative or not a number; then none is counted.
        """
        values = np.asarray(values_ms, dtype=np.float64)
        if values.size == 0:
            return
        if not bool((values >= 0.0).all()):
            raise ValueError("a duration is neither negative nor nan")
        steps = np.ceil(np.log(np.maximum(values, LOWEST_MS) / LOWEST_MS) / _LOG_GROWTH)
        found = np.minimum(steps, BUCKETS - 1).astype(np.int64)
        self.buckets += np.bincount(found, minlength=BUCKETS)
        self.count += int(values.size)
        self.max_ms = max(self.max_ms, float(values.max()))

    def merge(self, other: "Histogram") -> None:
        """Add another histogram's counts."""
        self.buckets += other.buckets
        self.count += other.count
        self.max_ms = max(self.max_ms, other.max_ms)

    def merge_sparse(self, counts: Mapping[int, int], max_ms: float = 0.0) -> None:
        """Add counts in the form of ``sparse``.

        Raises:
            ValueError: A bucket that does not exist or a negative count; then none is added.
        """
        if any(not 0 <= bucket < BUCKETS or n < 0 for bucket, n in counts.items()):
            raise ValueError("not a sparse histogram: bucket or count out of range")
        for bucket, n in counts.items():
            self.buckets[bucket] += n
        self.count += sum(counts.values())
        highest = max((bucket for bucket, n in counts.items() if n), default=-1)
        if highest >= 0:
            self.max_ms = max(self.max_ms, max_ms or middle_ms(highest))

    def sparse(self) -> dict[int, int]:
        """Return bucket index to count, empty buckets left out."""
        filled = np.flatnonzero(self.buckets)
        return dict(zip(filled.tolist(), self.buckets[filled].tolist(), strict=True))

    def percentile(self, p: float) -> float:
        """Return the value in ms that ``p`` percent of all values do not exceed.

        Nearest rank; 0 while empty; never above ``max_ms``.
        """
        return self.percentiles((p,))[0]

    def percentiles(self, wanted: Iterable[float]) -> list[float]:
        """Return several percentiles with one pass over the buckets."""
        ps = list(wanted)
        if not self.count:
            return [0.0] * len(ps)
        below = np.cumsum(self.buckets)
        ranks = [max(1, math.ceil(p / 100.0 * self.count - 1e-9)) for p in ps]
        found = np.searchsorted(below, ranks, side="left").tolist()
        return [min(middle_ms(bucket), self.max_ms) for bucket in found]

    def clear(self) -> None:
        """Forget everything."""
        self.buckets[:] = 0
        self.count = 0
        self.max_ms = 0.0
