"""Questions about a log of a million events, while its world goes on and the indexer works.

A real world of 1,000 players that meet, fight, gather and trade stores the log, in a process of
its own; the real indexer process makes the index. Then the world goes on at ten ticks a second,
and questions are answered in a thread, as the hub does.
"""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from engine.history.past import Past
from engine.hub.placement import Child, ProcessPlacement
from engine.protocol.archive import IndexerReady, IndexerSpec, IndexReport
from engine.protocol.child import Quit
from engine.protocol.events import correlation_of
from engine.protocol.limits import (
    CHECKPOINT_TICKS,
    INDEX_SEGMENT_EVENTS,
    PLAYER_ID_BASE,
    POSITION_MAX,
)
from engine.store.base import TickRecord
from engine.store.finding import Finder
from engine.store.search import Wanted, search
from engine.store.sqlite import SqliteStore
from engine.store.why import read_chain
from engine.world.inputs import INTENT_DTYPE, TickInputs
from engine.world.state import ZONE_UNITS
from engine.world.world import World, WorldConfig
from tests.bench.base import Bench, Figure, at_most, percentile, told

EVENTS = 1_000_000
PLAYERS = 1_000
INTENTS = 120
CONFIG = WorldConfig(seed=7, npcs=200, nodes=512, capacity=3_000)
ASKED = 150
PAGE = 50


class _Run:
    """A world with its log, and commands for it."""

    def __init__(self, path: Path) -> None:
        self._random = np.random.default_rng(7)
        self._seqs = np.zeros(PLAYERS, np.int64)
        self.world = World.create(CONFIG)
        self.store = SqliteStore(path)
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(PLAYERS)]
        self._take(TickInputs(np.zeros(0, INTENT_DTYPE), joins=joins))

    def step(self) -> None:
        """Run and store a tick: players go to the middle of their zone and deal with each other."""
        random, state = self._random, self.world.state
        who = random.choice(PLAYERS, INTENTS, replace=False)
        self._seqs[who] += 1
        intents = np.zeros(INTENTS, INTENT_DTYPE)
        intents["player"] = PLAYER_ID_BASE + who
        intents["seq"] = self._seqs[who]
        intents["kind"] = random.choice(6, INTENTS, p=[0.5, 0.2, 0.12, 0.08, 0.02, 0.08])
        rows = state.rows_of(intents["player"])
        for axis in ("x", "y"):
            here = getattr(state, axis)[rows]
            middle = here // ZONE_UNITS * ZONE_UNITS + ZONE_UNITS // 2
            step = np.clip(middle - here, -400, 400) + random.integers(-90, 91, INTENTS)
            intents[axis] = np.clip(here + step, 0, POSITION_MAX)
        order = np.argsort(state.cell[: state.count], kind="stable")
        place = np.argsort(order)[rows] + random.choice((-2, -1, 1, 2), INTENTS)
        intents["target"] = state.id[order[np.clip(place, 0, state.count - 1)]]
        intents["amount"] = random.integers(-3, 4, INTENTS)
        self._take(TickInputs(intents))
        if self.world.tick % CHECKPOINT_TICKS == 0:
            self.store.checkpoint(self.world.tick, self.world.checkpoint())

    def _take(self, inputs: TickInputs) -> None:
        self.store.append(TickRecord.of(self.world.step(inputs), inputs))


async def _index(child: Child, spec: IndexerSpec, last_seq: int) -> float:
    """Have the indexer come to an event and return the seconds it took."""
    child.channel.post(spec)
    assert isinstance(await child.channel.receive(), IndexerReady)
    begun_s = time.perf_counter()
    while True:
        report = await child.channel.receive()
        if isinstance(report, IndexReport) and report.position >= last_seq:
            return time.perf_counter() - begun_s


async def _ask(ask: Callable[[int], object]) -> list[float]:
    """Ask a question of many things and return the milliseconds that each took."""
    random, spent = np.random.default_rng(3), []
    for number in random.integers(0, 2**31, ASKED).tolist():
        begun = time.perf_counter()
        await asyncio.to_thread(ask, number)
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


def _live(path: Path, hub: Connection) -> None:
    """Store a million events, say so, and go on at the world's pace until told to stop."""
    run = _Run(path)
    while run.world.next_seq <= EVENTS:
        run.step()
    hub.send(run.world.next_seq - 1)
    due_s = time.perf_counter()
    while not hub.poll(max(0.0, due_s - time.perf_counter())):
        run.step()
        due_s = max(due_s + 0.1, time.perf_counter())
    run.store.close()


def _roots(path: Path, last_seq: int) -> list[int]:
    """Return events with effects, from everywhere in the log."""
    random, found = np.random.default_rng(5), []
    with Finder(path) as log:
        for seq in random.integers(1, last_seq, 400).tolist():
            tick = log.holding(seq)
            causes = tick.rows["cause"] if tick is not None else np.zeros(0)
            found += causes[causes > 0][:1].tolist()
    return found


async def _measure(folder: Path) -> dict[str, Figure]:
    log, index = folder / "events.db", folder / "index.db"
    ours, theirs = multiprocessing.Pipe()
    world = multiprocessing.get_context("spawn").Process(target=_live, args=(log, theirs))
    world.start()
    child = await ProcessPlacement().start("indexer", print)
    try:
        last_seq = int(await asyncio.to_thread(ours.recv))
        # What is left for the next segment is searched in the log itself.
        up_to = last_seq - INDEX_SEGMENT_EVENTS
        seconds = await _index(child, IndexerSpec(str(log), str(index)), up_to)
        return await _figures(log, index, last_seq, last_seq / seconds)
    finally:
        ours.send("stop")
        child.channel.post(Quit())
        await child.wait()
        await child.channel.aclose()
        await asyncio.to_thread(world.join)


async def _figures(log: Path, index: Path, last_seq: int, per_s: float) -> dict[str, Figure]:
    roots = _roots(log, last_seq)
    with Finder(log) as finder:
        last = finder.last()
    assert last is not None

    def player(number: int) -> int:
        return PLAYER_ID_BASE + number % PLAYERS

    def find(newest: bool, *terms: tuple[str, int]) -> object:
        wanted = Wanted(tuple((term,) for term in terms))
        return search(log, index, wanted, PAGE, newest=newest)

    spent = {
        "chain": await _ask(lambda n: read_chain(log, index, roots[n % len(roots)])),
        "chain_any": await _ask(lambda n: read_chain(log, index, 1 + n % last_seq)),
        "stream_newest": await _ask(lambda n: find(True, ("stream", player(n)))),
        "stream_oldest": await _ask(lambda n: find(False, ("stream", player(n)))),
        "correlation": await _ask(
            lambda n: find(False, ("correlation", correlation_of(player(n), 1 + n % 500)))
        ),
        "actor_and_kind": await _ask(lambda n: find(True, ("actor", player(n)), ("kind", 4))),
    }
    past = Past(log, CONFIG)
    then = await _ask(lambda n: past.after(n % last.tick, ("id", "hp")))
    bytes_each = {path: path.stat().st_size / last.seq for path in (log, index)}
    return {
        **{f"{name}_ms_p99": at_most(percentile(ms, 99), 50, "ms") for name, ms in spent.items()},
        "at_tick_ms_p50": told(percentile(then, 50), "ms"),
        "at_tick_ms_p99": at_most(percentile(then, 99), 250, "ms"),
        "index_events_per_s": told(per_s, "events/s"),
        "index_bytes_per_event": told(bytes_each[index], "bytes"),
        "log_bytes_per_event": told(bytes_each[log], "bytes"),
    }


def _run() -> dict[str, Figure]:
    with tempfile.TemporaryDirectory(prefix="seedstorm-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


BENCH = Bench("queries", _run)
