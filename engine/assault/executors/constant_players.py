"""constant-players: so many at once, as fast as connecting is allowed, for a time or for good."""

import math

from engine.protocol.durations import format_duration
from engine.protocol.scenario import Stage


class ConstantPlayers:
    """``to`` players from the stage's first moment; ``over_s`` 0 means until the end."""

    name = "constant-players"

    def players(self, stage: Stage, start: int, elapsed_s: float) -> int:  # noqa: ARG002 - the shape ignores where it came from and how long it has run
        """See ``Executor.players``."""
        return stage.to

    def lasts_s(self, stage: Stage) -> float:
        """See ``Executor.lasts_s``."""
        return stage.over_s if stage.over_s > 0 else math.inf

    def describe(self, stage: Stage, elapsed_s: float) -> str:
        """See ``Executor.describe``."""
        if not stage.over_s:
            return f"hold {stage.to}"
        left = format_duration(math.ceil(max(0.0, stage.over_s - elapsed_s)))
        return f"hold {stage.to}, {left} left"


EXECUTOR = ConstantPlayers()
