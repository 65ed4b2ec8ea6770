"""ramping-players: a straight line from the players there are to the players wanted."""

import math

from engine.protocol.durations import format_duration
from engine.protocol.scenario import Stage


class RampingPlayers:
    """Up or down to ``to`` within ``over_s``."""

    name = "ramping-players"

    def players(self, stage: Stage, start: int, elapsed_s: float) -> int:
        """See ``Executor.players``."""
        if elapsed_s >= stage.over_s:
            return stage.to
        return start + round((stage.to - start) * max(0.0, elapsed_s) / stage.over_s)

    def lasts_s(self, stage: Stage) -> float:
        """See ``Executor.lasts_s``."""
        return stage.over_s

    def describe(self, stage: Stage, elapsed_s: float) -> str:
        """See ``Executor.describe``."""
        left = format_duration(math.ceil(max(0.0, stage.over_s - elapsed_s)))
        return f"ramp to {stage.to}, {left} left"


EXECUTOR = RampingPlayers()
