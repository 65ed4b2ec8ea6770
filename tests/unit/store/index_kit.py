"""A log of a small busy world, and its index."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.protocol.events import Event
from engine.protocol.limits import NODE_ID_BASE, NPC_ID_BASE, PLAYER_ID_BASE
from engine.store.base import TickRecord
from engine.store.finding import Finder
from engine.store.index import Index
from engine.store.sqlite import SqliteStore
from engine.world.events import TickEvents, to_events
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

PLAYERS = 12
SPOT = 36_864


class Busy:
    """A world whose players fight, trade and gather on one spot, with its log.

    Attributes:
        store: The log, still being written.
        events: Every event so far, by ``seq - 1``.
    """

    def __init__(self, folder: Path, seed: int = 5) -> None:
        self.path = folder / "events.db"
        self.index_path = folder / "index.db"
        self.store = SqliteStore(self.path)
        self.events: list[Event] = []
        self._chance = np.random.default_rng(seed)
        self._world = World.create(WorldConfig(seed=seed, npcs=20, nodes=6, capacity=60))
        self._seq = 0
        names = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(PLAYERS)]
        self.step(TickInputs.of(joins=names))
        # Everybody within reach of everybody, some near death: a log is not stepped again here.
        state = self._world.state
        rows = np.arange(state.count)
        state.place(rows, SPOT + rows * 9, SPOT - rows * 7)
        state.hp[rows] = np.minimum(state.hp[rows], 5 + rows % 9 * 6)

    def step(self, inputs: TickInputs | None = None) -> None:
        """Run and store a tick."""
        taken = self._orders() if inputs is None else inputs
        result = self._world.step(taken)
        self.store.append(TickRecord.of(result, taken))
        self.events += to_events(result.events, result.tick)

    def run(self, ticks: int) -> None:
        """Run and store some ticks."""
        for _ in range(ticks):
            self.step()

    def _orders(self) -> TickInputs:
        self._seq += 1
        chance = self._chance
        rows = []
        for number in range(PLAYERS):
            near = [
                PLAYER_ID_BASE + int(chance.integers(PLAYERS)),
                NPC_ID_BASE + int(chance.integers(20)),
                NODE_ID_BASE + int(chance.integers(6)),
            ]
            kind = int(chance.choice(5, p=[0.4, 0.3, 0.1, 0.1, 0.1]))
            x, y = SPOT + int(chance.integers(-100, 100)), SPOT
            target = near[int(chance.integers(3))]
            rows.append((PLAYER_ID_BASE + number, self._seq, kind, x, y, target, 1, 0))
        width = len(TickInputs.of().intents.dtype)
        return TickInputs.of([row[:width] for row in rows])

    def close(self) -> None:
        """Close the log."""
        self.store.close()


def ticks_of(path: Path) -> list[TickEvents]:
    """Return every tick with events of a log."""
    with Finder(path) as log:
        return list(log.onward(0))


def fill(index: Index, path: Path, *, up_to: int, ticks_each: int) -> None:
    """Index a log up to an event, so many ticks a segment, and merge."""
    with Finder(path) as log:
        for some in _some(list(log.onward(index.position)), ticks_each):
            if some[-1].last_seq > up_to:
                return
            seal = log.seal(some[-1].tick)
            assert seal is not None
            index.add(some, some[-1].tick, seal[1])
            while index.merge():
                pass


def make_index(busy: Busy, *, up_to: int = 2**40, ticks_each: int = 2) -> None:
    """Make the index of a busy world's log, up to an event."""
    with Finder(busy.path) as log:
        index = Index(busy.index_path, log)
    fill(index, busy.path, up_to=up_to, ticks_each=ticks_each)
    index.close()


def _some(ticks: list[TickEvents], each: int) -> Iterator[list[TickEvents]]:
    for first in range(0, len(ticks), each):
        yield ticks[first : first + each]
