"""The log read beside its writer."""

from contextlib import closing
from pathlib import Path

import apsw
import numpy as np
import pytest

from engine.protocol.limits import PLAYER_ID_BASE
from engine.store.base import TickRecord
from engine.store.finding import Finder
from engine.store.reading import LogFile, read_events
from engine.store.sqlite import SqliteStore
from engine.world.events import EVENT_DTYPE, EventBlock, TickEvents, to_events
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

ALL = {"ticks_max": 1000, "events_max": 100_000}


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A store that is still being written, with ticks of 0 to some events."""
    store = SqliteStore(tmp_path / "events.db")
    world = World.create(WorldConfig(seed=5, npcs=20, nodes=10))
    for tick in range(40):
        joins = [(PLAYER_ID_BASE, "player-0")] if tick == 3 else []
        inputs = TickInputs.of(joins=joins)
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
    return store


def _events(found: list[TickEvents], after_seq: int) -> list[int]:
    seqs = [event.seq for tick in found for event in to_events(tick.block, tick.tick)]
    return [seq for seq in seqs if seq > after_seq]


def test_everything_after_any_event(store: SqliteStore, tmp_path: Path) -> None:
    last = store.last()
    assert last is not None
    for after in range(last.seq + 2):
        found = read_events(tmp_path / "events.db", after, **ALL)
        assert _events(found, after) == list(range(after + 1, last.seq + 1))
        assert all(tick.last_seq > after for tick in found)
    store.close()


def test_no_more_than_was_asked_for(store: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    assert len(read_events(path, 0, ticks_max=4, events_max=1000)) == 4
    few = read_events(path, 0, ticks_max=100, events_max=5)
    assert sum(len(tick.block.rows) for tick in few[:-1]) < 5
    store.close()


@pytest.mark.parametrize("with_index", [True, False])
def test_ticks_without_events_are_passed_over(tmp_path: Path, with_index: bool) -> None:
    """Also when SQLite has no index from which equals happen to come in the right order."""
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    first_seq = 1
    for tick in range(40):
        rows = np.zeros(3 if tick in {9, 30} else 0, EVENT_DTYPE)
        rows["version"] = range(first_seq, first_seq + len(rows))
        block = EventBlock(first_seq, rows)
        inputs = TickInputs.of().pack()
        store.append(TickRecord(tick, first_seq, len(rows), inputs, block.to_log(), b"hash"))
        first_seq += len(rows)
    if not with_index:
        writer = apsw.Connection(str(path))
        writer.execute("DROP INDEX ticks_by_seq").fetchall()
        writer.close()
    few = {"ticks_max": 1, "events_max": 100}
    found = {after: read_events(path, after, **few) for after in range(7)}
    ticks = [[tick.tick for tick in found[after]] for after in range(7)]
    assert ticks == [[9]] * 3 + [[30]] * 3 + [[]]
    store.close()


def test_reading_neither_waits_for_the_writer_nor_hinders_it(
    store: SqliteStore, tmp_path: Path
) -> None:
    writer = apsw.Connection(str(tmp_path / "events.db"))
    writer.execute("BEGIN IMMEDIATE").fetchall()
    assert read_events(tmp_path / "events.db", 0, **ALL)
    writer.execute("ROLLBACK").fetchall()
    writer.close()
    store.close()


def test_what_is_no_log_is_said(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with pytest.raises(OSError, match=r"events\.db"):
        read_events(path, 0, **ALL)
    assert not path.exists()
    path.write_bytes(b"nonsense" * 2000)
    with pytest.raises(OSError, match=r"events\.db"):
        read_events(path, 0, **ALL)


def test_damaged_events_are_said(store: SqliteStore, tmp_path: Path) -> None:
    store.close()
    path = tmp_path / "events.db"
    writer = apsw.Connection(str(path))
    writer.execute("UPDATE ticks SET events = x'00' WHERE tick = 5").fetchall()
    writer.close()
    with pytest.raises(ValueError, match="damaged"):
        read_events(path, 0, **ALL)


def test_all_readers_refuse_a_tick_that_has_not_as_many_events_as_it_says(
    store: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "events.db"
    store.close()
    db = apsw.Connection(str(path))
    # The last tick with events: what comes after it has none and fits either way.
    ((tick, first_seq, count),) = db.execute(
        "SELECT tick, first_seq, count FROM ticks WHERE count > 0 ORDER BY tick DESC LIMIT 1"
    ).fetchall()
    db.execute("UPDATE ticks SET count = ? WHERE tick = ?", (count + 1, tick)).fetchall()
    db.close()
    words = f"tick {tick} is damaged: {count} events for {count + 1}"
    with Finder(path) as log, pytest.raises(ValueError, match=words):
        log.holding(first_seq)
    with pytest.raises(ValueError, match=words):
        read_events(path, first_seq - 1, **ALL)
    with closing(LogFile(path)) as file, pytest.raises(ValueError, match=words):
        file.tick(tick)
