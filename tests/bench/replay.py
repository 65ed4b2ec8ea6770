"""Verifying a recorded minute of 1,000 players: every tick again, every hash compared."""

import tempfile
import time
from pathlib import Path

from engine.store.reading import LogFile
from engine.store.verify import verify
from tests.bench.base import Bench, Figure, at_least, at_most, told
from tests.sim.unwatched import record

PLAYERS = 1_000
TICKS = 600
TRIES = 3


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        simulation, path = record(Path(folder), TICKS, PLAYERS)
        config = simulation.evidence.config
        log = LogFile(path)
        seconds = []
        for _ in range(TRIES):
            begun_s = time.perf_counter()
            done = verify(log, config)
            seconds.append(time.perf_counter() - begun_s)
        log.close()
    ticks_per_s = done.ticks / min(seconds)
    return {
        "times_real": at_least(ticks_per_s * config.interval_ms / 1000, 20, "x"),
        "ticks_per_s": told(ticks_per_s, "ticks/s"),
        "differences": at_most(int(not done.equal), 0, "runs"),
        "events": told(done.events, "events"),
        "verdicts": told(done.verdicts, "verdicts"),
    }


BENCH = Bench("replay", _run)
