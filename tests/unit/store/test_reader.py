"""A log read beside its writer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.protocol.errors import UserError
from engine.store.base import TickRecord
from engine.store.reader import LogReader
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "events.db")
    yield store
    store.close()


def _fill(store: SqliteStore, ticks: int) -> list[TickRecord]:
    world = World.create(WorldConfig(seed=5, npcs=40, nodes=10))
    records = []
    for _ in range(ticks):
        inputs = TickInputs.of()
        result = world.step(inputs)
        records.append(TickRecord.of(result.tick, inputs, result.events, result.hash))
        store.append(records[-1])
    return records


def test_every_tick_after_an_event_comes_once_and_in_order(
    store: SqliteStore, tmp_path: Path
) -> None:
    told = [record for record in _fill(store, 200) if record.count]
    assert len(told) > 10
    with LogReader(tmp_path / "events.db") as reader:
        assert reader.ticks_after(0) == told
        middle = told[5]
        inside = middle.first_seq  # its first event is known, the rest is not
        rest = told[5:] if middle.count > 1 else told[6:]
        assert reader.ticks_after(inside) == rest
        assert reader.ticks_after(middle.first_seq + middle.count - 1) == told[6:]
        assert reader.ticks_after(told[-1].first_seq + told[-1].count - 1) == []
        assert reader.ticks_after(0, limit=3) == told[:3]


def test_the_writer_goes_on_under_a_reader(store: SqliteStore, tmp_path: Path) -> None:
    records = _fill(store, 50)
    with LogReader(tmp_path / "events.db") as reader:
        before = reader.ticks_after(0)
        last = records[-1]
        store.append(
            TickRecord(last.tick + 1, last.first_seq + last.count, 1, b"", last.events, last.hash)
        )
        assert len(reader.ticks_after(0)) == len(before) + 1


def test_what_is_no_log_is_told_as_what_it_is(tmp_path: Path) -> None:
    for name, content in (("none.db", None), ("text.db", b"no database at all" * 100)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=name), LogReader(path) as reader:
            reader.ticks_after(0)
    assert [path.name for path in tmp_path.iterdir()] == ["text.db"]
