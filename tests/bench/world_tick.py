"""A tick with 10,000 commands: govern, step, react, hash, append, encode.

Of 10,000 entities, and of 100,000.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from engine.protocol.limits import CELLS, PLAYER_ID_BASE, POSITION_MAX
from engine.store.base import TickRecord
from engine.store.sqlite import SqliteStore
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.world import World, WorldConfig
from tests.bench.base import Bench, Figure, at_most, percentile, told

COMMANDS = 10_000
NPCS = 200
NODES = 400
SIZES = ((10_000, "", 15.0), (100_000, "_100k", 40.0))
"""Entities, what the names of the figures end with, and the budget in ms."""
TICKS = 120
WARM_UP = 20


def _inputs(random: np.random.Generator, world: World, tick: int, players: int) -> TickInputs:
    """Return 10,000 commands: mostly moves, the rest on neighbours that may be out of reach."""
    count = COMMANDS
    intents = np.zeros(count, INTENT_DTYPE)
    nth = tick * count + np.arange(count)
    intents["player"] = PLAYER_ID_BASE + nth % players
    intents["seq"] = 1 + nth // players
    intents["kind"] = random.choice(6, count, p=[0.55, 0.15, 0.12, 0.05, 0.03, 0.10])
    rows = np.searchsorted(world.state.id[: world.state.count], intents["player"])
    for axis in ("x", "y"):
        here = getattr(world.state, axis)[rows]
        intents[axis] = np.clip(here + random.integers(-100, 101, count), 0, POSITION_MAX)
    intents["target"] = PLAYER_ID_BASE + random.integers(0, players, count)
    intents["amount"] = random.integers(-3, 4, count)
    return TickInputs(intents)


def _run() -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for entities, suffix, budget_ms in SIZES:
        figures |= _ticks(entities, suffix, budget_ms)
    return figures


def _ticks(entities: int, suffix: str, budget_ms: float) -> dict[str, Figure]:
    random = np.random.default_rng(7)
    players = entities - NPCS - NODES
    config = WorldConfig(seed=7, npcs=NPCS, nodes=NODES, capacity=2 * entities)
    world = World.create(config)
    joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(players)]
    arrivals = TickInputs(np.zeros(0, INTENT_DTYPE), joins=joins)
    first = world.step(arrivals)
    ticks_ms: list[float] = []
    phases: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        store = SqliteStore(Path(folder) / "events.db")
        store.append(TickRecord.of(first, arrivals))
        for tick in range(TICKS):
            inputs = _inputs(random, world, tick, players)
            spent: dict[str, float] = {}
            last = begun = time.perf_counter()

            def lap(phase: str, spent: dict[str, float] = spent) -> None:
                nonlocal last
                now = time.perf_counter()
                spent[phase] = spent.get(phase, 0.0) + now - last
                last = now

            result = world.step(inputs, lap)
            record = TickRecord.of(result, inputs)
            store.append(record)
            lap("append")
            frames = world.frames()
            for cell in range(CELLS):
                frames.frame(cell)
            lap("encode")
            if tick >= WARM_UP:
                ticks_ms.append((time.perf_counter() - begun) * 1000)
                for phase, seconds in spent.items():
                    phases.setdefault(phase, []).append(seconds * 1000)
        store.close()
    figures = {
        f"tick_ms_p50{suffix}": told(percentile(ticks_ms, 50), "ms"),
        f"tick_ms_p99{suffix}": at_most(percentile(ticks_ms, 99), budget_ms, "ms"),
    }
    for phase, times in phases.items():
        figures[f"{phase}_ms_p50{suffix}"] = told(percentile(times, 50), "ms")
    return figures


BENCH = Bench("world_tick", _run)
