"""A world with a million events is killed: how long until the next one has its next tick.

Timed is a new process, from its first instruction on: it looks the log through, restores the
newest checkpoint, steps what came after it again, and takes one more tick.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.server.shell import CHECKPOINT_TICKS
from engine.store.base import TickRecord
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.world import World
from tests.bench._crowd import CONFIG, Crowd
from tests.bench.base import Bench, Figure, at_most, told

EVENTS = 1_000_000
_WRITE = "import sys; from tests.bench import restart; restart.write(sys.argv[1])"
_GO_ON = "import sys; from tests.bench import restart; restart.go_on(sys.argv[1])"


def write(path: str) -> None:
    """Write a million events and die by signal 9, with the log as it is then."""
    store, world = SqliteStore(Path(path)), World.create(CONFIG)
    crowd = Crowd(world)
    while world.next_seq <= EVENTS:
        inputs = crowd.inputs()
        store.append(TickRecord.of(world.step(inputs), inputs))
        if world.tick % CHECKPOINT_TICKS == 0:
            store.checkpoint(world.tick, world.checkpoint())
    os.kill(os.getpid(), signal.SIGKILL)


def go_on(path: str) -> None:
    """Recover the world, take one more tick, and say what was how long."""
    begun = time.perf_counter()
    store = SqliteStore(Path(path))
    found = store.inspect()
    inspected = time.perf_counter()
    recovered = recover(store, CONFIG)
    world = recovered.world
    inputs = Crowd(world).inputs()
    store.append(TickRecord.of(world.step(inputs), inputs))
    done = time.perf_counter()
    print(inspected - begun, done - inspected, found.ticks, world.next_seq - 1)


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        path = str(Path(folder) / "events.db")
        done = subprocess.run([sys.executable, "-c", _WRITE, path], check=False)
        if done.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the world to be killed ended with {done.returncode}")
        begun = time.perf_counter()
        again = subprocess.run(
            [sys.executable, "-c", _GO_ON, path], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - begun
    inspect_s, recover_s, ticks, events = (float(word) for word in again.stdout.split())
    return {
        "process_to_next_tick_s": at_most(seconds, 2, "s"),
        "inspect_s": told(inspect_s, "s"),
        "recover_s": told(recover_s, "s"),
        "ticks": told(ticks, "ticks"),
        "events": told(events, "events"),
    }


BENCH = Bench("restart", _run)
