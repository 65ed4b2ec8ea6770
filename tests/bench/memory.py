"""Memory of world, shell, gateway, store and squad over 100,000 ticks on simulated time."""

import gc
import tempfile
from pathlib import Path

from engine.server.figures import rss_mb
from tests.bench.base import Bench, Figure, at_most, told
from tests.sim.plan import Plan
from tests.sim.unwatched import Unwatched

TICKS = 100_000
FIRST_TICKS = 10_000
PLAN = Plan(
    seed=7, ticks=TICKS, players=6, hecklers=1, npcs=60, nodes=60, rate=2.0, trouble_s=0.0,
    on_files=True,
)  # fmt: skip


def _run() -> dict[str, Figure]:
    seen_mb: list[float] = []

    def look() -> None:
        gc.collect()
        seen_mb.append(rss_mb())

    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        simulation = Unwatched(PLAN, Path(folder))
        simulation.look_every(FIRST_TICKS, look)
        simulation.run()
        ticks = simulation.durable
        log_mb = simulation.store.size_bytes / 1e6
        simulation.close()
    first_mb, most_mb = seen_mb[0], max(seen_mb[1:])
    return {
        "rss_growth_pct": at_most((most_mb / first_mb - 1) * 100, 5, "%"),
        "rss_mb_first_10000": told(first_mb, "MB"),
        "rss_mb_most_after": told(most_mb, "MB"),
        "ticks": told(ticks, "ticks"),
        "log_mb": told(log_mb, "MB"),
    }


BENCH = Bench("memory", _run)
