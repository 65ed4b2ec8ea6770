"""What it costs to ask after every tick whether the world is still true, of each invariant.

Every one is checked in full in every tick, with 10,000 commands in it.
"""

import time

import numpy as np

from engine.protocol.limits import PLAYER_ID_BASE
from engine.world import oracle
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.invariants.base import Scene
from engine.world.turn import Turn
from engine.world.world import World, WorldConfig
from tests.bench.base import Bench, Figure, at_most, median, told
from tests.bench.world_tick import NODES, NPCS, _inputs

SIZES = ((10_000, "", 0.6), (100_000, "_100k", 3.0))
"""Entities, what the names of the figures end with, and the budget of all in ms."""
TICKS = 60
WARM_UP = 10


class _Watch(oracle.Oracle):
    """An oracle that takes the time of each invariant."""

    def __init__(self) -> None:
        super().__init__(oracle.find_invariants(), {})
        self.spent_ms: dict[str, list[float]] = {"all": []}

    def look(self, turn: Turn, scene: Scene) -> None:
        begun = time.perf_counter()
        super().look(turn, scene)
        self.spent_ms["all"].append((time.perf_counter() - begun) * 1000)
        for invariant in self._invariants:
            begun = time.perf_counter()
            broken = invariant.check(scene)
            took_ms = (time.perf_counter() - begun) * 1000
            assert broken is None, broken
            self.spent_ms.setdefault(invariant.name, []).append(took_ms)


def _run() -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for entities, suffix, budget_ms in SIZES:
        random = np.random.default_rng(7)
        players = entities - NPCS - NODES
        config = WorldConfig(seed=7, npcs=NPCS, nodes=NODES, capacity=2 * entities)
        world = World.create(config)
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(players)]
        world.step(TickInputs(np.zeros(0, INTENT_DTYPE), joins=joins))
        watch = world._oracle = _Watch()
        for tick in range(TICKS):
            world.step(_inputs(random, world, tick, players))
        for name, times in watch.spent_ms.items():
            figure = median(times[WARM_UP:])
            made = at_most(figure, budget_ms, "ms") if name == "all" else told(figure, "ms")
            figures[f"{name}{suffix}_ms_p50"] = made
    return figures


BENCH = Bench("invariants", _run)
