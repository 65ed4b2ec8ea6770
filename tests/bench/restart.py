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
from contextlib import closing
from pathlib import Path

from engine.server.shell import checkpoint_is_due
from engine.store.base import TickRecord
from engine.store.reading import LogFile
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
    crowd, saved_seq = Crowd(world), 0
    while world.next_seq <= EVENTS:
        inputs = crowd.inputs()
        store.append(TickRecord.of(world.step(inputs), inputs))
        # As the world's shell does, but the last one is missing: killed right before it.
        is_due = checkpoint_is_due(world.tick, world.next_seq - saved_seq)
        if is_due and world.next_seq <= EVENTS:
            store.checkpoint(world.tick, world.checkpoint())
            saved_seq = world.next_seq
    os.kill(os.getpid(), signal.SIGKILL)


def go_on(path: str) -> None:
    """Recover the world, take one more tick, and say how long it took."""
    begun = time.perf_counter()
    store = SqliteStore(Path(path))
    recovered = recover(store, CONFIG)
    world = recovered.world
    stepped = world.tick - recovered.from_tick
    inputs = Crowd(world).inputs()
    store.append(TickRecord.of(world.step(inputs), inputs))
    print(time.perf_counter() - begun, stepped, world.next_seq - 1)


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
        begun = time.perf_counter()
        with closing(LogFile(Path(path))) as log:
            ticks = log.inspect().ticks
        inspect_s = time.perf_counter() - begun
    recover_s, stepped, events = (float(word) for word in again.stdout.split())
    return {
        "process_to_next_tick_s": at_most(seconds, 2, "s"),
        "recover_s": told(recover_s, "s"),
        "of_it_inspect_s": told(inspect_s, "s"),
        "ticks": told(ticks, "ticks"),
        "ticks_stepped_again": told(stepped, "ticks"),
        "events": told(events, "events"),
    }


BENCH = Bench("restart", _run)
