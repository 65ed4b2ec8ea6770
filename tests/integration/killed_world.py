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
from engine.store.reading import read_last
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import WorldConfig

CONFIG = WorldConfig(seed=13, npcs=60, nodes=60, capacity=400)
PLAYERS = 60
CHECKPOINT_TICKS = 7
"""Often, so that every few kills hit a checkpoint being written."""
LIFE_S_MAX = 0.06
EARLY_SHARE = 0.3
"""Of the lives: killed at some time after the fork, whether they have said a word or not."""
OPENING_S = 0.03
"""Guess for the time from a fork to its first word, until one was seen."""
_ACKED = struct.Struct("<qq32s")
"""Tick, its last event, its state hash: written whole, as less than a pipe's atomic size."""


class Killed(Struct, frozen=True):
    """What was seen of all lives.

    Attributes:
        lives: How often the world was killed.
        wordless: How often it was killed while it opened its log and recovered.
        acknowledged: Tick, last event and state hash in hex, as each was told durable.
        anew: Why an index was thrown away, a line each time.
    """

    lives: int
    wordless: int
    acknowledged: list[tuple[int, int, str]]
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
    while read_last(path) is None:
        time.sleep(0.001)  # as the hub starts it: when there is a world
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


class Killer:
    """Lets the world and its indexer live for a moment and kills both, again and again.

    Args:
        path: The world's log.
        seed: Of the moments.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._chance = Random(seed)
        self._opening_s = OPENING_S

    def kill_one(self) -> tuple[list[tuple[int, int, str]], str]:
        """Kill one life.

        Returns:
            What the world told, in order: nothing when it had not come so far; and why an index
            was thrown away.
        """
        chance, data, begun_s = self._chance, b"", time.monotonic()
        is_early = chance.random() < EARLY_SHARE
        world = Fork(lambda told: live(self._path, told))
        if not is_early:
            # It lives from its first word on: recovered, or dead by itself.
            data = world.told.read(_ACKED.size)
            self._opening_s = time.monotonic() - begun_s
        indexer = Fork(lambda told: build_index(self._path, told))
        # Measured: on any machine the early ones die before, amid and after recovery.
        time.sleep(chance.uniform(0.0, 1.2 * self._opening_s if is_early else LIFE_S_MAX))
        if chance.random() < 0.5:
            anew = indexer.kill()
            time.sleep(chance.uniform(0.0, 0.0 if is_early else LIFE_S_MAX / 4))
            data += world.kill()
        else:
            data += world.kill()
            time.sleep(chance.uniform(0.0, LIFE_S_MAX / 4))
            anew = indexer.kill()
        whole = len(data) - len(data) % _ACKED.size
        words = _ACKED.iter_unpack(data[:whole])
        return [(tick, seq, state_hash.hex()) for tick, seq, state_hash in words], anew.decode()


def main() -> int:
    """Kill the world as often as is asked for; tell what was seen as JSON on stdout."""
    folder, seed, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    killer = Killer(folder / "events.db", seed)
    acknowledged: list[tuple[int, int, str]] = []
    wordless, anew = 0, ""
    for _ in range(times):
        words, why = killer.kill_one()
        wordless += not words
        acknowledged += words
        anew += why
    sys.stdout.write(msgspec.json.encode(Killed(times, wordless, acknowledged, anew)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
