"""The SQLite file itself: formats, damage, durability, size, and recovery from bad logs."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.store.base import Conflict, TickRecord
from engine.store.memory import MemoryStore
from engine.store.recover import recover
from engine.store.sqlite import STORE_FORMAT, SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig

CONFIG = WorldConfig(seed=5, npcs=20, nodes=10)


def _run(store: SqliteStore | MemoryStore, ticks: int) -> World:
    world = World.create(CONFIG)
    for tick in range(ticks):
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(100)] if tick == 0 else []
        rows = [(PLAYER_ID_BASE + n, tick, 5, 0, 0, 0, 0) for n in range(tick and 100)]
        inputs = TickInputs.of(rows, joins=joins)
        result = world.step(inputs)
        store.append(TickRecord.of(result, inputs))
    return world


def test_a_log_opened_again_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    world = _run(store, 4)
    store.checkpoint(world.tick, world.checkpoint())
    store.close()
    again = SqliteStore(path)
    assert recover(again, CONFIG).world.hash == world.hash
    result = world.step(TickInputs.of())
    again.append(TickRecord.of(result, TickInputs.of()))
    again.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    SqliteStore(path).close()
    with apsw.Connection(str(path)) as db:
        db.execute("UPDATE meta SET value = 99").fetchall()
    db.close()
    told = f"format 99, written by a newer .* knows format 1 to {STORE_FORMAT}"
    with pytest.raises(UserError, match=told):
        SqliteStore(path)


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE recipes (name)").fetchall()
    db.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"events\.db: no event store: it has other tables"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"not a database, but long enough to look like a file of something" * 40)
    with pytest.raises(UserError, match=r"events\.db: cannot be used as event store"):
        SqliteStore(path)


def test_a_torn_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    _run(store, 30)
    store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"events\.db|the log"):
        recover(SqliteStore(path), CONFIG)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be used as event store"):
        SqliteStore(tmp_path / "nowhere" / "events.db")


def test_what_was_appended_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    script = (
        "import sys, os, signal; from pathlib import Path\n"
        "from engine.store.sqlite import SqliteStore\n"
        "from tests.unit.store.test_files import _run\n"
        f"store = SqliteStore(Path({str(path)!r}))\n"
        "world = _run(store, 6)\n"
        "print(world.hash.hex(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = SqliteStore(path)
    assert recover(store, CONFIG).world.hash.hex() == done.stdout.strip()
    store.close()


def test_bytes_an_event(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    world = _run(store, 200)
    store.close()
    assert path.stat().st_size / world.next_seq <= 60
    assert [file.name for file in tmp_path.iterdir()] == ["events.db"]


def test_a_log_that_steps_to_another_state_is_told(tmp_path: Path) -> None:
    store = MemoryStore()
    _run(store, 3)
    forged = MemoryStore()
    for record in store.ticks():
        state_hash = bytes(32) if record.tick == 2 else record.hash
        forged.append(replace(record, hash=state_hash))
    with pytest.raises(UserError, match="tick 2 of the log gives state") as caught:
        recover(forged, CONFIG)
    assert caught.value.exit_code is ExitCode.VERIFY_DIFFERS


def test_a_log_of_another_seed_is_told() -> None:
    store = MemoryStore()
    world = _run(store, 3)
    with pytest.raises(UserError, match="tick 0 of the log gives state"):
        recover(store, WorldConfig(seed=6, npcs=20, nodes=10))
    store.checkpoint(world.tick, world.checkpoint())
    with pytest.raises(UserError, match="checkpoint of seed 5"):
        recover(store, WorldConfig(seed=6, npcs=20, nodes=10))


def test_a_damaged_checkpoint_is_passed_over() -> None:
    store = MemoryStore()
    world = _run(store, 3)
    store.checkpoint(world.tick, world.checkpoint()[:-9])
    assert recover(store, CONFIG).world.hash == world.hash


def test_two_writers_of_one_log_do_not_both_win(tmp_path: Path) -> None:
    nothing, somebody = TickInputs.of(), TickInputs.of(joins=[(PLAYER_ID_BASE, "player-0")])
    world, other = World.create(CONFIG), World.create(CONFIG)
    first = SqliteStore(tmp_path / "events.db")
    first.append(TickRecord.of(world.step(nothing), nothing))
    other.step(nothing)
    second = SqliteStore(tmp_path / "events.db")
    record = TickRecord.of(world.step(nothing), nothing)
    second.append(record)
    with pytest.raises(Conflict, match="another process writes to it"):
        first.append(TickRecord.of(other.step(somebody), somebody))
    with pytest.raises(Conflict, match="tick 1 is in the log already, with other content"):
        first.append(replace(record, hash=bytes(32)))
    first.append(record)
    first.append(TickRecord.of(world.step(nothing), nothing))
    assert [each.tick for each in second.ticks()] == [0, 1, 2]
    assert second.inspect().is_whole
    first.close()
    second.close()
