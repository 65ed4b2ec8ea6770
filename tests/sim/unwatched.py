"""Records a run without waiting for it: real players and the real shell on simulated time."""

from pathlib import Path

from engine.protocol.scenario import Scenario
from tests.sim.disk import FileDisk
from tests.sim.network import Line
from tests.sim.simulation import Plan, Simulation


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


def plan_of(*, ticks: int, players: int, trouble_s: float = 0.0) -> Plan:
    """Return a plan of honest players who act once a second, as a run's do by default."""
    return Plan(
        seed=7, ticks=ticks, players=players, hecklers=0, npcs=200, nodes=512, rate=1.0,
        trouble_s=trouble_s, on_files=True, mix=Scenario().mix,
    )  # fmt: skip


def record(folder: Path, ticks: int, players: int) -> tuple[Simulation, Path]:
    """Run to the end; return the simulation, its log closed, and the log's file."""
    simulation = Unwatched(plan_of(ticks=ticks, players=players), folder)
    simulation.run()
    simulation.close()
    assert isinstance(simulation.disk, FileDisk)
    return simulation, simulation.disk.path
