"""The load over the run: stages one after another, the last one holds; or the operator's hand."""

import math
from collections.abc import Mapping, Sequence

from engine.assault.executors.base import Executor
from engine.protocol.registry import pick
from engine.protocol.scenario import Stage


class Plan:
    """How many players the run wants at a moment.

    Args:
        stages: The stages; none means that the operator decides from the start.
        executors: The shapes by name.
        players_max: Never more than this.
    """

    def __init__(
        self, stages: Sequence[Stage], executors: Mapping[str, Executor], players_max: int
    ) -> None:
        self._players_max = players_max
        self._by_hand: int | None = None if stages else 0
        self._steps: list[tuple[float, int, Stage, Executor]] = []
        begins_s, players = 0.0, 0
        for stage in stages:
            executor: Executor = pick(dict(executors), stage.executor, "executor")
            self._steps.append((begins_s, players, stage, executor))
            lasts_s = executor.lasts_s(stage)
            begins_s += lasts_s
            if math.isinf(lasts_s):
                break
            players = executor.players(stage, players, lasts_s)
        self.settled_s = begins_s if math.isfinite(begins_s) else self._steps[-1][0]
        """When the number stops changing by itself."""

    @property
    def players_most(self) -> int:
        """The most players the stages ever want."""
        most = max((stage.to for _, _, stage, _ in self._steps), default=0)
        return min(most, self._players_max)

    def take_by_hand(self, players: int) -> None:
        """Hold exactly this many from now on; the stages are suspended."""
        self._by_hand = players

    def players(self, elapsed_s: float) -> int:
        """Return the players wanted ``elapsed_s`` into the run."""
        if self._by_hand is not None:
            return min(self._by_hand, self._players_max)
        begins_s, start, stage, executor = self._step(elapsed_s)
        within_s = min(elapsed_s - begins_s, executor.lasts_s(stage))
        return max(0, min(executor.players(stage, start, within_s), self._players_max))

    def describe(self, elapsed_s: float) -> str:
        """Return what drives the load, in a few words."""
        if self._by_hand is not None:
            return "manual"
        begins_s, _, stage, executor = self._step(elapsed_s)
        if elapsed_s - begins_s >= executor.lasts_s(stage):
            return "hold"
        return executor.describe(stage, elapsed_s - begins_s)

    def _step(self, elapsed_s: float) -> tuple[float, int, Stage, Executor]:
        current = self._steps[0]
        for step in self._steps:
            if step[0] <= elapsed_s:
                current = step
        return current
