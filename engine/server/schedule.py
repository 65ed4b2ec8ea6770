"""When ticks and their slices of fan-out are due: decisions only, no clock and no waiting."""

from dataclasses import dataclass

from engine.protocol.limits import TICKS_CATCH_UP_MAX

FAN_OUT_SLICES = 8
"""A tick's frames leave in this many portions, spread over the interval."""

_SPREAD = 0.8
"""Share of the interval over which the slices begin; the rest is slack for a late one."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a tick begins.

    Attributes:
        late_s: Time since it was due.
        skipped: Ticks given up just before it, because too many were due.
    """

    late_s: float
    skipped: int


class Schedule:
    """Decides when the next tick is due, how late it is, and what an overrun is.

    A tick that ends after the next was due is an overrun. The next then starts at
    once; up to ``TICKS_CATCH_UP_MAX`` late ticks are run back to back, more are skipped.

    Args:
        interval_s: Time between two ticks.
        first_due_s: When the first tick is due, on the caller's monotonic clock.
    """

    def __init__(self, interval_s: float, first_due_s: float) -> None:
        self.interval_s = interval_s
        self._due_s = first_due_s

    @property
    def due_s(self) -> float:
        """When the tick that is running, or else the next one, is due."""
        return self._due_s

    @property
    def next_due_s(self) -> float:
        """When the tick after that one is due."""
        return self._due_s + self.interval_s

    def begin(self, now_s: float) -> Beginning:
        """Begin the tick that is due and say how late it is."""
        behind = int((now_s - self._due_s) / self.interval_s)
        skipped = max(0, behind - TICKS_CATCH_UP_MAX)
        self._due_s += skipped * self.interval_s
        return Beginning(max(0.0, now_s - self._due_s), skipped)

    def slice_due_s(self, index: int) -> float:
        """When slice ``index`` of the running tick's fan-out is due."""
        return self._due_s + index * self.interval_s * _SPREAD / FAN_OUT_SLICES

    def end(self, now_s: float) -> bool:
        """End the running tick and return whether it was an overrun."""
        self._due_s += self.interval_s
        return now_s > self._due_s
