"""A world that is killed with SIGKILL, again and again; ``test_sigkill`` starts it.

This process only forks and kills: each life of the world is a fork that opens the log,
recovers, and ticks as fast as it can until it is killed. What it has made durable it tells
over a pipe, as the real one acknowledges its players.
"""

import os
import signal
import struct
import sys
import time
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from engine.protocol.limits import NODE_ID_BASE, NPC_ID_BASE, PLAYER_ID_BASE
from engine.store.base import TickRecord
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import WorldConfig

CONFIG = WorldConfig(seed=13, npcs=60, nodes=60, capacity=400)
PLAYERS = 60
CHECKPOINT_TICKS = 7
"""Often, so that every few kills hit a checkpoint being written."""
LIFE_S_MAX = 0.06
_ACKED = struct.Struct("<qq32s")
"""Tick, its last event, its state hash: written whole, as less than a pipe's atomic size."""


class Killed(Struct, frozen=True):
    """What was seen of all lives.

    Attributes:
        lives: How often the world was killed.
        acknowledged: Tick, last event and state hash in hex, as each was told durable.
        began_at: The tick with which each life began.
    """

    lives: int
    acknowledged: list[tuple[int, int, str]]
    began_at: list[int]


def live(path: Path, told: int) -> None:
    """Be the world: recover, then tick without end."""
    store = SqliteStore(path)
    world = recover(store, CONFIG).world
    _tell(told, world.tick - 1, world.next_seq - 1, world.hash)
    restarted = world.tick > 0
    while True:
        inputs = inputs_at(world.tick, restarted)
        restarted = False
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
        _tell(told, result.tick, world.next_seq - 1, result.hash)
        if world.tick % CHECKPOINT_TICKS == 0:
            store.checkpoint(world.tick, world.checkpoint())


def inputs_at(tick: int, restarted: bool) -> TickInputs:
    """Return what comes into a tick; the same however often the world died before it."""
    chance = Random(f"inputs {tick}")
    everybody = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(PLAYERS)]
    rows = [
        (
            PLAYER_ID_BASE + n,
            tick + 1,
            chance.randrange(6),
            chance.randrange(65_536),
            chance.randrange(65_536),
            chance.choice((NPC_ID_BASE, NODE_ID_BASE, PLAYER_ID_BASE)) + chance.randrange(60),
            chance.randrange(-3, 4),
        )
        for n in range(PLAYERS)
        if chance.random() < 0.5
    ]
    texts = dict.fromkeys(range(len(rows)), f"tick {tick}")
    return TickInputs.of(rows, texts=texts, joins=everybody, restarted=restarted)


def _tell(pipe: int, tick: int, seq: int, state_hash: bytes) -> None:
    os.write(pipe, _ACKED.pack(tick, seq, state_hash))


def kill_one(path: Path, chance: Random) -> list[tuple[int, int, str]]:
    """Let the world live for a moment and kill it; return what it told, in order."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            live(path, writing)
        except BaseException as problem:  # noqa: BLE001 - a fork must never go on as its parent
            sys.stderr.write(f"the world died by itself: {type(problem).__name__}: {problem}\n")
        finally:
            os._exit(3)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        # It lives from its first word on: recovered, or dead by itself.
        data = told.read(_ACKED.size)
        time.sleep(chance.uniform(0.0, LIFE_S_MAX))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        data += told.read()
    if not os.WIFSIGNALED(status):
        raise SystemExit("the world did not wait to be killed")
    whole = len(data) - len(data) % _ACKED.size
    words = _ACKED.iter_unpack(data[:whole])
    return [(tick, seq, state_hash.hex()) for tick, seq, state_hash in words]


def main() -> int:
    """Kill the world as often as is asked for; tell what was seen as JSON on stdout."""
    folder, seed, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = Random(seed)
    acknowledged: list[tuple[int, int, str]] = []
    began_at: list[int] = []
    for _ in range(times):
        words = kill_one(folder / "events.db", chance)
        began_at.append(words[0][0] + 1)
        acknowledged += words
    sys.stdout.write(msgspec.json.encode(Killed(times, acknowledged, began_at)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
