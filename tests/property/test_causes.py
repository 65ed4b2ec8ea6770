"""Causes come before effects, whatever happens: joins, leaves, restarts, cascades that spill."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.events import Event
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.store.base import TickRecord
from engine.store.finding import Finder
from engine.store.index import Index
from engine.store.sqlite import SqliteStore
from engine.store.why import read_chain
from engine.world.cascade import Bounds
from engine.world.events import to_events
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig
from tests.unit.store.index_kit import fill

PLAYERS = [PLAYER_ID_BASE + number for number in range(6)]
CONFIG = WorldConfig(seed=1, npcs=16, nodes=6, capacity=60)
SPOT = 36_864
INTENT = st.tuples(
    st.sampled_from(PLAYERS),
    st.integers(0, 5),
    st.sampled_from([*PLAYERS, 1, 2, 3, *range(NPC_ID_BASE, NPC_ID_BASE + 8)]),
)
TICK = st.fixed_dictionaries(
    {
        "rows": st.lists(INTENT, max_size=12),
        "joins": st.lists(st.sampled_from(PLAYERS), max_size=2),
        "leaves": st.lists(st.sampled_from(PLAYERS), max_size=2),
        "restarted": st.sampled_from([False] * 7 + [True]),
        "recovered": st.sampled_from([False] * 5 + [True]),
    }
)
WIDTH = len(TickInputs.of().intents.dtype)


def _start(seed: int, bounds: Bounds) -> World:
    """Return a small new world."""
    return World.create(replace(CONFIG, seed=seed, cascade=bounds))


def _crowd(world: World) -> None:
    """Put everybody within reach of each other, some near death."""
    state = world.state
    rows = np.arange(state.count)
    state.place(rows, SPOT + rows * 9, SPOT - rows * 7)
    state.hp[rows] = np.minimum(state.hp[rows], 5 + rows % 9 * 6)


def _play(seed: int, ticks: list[dict], depth: int, width: int, path: Path) -> list[Event]:
    """Run a world within small cascade bounds, store it, and return its events."""
    store, world = SqliteStore(path), _start(seed, Bounds(depth, width))
    events: list[Event] = []

    def step(inputs: TickInputs) -> None:
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
        events.extend(to_events(result.events, result.tick))

    try:
        step(TickInputs.of(joins=[(who, f"player-{who}") for who in PLAYERS]))
        _crowd(world)
        for number, tick in enumerate(ticks):
            if tick["recovered"]:
                world = World.restore(world.config, world.checkpoint())
            rows = [
                (who, number + 1, kind, SPOT + number, SPOT, target, 1, 0)[:WIDTH]
                for who, kind, target in tick["rows"]
            ]
            joins = [(who, f"player-{who}") for who in tick["joins"]]
            leaves, restarted = tick["leaves"], tick["restarted"]
            step(TickInputs.of(rows, joins=joins, leaves=leaves, restarted=restarted))
        for _ in range(6):
            step(TickInputs.of())
    finally:
        store.close()
    return events


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**32),
    ticks=st.lists(TICK, min_size=4, max_size=12),
    depth=st.integers(1, 3),
    width=st.integers(1, 9),
    indexed=st.integers(0, 20),
)
def test_causes_come_before_effects(
    seed: int, ticks: list[dict], depth: int, width: int, indexed: int
):
    with TemporaryDirectory(prefix="seedstorm-") as name:
        path, index_path = Path(name) / "events.db", Path(name) / "index.db"
        events = _play(seed, ticks, depth, width, path)
        _check_causes(events)
        # Whether the index covers all, a part or nothing, the chain is the same.
        with Finder(path) as log:
            index = Index(index_path, log)
            fill(index, path, up_to=events[-1].seq * indexed // 16, ticks_each=2)
            index.close()
        _check_chains(events, path, index_path)


def test_small_bounds_push_reactions_into_later_ticks():
    blow = {"joins": [], "leaves": [], "restarted": False, "recovered": True}
    ticks = [{**blow, "rows": [(who, 1, NPC_ID_BASE + 1) for who in PLAYERS]} for _ in range(5)]
    with TemporaryDirectory(prefix="seedstorm-") as name:
        events = _play(3, ticks, 1, 2, Path(name) / "events.db")
    tick_of = {event.seq: event.tick for event in events}
    assert any(event.cause and tick_of[event.cause] < event.tick for event in events)


def _check_causes(events: list[Event]) -> None:
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    by_seq = {event.seq: event for event in events}
    level: dict[int, int] = {}
    for event in events:
        if not event.cause:
            level[event.seq] = 0
            continue
        assert event.cause < event.seq
        cause = by_seq[event.cause]
        assert cause.tick <= event.tick
        assert event.correlation == cause.correlation
        level[event.seq] = level[event.cause] + 1
    _check_levels(events, level)


def _check_levels(events: list[Event], level: dict[int, int]) -> None:
    """Within a tick a deeper reaction to what happened in it comes after all less deep ones."""
    ticks: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        # No reactions: those that a restart cuts off, and what tells of a bound that bit.
        if event.kind not in {"disconnected", "cascade_cut"}:
            ticks[event.tick].append(event)
    for some in ticks.values():
        first = some[0].seq
        inside: dict[int, int] = {}
        for event in some:
            # What is left over from the tick before reacts with this tick's own events.
            above = inside.get(event.cause, 0) if event.cause >= first else 0
            inside[event.seq] = above + 1 if event.cause else 0
        depths = [inside[event.seq] for event in some]
        assert depths == sorted(depths)
        assert all(level[event.seq] >= 1 for event in some if event.cause)


def _check_chains(events: list[Event], path: Path, index_path: Path) -> None:
    below: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        below[event.cause].append(event)
    rich = sorted(events, key=lambda event: len(below[event.seq]))[-6:]
    for event in {e.seq: e for e in [*rich, events[len(events) // 2]]}.values():
        chain = read_chain(path, index_path, event.seq)
        assert chain is not None
        assert chain.cut == ""
        line = [*chain.causes, chain.event]
        assert line[0].cause == 0
        assert all(after.cause == before.seq for before, after in pairwise(line))
        # Effects in the order of their causes, each exactly once, none left out.
        place = {event.seq: 0}
        for number, effect in enumerate(chain.effects):
            assert effect.cause in place
            place[effect.seq] = number + 1
        causes = [place[effect.cause] for effect in chain.effects]
        assert causes == sorted(causes)
        for seq in place:
            direct = [e for e in chain.effects if e.cause == seq]
            assert direct == below[seq]
