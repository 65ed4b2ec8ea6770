"""How often players are sent updates: fewer when the fan-out does not fit the interval.

The rule, also shown to the operator as ``update_stride``: a player whose command was
just answered gets an update with the answer; everyone else gets one every ``stride``
ticks, each in its turn.
"""

from engine.protocol.limits import UPDATE_STRIDE_MAX

_FULL_SHARE = 0.65
"""Fan-out that takes more of the interval than this is too much..."""
_FULL_TICKS = 3
"""...when it happens in this many ticks in a row."""
_LIGHT_TICKS = 30
"""Ticks in a row that would fit at the next faster pace before it is tried."""


class Pace:
    """Chooses the stride from what the last fan-outs took.

    Args:
        interval_ms: The tick interval.
    """

    def __init__(self, interval_ms: float) -> None:
        self._full_ms = interval_ms * _FULL_SHARE
        self._full = 0
        self._light = 0
        self.stride = 1

    def observe(self, fan_out_ms: float, cut: bool) -> None:
        """Take what one tick's fan-out took; ``cut`` when it was not finished in time."""
        too_much = cut or fan_out_ms > self._full_ms
        self._full = self._full + 1 if too_much else 0
        faster_ms = fan_out_ms * self.stride / max(1, self.stride - 1)
        self._light = 0 if too_much or faster_ms > self._full_ms * 0.8 else self._light + 1
        if self._full >= _FULL_TICKS and self.stride < UPDATE_STRIDE_MAX:
            self.stride += 1
            self._full = 0
        elif self._light >= _LIGHT_TICKS and self.stride > 1:
            self.stride -= 1
            self._light = 0

    def is_turn(self, number: int, tick: int) -> bool:
        """Return whether the player with this connection number gets an update now."""
        return self.stride == 1 or (number + tick) % self.stride == 0
