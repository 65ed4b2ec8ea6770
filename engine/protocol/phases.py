"""What became of faults, told once: from views of them as they stand to what is new."""

from collections.abc import Iterable

from engine.protocol.feed import FaultPhase, FaultView
from engine.protocol.limits import FAULTS_KEPT_MAX


class PhasesTold:
    """Remembers what was told of the faults that changed last."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def news(self, views: Iterable[FaultView]) -> list[tuple[FaultView, FaultPhase, float]]:
        """Return (fault, what it has been through, when) that was not returned before."""
        fresh: list[tuple[FaultView, FaultPhase, float]] = []
        for view in views:
            phases = view.phases()
            known = self._told.pop(view.id, 0)
            fresh += [(view, phase, at_s) for phase, at_s in phases[known:]]
            self._told[view.id] = len(phases)
        while len(self._told) > FAULTS_KEPT_MAX:
            del self._told[next(iter(self._told))]
        return fresh
