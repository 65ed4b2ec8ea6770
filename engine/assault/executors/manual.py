"""manual: the players the operator asked for; nothing changes by itself."""

import math

from engine.protocol.scenario import Stage


class Manual:
    """Starts at ``to`` and stays until the operator says otherwise."""

    name = "manual"

    def players(self, stage: Stage, start: int, elapsed_s: float) -> int:  # noqa: ARG002 - the shape ignores where it came from and how long it has run
        """See ``Executor.players``."""
        return stage.to

    def lasts_s(self, stage: Stage) -> float:
        """See ``Executor.lasts_s``."""
        return stage.over_s if stage.over_s > 0 else math.inf

    def describe(self, stage: Stage, elapsed_s: float) -> str:  # noqa: ARG002 - nothing to say about time
        """See ``Executor.describe``."""
        return "manual"


EXECUTOR = Manual()
