"""Durable events a second, sustained over a million, a tick of some 10,000 at a time.

What is appended is what a world gives: every tick another one, with inputs, audit and texts.
"""

import tempfile
import time
from pathlib import Path

from engine.store.base import TickRecord
from engine.store.sqlite import SqliteStore
from engine.world.world import World
from tests.bench._crowd import CONFIG, Crowd
from tests.bench.base import Bench, Figure, at_least, at_most, percentile, told

EVENTS = 1_000_000


def _records() -> list[TickRecord]:
    world = World.create(CONFIG)
    crowd = Crowd(world)
    records: list[TickRecord] = []
    while world.next_seq <= EVENTS:
        inputs = crowd.inputs()
        records.append(TickRecord.of(world.step(inputs), inputs))
    return records


def _run() -> dict[str, Figure]:
    records = _records()
    events = records[-1].last_seq
    spent_ms: list[float] = []
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        path = Path(folder) / "events.db"
        store = SqliteStore(path)
        for record in records:
            begun = time.perf_counter()
            store.append(record)
            spent_ms.append((time.perf_counter() - begun) * 1000)
        store.close()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {
        "events_per_s": at_least(events / sum(spent_ms) * 1000, 400_000, "events/s"),
        "append_ms_p50": told(percentile(spent_ms, 50), "ms"),
        "append_ms_p99": told(percentile(spent_ms, 99), "ms"),
        "bytes_per_event": at_most(size / events, 60, "bytes"),
        "events": told(events, "events"),
    }


BENCH = Bench("durable_append", _run)
