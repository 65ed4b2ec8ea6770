"""A load shape: how many players a stage wants at a moment. One shape a file, as ``EXECUTOR``."""

from typing import Protocol

from engine.protocol.scenario import Stage


class Executor(Protocol):
    """What a shape's file offers as ``EXECUTOR``. Pure: time comes in, players come out."""

    @property
    def name(self) -> str:
        """The name in a scenario's stage."""
        ...

    def players(self, stage: Stage, start: int, elapsed_s: float) -> int:
        """Return the players wanted.

        Args:
            stage: The stage.
            start: Players wanted when the stage began.
            elapsed_s: Seconds since then, at most what ``lasts_s`` returns.
        """
        ...

    def lasts_s(self, stage: Stage) -> float:
        """Return how long the stage takes; infinity when it never ends by itself."""
        ...

    def describe(self, stage: Stage, elapsed_s: float) -> str:
        """Return a few words for the operator: ``ramp to 1000, 12s left``."""
        ...
