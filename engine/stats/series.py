"""One value a second for the last N seconds, whatever the length of the run."""

import math
from collections import deque


class SecondSeries:
    """A bounded series of one number a second; seconds nobody wrote are 0.

    Args:
        seconds_max: Seconds kept; older ones are forgotten.
    """

    __slots__ = ("_values", "start_s")

    def __init__(self, seconds_max: int) -> None:
        self._values: deque[float] = deque(maxlen=seconds_max)
        self.start_s = 0

    @property
    def values(self) -> tuple[float, ...]:
        """The values, oldest first; the first belongs to second ``start_s``."""
        return tuple(self._values)

    def put(self, at_s: float, value: float) -> None:
        """Set the value of the second that ``at_s`` lies in."""
        index = self._index(at_s)
        if index is not None:
            self._values[index] = value

    def add(self, at_s: float, value: float) -> None:
        """Add to the value of the second that ``at_s`` lies in."""
        index = self._index(at_s)
        if index is not None:
            self._values[index] += value

    def raise_to(self, at_s: float, value: float) -> None:
        """Make the value of the second that ``at_s`` lies in at least ``value``."""
        index = self._index(at_s)
        if index is not None:
            self._values[index] = max(self._values[index], value)

    def _index(self, at_s: float) -> int | None:
        """Return where the second is kept, after making room for it; None when forgotten."""
        second = math.floor(at_s)
        kept = self._values.maxlen or 0
        if not self._values:
            self.start_s = second
            self._values.append(0.0)
        if second >= self.start_s + len(self._values) + kept:
            self._values.clear()
            self.start_s = second - kept + 1
            self._values.extend([0.0] * kept)
        while second >= self.start_s + len(self._values):
            if len(self._values) == kept:
                self.start_s += 1
            self._values.append(0.0)
        return second - self.start_s if second >= self.start_s else None
