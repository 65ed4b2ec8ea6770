"""Logs of older and newer versions: the old ones are read, nothing else; the new ones refused.

``tests/vectors/events_format1.db`` is the end of a run that format 1 wrote.
"""

import shutil
from pathlib import Path

import apsw
import numpy as np
import pytest

from engine.protocol.errors import ExitCode, UserError
from engine.store.reading import LogFile, read_events
from engine.store.replay import walk, world_at
from engine.store.sqlite import SqliteStore
from engine.store.subscription import FileSource, Subscription
from engine.store.tables import STORE_FORMAT
from engine.store.upcast import upcast
from engine.world.constants import RULES_VERSION
from engine.world.events import EVENT_DTYPE, EVENT_SCHEMA, Code, EventBlock, TickEvents, to_events
from engine.world.world import WorldConfig

VECTOR = Path("tests/vectors/events_format1.db")
CONFIG = WorldConfig(seed=7, npcs=10)
REGROWN_TICK = 234


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(VECTOR, tmp_path / "events.db"))


def test_the_vector_is_what_format_1_wrote(old: Path) -> None:
    db = apsw.Connection(str(old))
    assert db.execute("SELECT * FROM meta").fetchall() == [("format", 1)]
    columns = [row[1] for row in db.execute("PRAGMA table_info(ticks)")]
    assert columns == ["tick", "first_seq", "count", "inputs", "events", "hash"]
    db.close()


def test_events_of_schema_1_are_read_as_schema_2(old: Path) -> None:
    """``node_regrown.b`` was 0 and became the goods that are new in the world."""
    log = LogFile(old)
    assert log.rules == 1
    last = log.last()
    assert last is not None
    (record,) = [record for record in log.ticks() if record.tick == REGROWN_TICK]
    assert record.schema == 1
    stored = EventBlock.from_log(record.first_seq, record.events).rows
    read = record.block().rows
    regrown = stored["kind"] == Code.NODE_REGROWN
    assert (stored["a"][regrown].tolist(), stored["b"][regrown].tolist()) == ([20], [0])
    assert (read["a"][regrown].tolist(), read["b"][regrown].tolist()) == ([20], [20])
    assert (read[~regrown] == stored[~regrown]).all()

    everything = log.events(0, 10_000)
    assert everything[-1].seq == last.seq
    assert len(everything) > 200
    assert [event.seq for event in everything] == list(
        range(everything[0].seq, everything[-1].seq + 1)
    )
    assert [event.b for event in everything if event.kind == "node_regrown"] == [20]
    log.close()

    known = everything[0].seq - 1
    looked = read_events(old, known, ticks_max=1000, events_max=100_000)
    assert [event for tick in looked for event in to_events(tick.block, tick.tick)] == everything
    subscription, followed = Subscription(FileSource(old), known), []
    while items := subscription.poll():
        followed += [item for item in items if isinstance(item, TickEvents)]
    assert [event for tick in followed for event in to_events(tick.block, tick.tick)] == everything


def test_a_move_that_schema_1_cut_short_is_still_a_violation(old: Path) -> None:
    ticks = read_events(old, 0, ticks_max=1000, events_max=100_000)
    found = [row for tick in ticks for row in tick.violations()]
    assert {row.policy for row in found} >= {"speed"}


def test_a_log_of_format_1_is_not_gone_on_with(old: Path) -> None:
    before = old.read_bytes()
    with pytest.raises(UserError, match=r"format 1;.*format 2 only: its events can still") as told:
        SqliteStore(old)
    assert told.value.exit_code is ExitCode.USAGE
    assert old.read_bytes() == before


def test_a_log_of_format_1_is_not_stepped_again(old: Path) -> None:
    log = LogFile(old)
    for attempt in (lambda: list(walk(log, CONFIG)), lambda: world_at(log, CONFIG, 240)):
        with pytest.raises(UserError, match=r"rules 1 of .* rules 2: its events can be") as told:
            attempt()
        assert told.value.exit_code is ExitCode.USAGE
    log.close()


def _meta(path: Path, name: str, value: object) -> None:
    db = apsw.Connection(str(path))
    db.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name)).fetchall()
    db.close()


@pytest.mark.parametrize(("name", "known"), [("format", STORE_FORMAT), ("rules", RULES_VERSION)])
def test_a_newer_log_is_refused_with_both_versions(tmp_path: Path, name: str, known: int) -> None:
    path = tmp_path / "events.db"
    SqliteStore(path).close()
    _meta(path, name, known + 1)
    told = (
        f"{name} {known + 1}, written by a newer SeedStorm; this version knows {name} 1 to {known}"
    )
    for attempt in (SqliteStore, LogFile):
        with pytest.raises(UserError, match=told) as caught:
            attempt(path)
        assert caught.value.exit_code is ExitCode.USAGE
    with pytest.raises(OSError, match=told):
        read_events(path, 0, ticks_max=1, events_max=1)


def test_older_rules_are_read_and_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    SqliteStore(path).close()
    _meta(path, "rules", 1)
    with pytest.raises(
        UserError, match=f"rules 1; this version goes on with rules {RULES_VERSION}"
    ):
        SqliteStore(path)
    log = LogFile(path)
    assert log.events() == []
    log.close()


@pytest.mark.parametrize("schema", [0, -1, EVENT_SCHEMA + 1])
def test_events_of_an_unknown_schema_are_refused(schema: int) -> None:
    block = EventBlock(1, np.zeros(1, EVENT_DTYPE))
    with pytest.raises(ValueError, match=f"schema {schema}; this version reads 1 to"):
        upcast(block, schema)


def test_only_what_changed_is_upcast() -> None:
    rows = np.zeros(4, EVENT_DTYPE)
    rows["kind"] = [Code.NODE_REGROWN, Code.NODE_EMPTIED, Code.NODE_REGROWN, Code.MOVED]
    rows["a"], rows["b"] = [20, 3, 7, 9], 0
    block = EventBlock(1, rows.copy(), {3: "speed: too far"})
    assert upcast(block, 1).rows["b"].tolist() == [20, 0, 7, 0]
    assert block.texts == {3: "speed: too far"}
    assert upcast(EventBlock(1, rows), EVENT_SCHEMA).rows["b"].tolist() == [0, 0, 0, 0]
