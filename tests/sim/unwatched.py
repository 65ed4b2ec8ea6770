"""Records a run without waiting for it: real players and the real shell on simulated time."""

from collections.abc import Callable
from pathlib import Path

from engine.protocol.scenario import Scenario
from engine.store.base import TickRecord
from tests.sim.disk import FileDisk
from tests.sim.network import Line
from tests.sim.plan import Plan
from tests.sim.simulation import INTERVAL_S, Simulation


class Unwatched(Simulation):
    """A simulation that remembers nothing of what was said: only its log grows.

    Args:
        plan: What is simulated.
        folder: For the log.
    """

    def _overhear(self, line: Line, payload: bytes) -> None:
        pass

    def _posted(self, message: object) -> None:
        pass

    def _stored(self, record: TickRecord) -> None:
        pass

    def look_every(self, ticks: int, look: Callable[[], None]) -> None:
        """Call something every so many ticks, from now on."""

        def again() -> None:
            look()
            self.timeline.after(ticks * INTERVAL_S, again)

        self.timeline.after(ticks * INTERVAL_S, again)


def record(folder: Path, ticks: int, players: int) -> tuple[Simulation, Path]:
    """Run honest players, once a second each; return the simulation, and its log's file."""
    plan = Plan(
        seed=7, ticks=ticks, players=players, hecklers=0, npcs=200, nodes=512, rate=1.0,
        trouble_s=0.0, on_files=True, mix=Scenario().mix,
    )  # fmt: skip
    simulation = Unwatched(plan, folder)
    simulation.run()
    simulation.close()
    assert isinstance(simulation.disk, FileDisk)
    return simulation, simulation.disk.path
