"""What every event store must do; both pass the same suite."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.errors import UserError
from engine.protocol.events import correlation_of
from engine.protocol.limits import CHECKPOINTS_KEPT_MAX, ORDER_SEQ_BASE, PLAYER_ID_BASE
from engine.store.base import Conflict, EventStore, Last, StoreFull, TickRecord
from engine.store.memory import MemoryStore
from engine.store.recover import recover
from engine.store.replay import walk, world_at
from engine.store.sqlite import SqliteStore
from engine.world.events import EVENT_DTYPE, EventBlock, to_events
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

CONFIG = WorldConfig(seed=5, npcs=40, nodes=10)
Make = Callable[[int], EventStore]


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    made: list[EventStore] = []

    def store(bytes_max: int = 0) -> EventStore:
        if request.param == "sqlite":
            made.append(SqliteStore(tmp_path / "events.db", bytes_max))
        else:
            made.append(MemoryStore(bytes_max) if bytes_max else MemoryStore())
        return made[-1]

    yield store
    for one in made:
        one.close()


def _inputs(tick: int) -> TickInputs:
    if tick == 0:
        return TickInputs.of(joins=[(PLAYER_ID_BASE + n, f"player-{n}") for n in range(20)])
    rows = [(PLAYER_ID_BASE + n, tick, 4 + n % 2, 0, 0, 0, 0) for n in range(20)]
    return TickInputs.of(rows, texts={n: f"tick {tick}, says {n}" for n in range(0, 20, 2)})


def _fill(store: EventStore, world: World, ticks: int) -> list[TickRecord]:
    records = []
    for _ in range(ticks):
        inputs = _inputs(world.tick)
        result = world.step(inputs)
        records.append(TickRecord.of(result, inputs))
        store.append(records[-1])
    return records


def _bare(tick: int, first_seq: int = 1) -> TickRecord:
    """A tick in which nothing happened."""
    nothing = EventBlock(first_seq, np.zeros(0, EVENT_DTYPE))
    return TickRecord(tick, first_seq, 0, b"inputs", nothing.to_log(), b"hash")


def test_an_empty_log(make: Make) -> None:
    store = make()
    assert store.last() is None
    assert list(store.ticks()) == []
    assert store.events() == []
    assert store.checkpoint_ticks() == []


def test_what_was_appended_comes_back(make: Make) -> None:
    store = make()
    records = _fill(store, World.create(CONFIG), 5)
    assert list(store.ticks()) == records
    assert list(store.ticks(3)) == records[3:]
    assert list(store.ticks(9)) == []
    newest = records[-1]
    assert store.last() == Last(4, newest.first_seq + newest.count - 1)
    assert store.size_bytes > 0


def test_many_ticks_come_back_in_order(make: Make) -> None:
    store = make()
    for tick in range(600):
        store.append(_bare(tick))
    assert [record.tick for record in store.ticks(1)] == list(range(1, 600))


def test_events_by_sequence(make: Make) -> None:
    store = make()
    records = _fill(store, World.create(CONFIG), 5)
    everything = [event for record in records for event in to_events(record.block(), record.tick)]
    assert store.events(0, 10_000) == everything
    assert [event.seq for event in everything] == list(range(1, len(everything) + 1))
    assert any(event.text for event in everything)
    for after, limit in ((0, 1), (7, 30), (21, 1), (22, 60), (len(everything) - 1, 5)):
        assert store.events(after, limit) == everything[after : after + limit]
    assert store.events(len(everything), 5) == []


def test_a_gap_or_a_fork_is_refused(make: Make) -> None:
    store = make()
    records = _fill(store, World.create(CONFIG), 2)
    for tick, first_seq in ((3, 999), (2, records[-1].first_seq), (0, 1)):
        with pytest.raises(Conflict, match="the log goes on with tick 2"):
            store.append(_bare(tick, first_seq))
    assert list(store.ticks()) == records


def test_every_checkpoint_is_kept_until_there_are_very_many(make: Make) -> None:
    store = make()
    ticks = list(range(10, 10 * CHECKPOINTS_KEPT_MAX + 10, 10))
    for tick in (*ticks, ticks[-1]):
        store.checkpoint(tick, b"state %d" % tick * 100)
    assert store.checkpoint_ticks() == ticks
    assert store.checkpoint_at(50) == b"state 50" * 100
    assert store.checkpoint_at(51) is None
    store.checkpoint(ticks[-1] + 10, b"one more")
    kept = store.checkpoint_ticks()
    half = CHECKPOINTS_KEPT_MAX // 2
    assert kept == [*ticks[:half:2], *ticks[half:], ticks[-1] + 10]


def test_a_full_store_says_so_and_keeps_what_it_has(make: Make) -> None:
    store = make(200_000)
    kept = []
    for tick in range(500):
        record = replace(_bare(tick), inputs=bytes(range(256)) * 8, audit=_noise(tick))
        try:
            store.append(record)
        except StoreFull:
            break
        kept.append(record)
    assert 5 < len(kept) < 500
    with pytest.raises(StoreFull):
        store.append(record)
    assert list(store.ticks()) == kept
    last = store.last()
    assert last is not None
    assert last.tick == len(kept) - 1
    with pytest.raises(StoreFull):
        store.checkpoint(3, b"".join(_noise(number) for number in range(200)))
    assert store.checkpoint_ticks() == []
    assert list(store.ticks()) == kept


def _noise(seed: int) -> bytes:
    import blake3

    return blake3.blake3(seed.to_bytes(4, "big")).digest(5000)


def test_the_newest_record_may_be_appended_again(make: Make) -> None:
    store = make()
    records = _fill(store, World.create(CONFIG), 2)
    store.append(records[-1])
    assert list(store.ticks()) == records
    with pytest.raises(Conflict, match="tick 1 is in the log already, with other content"):
        store.append(replace(records[-1], inputs=b"others"))
    assert list(store.ticks()) == records


@pytest.mark.parametrize("base", [0, ORDER_SEQ_BASE], ids=["a player's own", "an operator's order"])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_command_that_is_sent_again_is_applied_once(
    make: Make, base: int, checkpoint: bool
) -> None:
    """In one tick, in the next, and after a restart from a checkpoint or from the log."""
    store = make()
    world = World.create(CONFIG)
    _fill(store, world, 2)
    player, say, seq = PLAYER_ID_BASE + 3, 4, base + 500

    def tick(*seqs: int) -> None:
        rows = [(player, one, say, 0, 0, 0, 0) for one in seqs]
        inputs = TickInputs.of(rows, texts=dict.fromkeys(range(len(rows)), "once"))
        store.append(TickRecord.of(world.step(inputs), inputs))

    tick(seq, seq)
    tick(seq)
    if checkpoint:
        store.checkpoint(world.tick, world.checkpoint())
    world = recover(store, CONFIG).world
    tick(seq)
    tick(seq, seq + 1)
    world = recover(store, CONFIG).world
    tick(seq + 1, seq)
    assert _roots(store, player)[-2:] == [seq, seq + 1]
    assert _roots(store, player).count(seq) == 1
    versions = [event.version for event in store.events(0, 10_000) if event.stream == player]
    assert versions == list(range(1, len(versions) + 1))


def test_an_operator_s_order_takes_no_number_of_the_player_s(make: Make) -> None:
    store = make()
    world = World.create(CONFIG)
    _fill(store, world, 1)
    for seq in (ORDER_SEQ_BASE + 1, 1, ORDER_SEQ_BASE + 1, 1, 2, ORDER_SEQ_BASE + 2):
        inputs = TickInputs.of([(PLAYER_ID_BASE, seq, 4, 0, 0, 0, 0)], texts={0: "said"})
        store.append(TickRecord.of(world.step(inputs), inputs))
        world = recover(store, CONFIG).world
    expected = [ORDER_SEQ_BASE + 1, 1, 2, ORDER_SEQ_BASE + 2]
    assert _roots(store, PLAYER_ID_BASE) == expected


def _roots(store: EventStore, player: int) -> list[int]:
    """Return the sequence of each of a player's commands that the world took, in order."""
    first = correlation_of(player, 0)
    return [
        event.correlation - first
        for event in store.events(0, 10_000)
        if not event.cause and first < event.correlation < correlation_of(player + 1, 0)
    ]


def _with_version(record: TickRecord, row: int, version: int) -> TickRecord:
    block = record.block()
    block.rows["version"][row] = version
    return replace(record, events=block.to_log())


@pytest.mark.parametrize("checkpoint", ["none", "good", "nonsense"])
@pytest.mark.parametrize("again", [False, True])
def test_versions_go_on_without_a_gap(make: Make, again: bool, checkpoint: str) -> None:
    """Also in a log that was opened again, whatever its checkpoint is worth."""
    store = make()
    world = World.create(CONFIG)
    _fill(store, world, 3)
    if checkpoint != "none":
        store.checkpoint(3, world.checkpoint() if checkpoint == "good" else b"nonsense")
    _fill(store, world, 2)
    if again and isinstance(store, SqliteStore):
        store.close()
        store = make()
    inputs = _inputs(5)
    record = TickRecord.of(world.step(inputs), inputs)
    rows = record.block().rows
    row = next(row for row in range(record.count - 1, -1, -1) if rows["stream"][row])
    stream, right = int(rows["stream"][row]), int(rows["version"][row])
    for wrong in (right - 1, right + 1, 0, 1, 2**32 - 1):
        told = f"version {wrong} of stream {stream} .*; the next version is {right}"
        with pytest.raises(Conflict, match=told):
            store.append(_with_version(record, row, wrong))
    before = store.last()
    assert before is not None
    assert before.tick == 4
    store.append(record)
    assert list(store.ticks(5)) == [record]


def test_a_stream_may_go_on_several_times_in_a_tick(make: Make) -> None:
    store = make()
    rows = np.zeros(6, EVENT_DTYPE)
    rows["stream"] = [7, 9, 7, 0, 9, 7]
    rows["version"] = [1, 1, 2, 1, 2, 3]
    store.append(replace(_bare(0), count=6, events=EventBlock(1, rows).to_log()))
    rows["version"] = [4, 4, 5, 2, 3, 6]
    with pytest.raises(Conflict, match=r"event 1 .* version 4 of stream 9 .* version is 3"):
        store.append(replace(_bare(1, 7), count=6, events=EventBlock(7, rows).to_log()))
    rows["version"] = [5, 3, 4, 2, 4, 6]
    with pytest.raises(Conflict, match=r"event 0 .* version 5 of stream 7 .* version is 4"):
        store.append(replace(_bare(1, 7), count=6, events=EventBlock(7, rows).to_log()))
    rows["version"] = [4, 3, 5, 2, 4, 6]
    store.append(replace(_bare(1, 7), count=6, events=EventBlock(7, rows).to_log()))
    rows["stream"][0] = 2**32 - 1
    with pytest.raises(Conflict, match="stream 4294967295; the highest"):
        store.append(replace(_bare(2, 13), count=6, events=EventBlock(13, rows).to_log()))


def test_events_that_are_none_are_refused(make: Make) -> None:
    store = make()
    for record in (replace(_bare(0), count=1), replace(_bare(0), events=b"")):
        with pytest.raises(ValueError, match=r"bytes for 1 events|truncated"):
            store.append(record)
    assert store.last() is None


@pytest.mark.parametrize("tick", [0, 1, 3, 6, 7])
def test_the_world_at_any_tick(make: Make, tick: int) -> None:
    store = make()
    world = World.create(CONFIG)
    hashes = [world.hash]
    for _ in range(7):
        if world.tick == 3:
            store.checkpoint(3, world.checkpoint())
        _fill(store, world, 1)
        hashes.append(world.hash)
    found = world_at(store, CONFIG, tick)
    assert (found.tick, found.hash) == (tick, hashes[tick])


def test_a_tick_that_the_log_does_not_have(make: Make) -> None:
    store = make()
    _fill(store, World.create(CONFIG), 2)
    for tick in (-1, 3):
        with pytest.raises(UserError, match=f"tick {tick} is not in the log; .* ticks 0 to 2"):
            world_at(store, CONFIG, tick)


def test_a_walk_gives_what_was_stored(make: Make) -> None:
    store = make()
    world = World.create(CONFIG)
    records = _fill(store, world, 3)
    store.checkpoint(3, world.checkpoint())
    records += _fill(store, world, 3)
    for start, expected in ((0, records), (2, records), (3, records[3:]), (6, records[3:])):
        found = list(walk(store, CONFIG, start))
        assert [record for record, _, _ in found] == expected
        assert all(record.hash == result.hash for record, result, _ in found)
        assert all(record.block().pack() == result.events.pack() for record, result, _ in found)


@pytest.mark.parametrize("checkpoint_at", [None, 0, 3, 7])
def test_recovery_gives_the_same_world(make: Make, checkpoint_at: int | None) -> None:
    store = make()
    world = World.create(CONFIG)
    for _ in range(7):
        if world.tick == checkpoint_at:
            store.checkpoint(world.tick, world.checkpoint())
        _fill(store, world, 1)
    if world.tick == checkpoint_at:
        store.checkpoint(world.tick, world.checkpoint())
    again = recover(store, CONFIG).world
    assert (again.tick, again.next_seq, again.hash) == (world.tick, world.next_seq, world.hash)
    assert again.step(_inputs(7)).hash == world.step(_inputs(7)).hash
