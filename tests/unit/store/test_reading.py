"""A log read beside its writer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.base import TickRecord
from engine.store.reading import TickEvents, read_events
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "events.db")
    yield store
    store.close()


def _fill(store: SqliteStore, ticks: int) -> list[TickRecord]:
    """Store ticks and return those that have events."""
    world = World.create(WorldConfig(seed=5, npcs=40, nodes=10))
    records = []
    for _ in range(ticks):
        inputs = TickInputs.of()
        result = world.step(inputs)
        records.append(TickRecord.of(result.tick, inputs, result.events, result.hash))
        store.append(records[-1])
    return [record for record in records if record.count]


def _read(tmp_path: Path, seq: int, ticks: int = 1000, events: int = 10**6) -> list[TickEvents]:
    return read_events(tmp_path / "events.db", seq, ticks_max=ticks, events_max=events)


def _numbers(ticks: list[TickEvents]) -> list[tuple[int, int]]:
    return [(tick.tick, tick.first_seq) for tick in ticks]


def test_every_tick_after_an_event_comes_once_and_in_order(
    store: SqliteStore, tmp_path: Path
) -> None:
    told = [(record.tick, record.first_seq) for record in _fill(store, 200)]
    assert len(told) > 10
    read = _read(tmp_path, 0)
    assert _numbers(read) == told
    middle = read[5]
    before = middle.first_seq - 1
    assert _numbers(_read(tmp_path, before)) == told[5:]
    assert _numbers(_read(tmp_path, middle.last_seq)) == told[6:]
    assert _read(tmp_path, read[-1].last_seq) == []


def test_no_more_than_is_asked_for(store: SqliteStore, tmp_path: Path) -> None:
    told = [(record.tick, record.first_seq) for record in _fill(store, 200)]
    some = _numbers(_read(tmp_path, 0, ticks=told[3][0] + 1))
    assert some == told[:4]
    assert _numbers(_read(tmp_path, 0, events=1)) == told[:1]


def test_the_writer_goes_on_under_a_reader(store: SqliteStore, tmp_path: Path) -> None:
    records = _fill(store, 50)
    before = _read(tmp_path, 0)
    last = store.last()
    assert last is not None
    again = records[-1]
    store.append(
        TickRecord(last.tick + 1, last.seq + 1, again.count, again.inputs, again.events, again.hash)
    )
    assert len(_read(tmp_path, 0)) == len(before) + 1


def test_what_is_no_log_is_told_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"events\.db"):
        _read(tmp_path, 0)
    (tmp_path / "events.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(OSError, match=r"events\.db"):
        _read(tmp_path, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["events.db"]
