"""What a world and its players keep does not grow with the length of a run."""

import gc
import sys
from pathlib import Path

from engine.store.base import TickRecord
from tests.sim.plan import Plan
from tests.sim.unwatched import Unwatched

FIRST, LAST = 1_600, 3_200
"""By the first, what is bounded is full: rings, caches, the newest answers."""
BLOCKS_PER_TICK_MAX = 0.25
"""Python's allocated blocks: keeping one small object for each tick would be 1."""
PLAN = Plan(
    seed=7, ticks=LAST + 1, players=4, hecklers=1, npcs=20, nodes=20, rate=2.0, trouble_s=0.0,
    on_files=True,
)  # fmt: skip


class Hoarder(Unwatched):
    """Keeps a little for every tick."""

    def _stored(self, record: TickRecord) -> None:
        self.evidence.hashes[record.tick] = record.hash


def _grown_per_tick(simulation: Unwatched) -> float:
    kept: list[int] = []

    def look() -> None:
        gc.collect()
        kept.append(sys.getallocatedblocks())

    simulation.look_every(FIRST, look)
    simulation.run()
    simulation.close()
    return (kept[1] - kept[0]) / (LAST - FIRST)


def test_a_longer_run_keeps_no_more(tmp_path: Path) -> None:
    assert _grown_per_tick(Unwatched(PLAN, tmp_path)) < BLOCKS_PER_TICK_MAX


def test_what_is_kept_for_every_tick_is_noticed(tmp_path: Path) -> None:
    assert _grown_per_tick(Hoarder(PLAN, tmp_path)) > 3 * BLOCKS_PER_TICK_MAX
