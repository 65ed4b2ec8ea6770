"""A world that is killed with SIGKILL, again and again; ``test_sigkill`` starts it.

This process only forks and kills: each life of the world is a fork that opens the log,
recovers, and ticks as fast as it can until it is killed. What it has made durable it tells
over a pipe, as the real one acknowledges its players. Beside it an indexer is at work, and
is killed as well.
"""

import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from engine.indexer.work import Indexer
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
        anew: Why an index was thrown away, a line each time.
    """

    lives: int
    acknowledged: list[tuple[int, int, str]]
    began_at: list[int]
    anew: str


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


def build_index(path: Path, told: int) -> None:
    """Be the indexer: index whatever there is, in pieces as small as they come."""
    indexer = Indexer(path, index_of(path), lambda why: _say(told, why))
    while True:
        indexer.step(time.monotonic(), at_once=True)


def index_of(path: Path) -> Path:
    """Return where the log's index is."""
    return path.with_name("index.db")


def _say(pipe: int, text: str) -> None:
    os.write(pipe, text.encode() + b"\n")


class Fork:
    """A process that does something without end, until it is killed.

    Args:
        work: Takes the descriptor of a pipe that is read here.
    """

    def __init__(self, work: Callable[[int], None]) -> None:
        reading, writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(reading)
            try:
                work(writing)
            except BaseException as problem:  # noqa: BLE001 - a fork must never go on as its parent
                sys.stderr.write(f"it died by itself: {type(problem).__name__}: {problem}\n")
            finally:
                os._exit(3)
        os.close(writing)
        self.told = os.fdopen(reading, "rb")

    def kill(self) -> bytes:
        """Kill it; return what it told before and was not yet read."""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        with self.told:
            rest = self.told.read()
        if not os.WIFSIGNALED(status):
            raise SystemExit("a process did not wait to be killed")
        return rest


def kill_one(path: Path, chance: Random) -> tuple[list[tuple[int, int, str]], str]:
    """Let the world and its indexer live for a moment and kill both.

    Returns:
        What the world told, in order, and why an index was thrown away.
    """
    world = Fork(lambda told: live(path, told))
    # It lives from its first word on: recovered, or dead by itself.
    data = world.told.read(_ACKED.size)
    indexer = Fork(lambda told: build_index(path, told))
    time.sleep(chance.uniform(0.0, LIFE_S_MAX))
    anew = ""
    if chance.random() < 0.5:
        anew = indexer.kill().decode()
        time.sleep(chance.uniform(0.0, LIFE_S_MAX / 4))
        data += world.kill()
    else:
        data += world.kill()
        time.sleep(chance.uniform(0.0, LIFE_S_MAX / 4))
        anew = indexer.kill().decode()
    whole = len(data) - len(data) % _ACKED.size
    words = _ACKED.iter_unpack(data[:whole])
    return [(tick, seq, state_hash.hex()) for tick, seq, state_hash in words], anew


def main() -> int:
    """Kill the world as often as is asked for; tell what was seen as JSON on stdout."""
    folder, seed, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = Random(seed)
    acknowledged: list[tuple[int, int, str]] = []
    began_at: list[int] = []
    anew = ""
    for _ in range(times):
        words, why = kill_one(folder / "events.db", chance)
        began_at.append(words[0][0] + 1)
        acknowledged += words
        anew += why
    sys.stdout.write(msgspec.json.encode(Killed(times, acknowledged, began_at, anew)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
