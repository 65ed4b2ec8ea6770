"""Durable events a second, sustained over a million, a tick of 10,000 events at a time."""

import tempfile
import time
from pathlib import Path

import numpy as np

from engine.store.base import TickRecord
from engine.store.sqlite import SqliteStore
from engine.world.events import EVENT_DTYPE, EventBlock
from engine.world.inputs import INTENT_DTYPE, TickInputs
from tests.bench.base import Bench, Figure, at_least, at_most

EVENTS = 1_000_000
A_TICK = 10_000
TICKS_MADE = 20


def _tick_rows(seed: int) -> np.ndarray:
    """Return a tick's events as a busy world makes them: few kinds, many actors."""
    random = np.random.default_rng(seed)
    rows = np.zeros(A_TICK, EVENT_DTYPE)
    rows["kind"] = random.integers(3, 14, A_TICK)
    for column in ("stream", "actor", "target"):
        rows[column] = 1_000_000 + random.integers(0, 10_000, A_TICK)
    rows["version"] = random.integers(1, 5_000, A_TICK)
    rows["a"] = random.integers(0, 65_536, A_TICK)
    rows["b"] = random.integers(0, 65_536, A_TICK)
    rows["correlation"] = rows["actor"].astype("u8") << np.uint64(32)
    return rows


def _run() -> dict[str, Figure]:
    ticks = [_tick_rows(seed) for seed in range(TICKS_MADE)]
    inputs = TickInputs(np.zeros(0, INTENT_DTYPE))
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        path = Path(folder) / "events.db"
        store = SqliteStore(path)
        begun = time.perf_counter()
        for tick in range(EVENTS // A_TICK):
            rows = ticks[tick % TICKS_MADE]
            block = EventBlock(1 + tick * A_TICK, rows, {})
            record = TickRecord(
                tick, block.first_seq, A_TICK, inputs.pack(), block.to_log(), bytes(32)
            )
            store.append(record)
        seconds = time.perf_counter() - begun
        store.close()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {
        "events_per_s": at_least(EVENTS / seconds, 400_000, "events/s"),
        "bytes_per_event": at_most(size / EVENTS, 60, "bytes"),
    }


BENCH = Bench("durable_append", _run)
