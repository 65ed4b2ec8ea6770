"""What holds for any inputs, hostile ones too."""

import itertools
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.limits import (
    GUEST_ID_BASE,
    NPC_ID_BASE,
    ORDER_SEQ_BASE,
    PLAYER_ID_BASE,
    POSITION_MAX,
)
from engine.world.arrays import take_in_order
from engine.world.checkpoint import state_hash
from engine.world.events import Code
from engine.world.genesis import genesis
from engine.world.inputs import TickInputs
from engine.world.refold import refold
from engine.world.state import HOME_ZONES, State, zone_corner
from engine.world.world import TickResult, World, WorldConfig

CONFIG = WorldConfig(seed=11, npcs=25, nodes=10, capacity=60)
PLAYERS = [PLAYER_ID_BASE + number for number in range(6)]
SOMEBODY = st.sampled_from([*PLAYERS, *PLAYERS, GUEST_ID_BASE])
ANYBODY = st.one_of(
    SOMEBODY,
    st.integers(0, 2**32 - 1),
    st.integers(1, 10),
    st.integers(NPC_ID_BASE, NPC_ID_BASE + 25),
)
SPOT = 36_864
"""Where everybody stands: a corner of four cells."""
SANE = st.tuples(
    st.sampled_from(PLAYERS),
    st.integers(1, 30),
    st.sampled_from([0, 1, 1, 1, 2, 3, 4, 5]),
    st.integers(SPOT - 2500, SPOT + 2500),
    st.integers(SPOT - 2500, SPOT + 2500),
    st.sampled_from([*PLAYERS, 1, 2, 3, *range(NPC_ID_BASE, NPC_ID_BASE + 8)]),
    st.integers(-20, 20),
)
GATHER = st.tuples(
    st.sampled_from(PLAYERS),
    st.integers(1, 30),
    st.just(2),
    st.just(0),
    st.just(0),
    st.sampled_from([1, 2, 3]),
    st.just(0),
)
WILD = st.tuples(
    st.one_of(SOMEBODY, ANYBODY),
    st.one_of(st.integers(0, 30), st.integers(0, 2**32 - 1)),
    st.integers(0, 255),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    ANYBODY,
    st.integers(-(2**31), 2**31 - 1),
)
INTENT = st.one_of(SANE, SANE, SANE, GATHER, WILD)
SEQS_PER_TICK = 20
"""Small sequences go on from tick to tick, with some overlap: resends."""
TEXT = st.text(max_size=12)
TICK = st.fixed_dictionaries(
    {
        "rows": st.lists(INTENT, max_size=30),
        "texts": st.dictionaries(st.integers(0, 29), TEXT, max_size=8),
        "joins": st.lists(st.tuples(st.one_of(SOMEBODY, ANYBODY), TEXT), max_size=4),
        "leaves": st.lists(ANYBODY, max_size=3),
        "restarted": st.sampled_from([False] * 9 + [True]),
    }
)
RUN = st.lists(TICK, min_size=1, max_size=10)


def _crowded() -> World:
    """A world whose players and NPCs stand within reach of each other, some near death."""
    world = World.create(CONFIG)
    world.step(TickInputs.of(joins=[(who, f"player-{who}") for who in PLAYERS]))
    state = world.state
    rows = np.arange(state.count)
    state.place(rows, SPOT + rows * 9, SPOT - rows * 7)
    state.hp[rows] = np.minimum(state.hp[rows], 5 + rows % 9 * 6)
    state.goods[rows] = 1 + rows % 7
    state.goods_supply = int(state.goods[rows].sum())
    state.spawned_ms[rows] = 0
    return world


def _inputs(index: int, tick: dict, shuffle: np.random.Generator | None = None) -> TickInputs:
    later, texts = index * SEQS_PER_TICK, tick["texts"]
    rows = [(who, seq + later * (seq <= 30), *rest) for who, seq, *rest in tick["rows"]]
    order = list(range(len(rows)))
    joins, leaves = list(tick["joins"]), list(tick["leaves"])
    if shuffle is not None:
        shuffle.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    return TickInputs.of(
        [rows[old] for old in order],
        texts={place[row]: text for row, text in texts.items() if row in place},
        joins=joins,
        leaves=leaves,
        restarted=tick["restarted"],
    )


def _run(run: list[dict], seed: int | None = None) -> tuple[World, list[TickResult]]:
    world = _crowded()
    shuffle = None if seed is None else np.random.default_rng(seed)
    return world, [world.step(_inputs(*tick, shuffle)) for tick in enumerate(run)]


@given(RUN)
def test_same_inputs_same_world(run: list[dict]) -> None:
    _, one = _run(run)
    _, other = _run(run)
    assert [result.hash for result in one] == [result.hash for result in other]
    assert [result.events.pack() for result in one] == [result.events.pack() for result in other]


@given(RUN, st.integers(0, 1000))
def test_arrival_order_within_a_tick_has_no_part_in_it(run: list[dict], seed: int) -> None:
    _, one = _run(run)
    _, other = _run(run, seed)
    for straight, shuffled in zip(one, other, strict=True):
        assert straight.hash == shuffled.hash
        assert straight.events.pack() == shuffled.events.pack()
        assert straight.events.texts == shuffled.events.texts
        assert _said(straight) == _said(shuffled)


def _said(result: TickResult) -> Counter:
    verdicts = result.verdicts
    columns = (verdicts.player, verdicts.seq, verdicts.verdict, verdicts.event)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Counter((*row, verdicts.reasons.get(index)) for index, row in enumerate(rows))


@given(RUN)
def test_gold_is_conserved_and_hit_points_stay_in_bounds(run: list[dict]) -> None:
    world = _crowded()
    for tick in enumerate(run):
        result = world.step(_inputs(*tick))
        state = world.state
        gold, hp = state.gold[: state.count], state.hp[: state.count]
        assert int(gold.sum()) + state.treasury == state.supply
        assert min(int(gold.min()), state.treasury, int(state.goods[: state.count].min())) >= 0
        assert np.all((hp >= 0) & (hp <= state.hp_max[: state.count]))
        assert Code.INVARIANT_BROKEN not in result.events.rows["kind"]
        assert np.all((state.x >= 0) & (state.x <= POSITION_MAX))
        standing = state.alive[: state.count] == 1
        assert np.all(hp[standing & (state.kind[: state.count] > 0)] > 0), "no undead"


@given(RUN)
def test_sequences_versions_causes_and_verdicts(run: list[dict]) -> None:
    world = _crowded()
    seqs = world.next_seq
    versions = dict(zip(world.state.id.tolist(), world.state.version.tolist(), strict=True)) | {
        0: world.state.world_version
    }
    roots: dict[int, int] = {}
    for tick in enumerate(run):
        inputs = _inputs(*tick)
        result = world.step(inputs)
        block = result.events
        assert block.first_seq == seqs
        events = block.rows.tolist()
        for seq, (_, stream, version, *_rest, cause, correlation) in enumerate(events, seqs):
            assert version == versions.get(stream, 0) + 1
            versions[stream] = version
            assert cause < seq
            if not stream:
                continue  # of strangers nothing is remembered, resends neither
            if correlation and not cause:
                # An operator's orders are numbered by the hub, and never twice.
                ordered = correlation & 0xFFFFFFFF > ORDER_SEQ_BASE
                assert ordered or correlation not in roots, "one root event for each command"
                roots[correlation] = seq
            elif correlation:
                assert roots[correlation] <= cause
        seqs += len(events)
        verdicts = result.verdicts
        assert len(verdicts.verdict) == len(inputs.intents)
        for row, event in enumerate(verdicts.event.tolist()):
            player, client = int(verdicts.player[row]), int(verdicts.seq[row])
            if event and world.state.row_of(player) is not None:
                assert roots[player << 32 | client] == event
            assert (verdicts.verdict[row] != 0) == (row in verdicts.reasons)
    assert world.next_seq == seqs


@given(RUN, st.integers(0, 9))
def test_a_checkpoint_and_the_ticks_after_it_give_the_same_world(run: list[dict], at: int) -> None:
    world = _crowded()
    other = None
    for index, tick in enumerate(run):
        if index == min(at, len(run) - 1):
            other = World.restore(CONFIG, world.checkpoint())
        result = world.step(_inputs(index, tick))
        if other is not None:
            packed = TickInputs.unpack(_inputs(index, tick).pack())
            assert other.step(packed).hash == result.hash
    assert other is not None


@given(RUN)
def test_events_alone_build_the_same_state(run: list[dict]) -> None:
    """Nothing but ``apply`` changes the world: stored events lead to the same hash."""
    world = World.create(CONFIG)
    state = genesis(CONFIG.seed, CONFIG.npcs, CONFIG.nodes, CONFIG.capacity)
    joins = TickInputs.of(joins=[(who, f"player-{who}") for who in PLAYERS])
    for inputs in [joins, *itertools.starmap(_inputs, enumerate(run))]:
        result = world.step(inputs)
        rows = refold(state, result.events, result.tick, CONFIG.interval_ms)
        assert np.array_equal(rows, result.events.rows)
        standing = world.governor.standing.pack()
        hashed = state_hash(state, world.tick, world.next_seq, world._pending, {}, standing)
        assert hashed == result.hash
        assert np.array_equal(state.cell_versions, world.state.cell_versions)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=30))
def test_sharing_in_order_is_what_a_loop_would_do(wishes: list[tuple[int, int]]) -> None:
    stock = {owner: 10 + 15 * owner for owner in range(4)}
    wanted = np.array([wish for wish, _ in wishes], np.int64)
    owners = np.array([owner for _, owner in wishes], np.int64)
    have = np.array([stock[owner] for _, owner in wishes], np.int64)
    taken, left = take_in_order(wanted, owners, have)
    for row, (wish, owner) in enumerate(wishes):
        got = min(wish, stock[owner])
        stock[owner] -= got
        assert (taken[row], left[row]) == (got, stock[owner])


def test_home_zones_are_on_the_map() -> None:
    x, y = zone_corner(np.array(HOME_ZONES))
    assert np.all((x >= 0) & (x < POSITION_MAX) & (y >= 0) & (y < POSITION_MAX))
    assert State(1).count == 0
