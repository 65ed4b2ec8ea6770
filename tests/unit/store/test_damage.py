"""What is damaged in a stored log is found at start, and named with the last good tick."""

from pathlib import Path
from random import Random

import apsw
import pytest

from engine.protocol.errors import UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.policy import PolicyCount
from engine.store.base import Damaged, TickRecord
from engine.store.chain import check_of_blob
from engine.store.reading import LogFile
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.store.verify import verify
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig
from tests.sim.tampered import chain_anew

CONFIG = WorldConfig(seed=5, npcs=20, nodes=10)
TICKS = 30
CHECKPOINTS = (10, 20)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 30 ticks with two checkpoints."""
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    world = World.create(CONFIG)
    for tick in range(TICKS):
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(50)] if tick == 0 else []
        rows = [(PLAYER_ID_BASE + n, tick, 5, 0, 0, 0, 0) for n in range(tick and 50)]
        inputs = TickInputs.of(rows, joins=joins)
        store.append(TickRecord.of(world.step(inputs), inputs))
        if world.tick in CHECKPOINTS:
            store.checkpoint(world.tick, world.checkpoint())
    store.close()
    return path


def _change(path: Path, sql: str, *values: object) -> None:
    db = apsw.Connection(str(path))
    db.execute(sql, values).fetchall()
    db.close()


def _told(path: Path) -> str:
    """Return what recovery says; the read-only log says the same of the damage."""
    with pytest.raises(UserError) as caught:
        recover(SqliteStore(path), CONFIG)
    log = LogFile(path)
    with pytest.raises(Damaged) as read:
        log.inspect()
    log.close()
    assert str(read.value) in caught.value.message
    return caught.value.message


def test_a_log_that_is_whole(log: Path) -> None:
    store = SqliteStore(log)
    recovered = recover(store, CONFIG)
    assert (recovered.inspection.ticks, recovered.inspection.is_whole) == (TICKS, True)
    assert (recovered.from_tick, recovered.unusable) == (20, ())
    assert recovered.text == (
        "recovered to tick 30: the whole log (30 ticks) is as it was written, "
        "10 stepped again from tick 20"
    )
    store.close()


@pytest.mark.parametrize("column", ["inputs", "events", "audit", "hash", "schema", '"check"'])
@pytest.mark.parametrize("tick", [0, 7, 29])
def test_a_row_that_was_changed_is_named(log: Path, column: str, tick: int) -> None:
    value: object = 1 if column == "schema" else b"something else"
    _change(log, f"UPDATE ticks SET {column} = ? WHERE tick = ?", value, tick)
    told = _told(log)
    assert f"tick {tick} of the log is damaged: its content" in told
    good = f"the last good tick is {tick - 1}" if tick else "no tick before it is good"
    assert good in told


@pytest.mark.parametrize("column", ["inputs", "events", "audit", "hash", '"check"'])
def test_a_flipped_bit_is_damage_to_a_re_run_too_and_never_another_world(
    log: Path, column: str
) -> None:
    db = apsw.Connection(str(log))
    ((blob,),) = db.execute(f"SELECT {column} FROM ticks WHERE tick = 17").fetchall()
    db.close()
    _change(log, f"UPDATE ticks SET {column} = ? WHERE tick = 17", flipped(blob))
    file = LogFile(log)
    for from_checkpoint in (False, True):
        done = verify(file, CONFIG, from_checkpoint=from_checkpoint)
        assert done.difference is not None
        assert (done.difference.tick, done.difference.phase, done.ticks) == (17, "log", 0)
        assert "tick 17 of the log is damaged" in done.difference.what
        assert "the last good tick is 16" in done.difference.what
    file.close()


def flipped(blob: bytes) -> bytes:
    """Return bytes one bit of which, in the middle, is another."""
    at = len(blob) // 2
    return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]


def test_a_re_run_names_the_tick_after_which_the_log_was_cut_off(log: Path) -> None:
    _change(log, "DELETE FROM ticks WHERE tick >= 15")
    file = LogFile(log)
    done = verify(file, CONFIG)
    file.close()
    assert done.difference is not None
    assert (done.difference.tick, done.difference.phase) == (15, "log")


def test_a_row_of_another_type_is_named(log: Path) -> None:
    _change(log, "UPDATE ticks SET events = 'text' WHERE tick = 7")
    assert "tick 7 of the log is damaged" in _told(log)


def test_a_missing_tick_is_named(log: Path) -> None:
    _change(log, "DELETE FROM ticks WHERE tick = 7")
    told = _told(log)
    assert "tick 7 of the log is damaged: it is missing, the next is 8" in told
    assert "the last good tick is 6" in told


def test_two_ticks_that_changed_places_are_named(log: Path) -> None:
    for before, after in ((7, 99), (8, 7), (99, 8)):
        _change(log, "UPDATE ticks SET tick = ? WHERE tick = ?", after, before)
    assert "tick 7 of the log is damaged: it begins with event" in _told(log)


def test_a_log_without_its_newest_ticks_is_told(log: Path) -> None:
    _change(log, "DELETE FROM ticks WHERE tick >= 15")
    assert "the log ends with tick 14, and has the state before tick 20" in _told(log)


def test_a_forged_row_with_a_forged_chain_is_found_by_stepping(log: Path) -> None:
    """Checks find damage; who can compute them is found out by the state's hash."""
    _change(log, "UPDATE ticks SET hash = ? WHERE tick = 25", bytes(32))
    chain_anew(log)
    with pytest.raises(UserError, match=r"tick 25 .* gives state .*; the last good tick is 24"):
        recover(SqliteStore(log), CONFIG)


def test_what_is_stepped_again_is_not_counted_again(log: Path) -> None:
    store = SqliteStore(log)
    recovered = recover(store, CONFIG)
    assert recovered.world.tick > recovered.from_tick, "there is something to step again"
    counts = recovered.world.governor.counts()
    assert "rate" in counts
    assert set(counts.values()) == {PolicyCount()}
    rest = TickInputs.of([(PLAYER_ID_BASE, 10_000, 5, 0, 0, 0, 0)])
    recovered.world.step(rest)
    assert recovered.world.governor.counts()["rate"].evaluated == 1
    store.close()


@pytest.mark.parametrize("forged", [False, True])
def test_a_damaged_checkpoint_gives_way_to_an_older_one_and_is_told(
    log: Path, forged: bool
) -> None:
    blob = b"not what was written"
    check = check_of_blob(20, blob) if forged else b"?" * 16
    change = 'UPDATE checkpoints SET state = ?, "check" = ? WHERE tick = 20'
    _change(log, change, blob, check)
    store = SqliteStore(log)
    recovered = recover(store, CONFIG)
    assert (recovered.world.tick, recovered.from_tick) == (TICKS, 10)
    assert "passed over: checkpoint of tick 20: " in recovered.text
    assert "damaged" in recovered.text
    _change(log, "UPDATE checkpoints SET state = x'00'")
    again = recover(store, CONFIG)
    assert (again.world.hash, again.from_tick) == (recovered.world.hash, 0)
    assert len(again.unusable) == 2
    store.close()


def test_the_checkpoint_of_another_run_is_passed_over(log: Path) -> None:
    other = World.create(CONFIG)
    for tick in range(20):
        other.step(TickInputs.of(joins=[] if tick else [(PLAYER_ID_BASE, "player-0")]))
    store = SqliteStore(log)
    store.checkpoint(20, other.checkpoint())
    recovered = recover(store, CONFIG)
    assert recovered.from_tick == 10
    assert "checkpoint of tick 20: its state is" in recovered.text
    store.close()


def test_of_a_long_log_the_newest_part_is_looked_through(log: Path) -> None:
    _change(log, "UPDATE ticks SET inputs = x'00' WHERE tick = 2")
    store = SqliteStore(log)
    db = apsw.Connection(str(log))
    query = "SELECT length(inputs) + length(events) FROM ticks ORDER BY tick DESC LIMIT 10"
    newest_bytes = sum(size for (size,) in db.execute(query))
    db.close()
    found = store.inspect(newest_bytes)
    assert not found.is_whole
    assert found.ticks == 10
    _change(log, "UPDATE ticks SET inputs = x'00' WHERE tick = 28")
    with pytest.raises(Damaged, match="tick 28"):
        store.inspect(newest_bytes)
    with pytest.raises(Damaged, match="tick 2 "):
        store.inspect()
    store.close()


@pytest.mark.parametrize("what", ["ticks", "ticks_by_seq", "checkpoints", "meta"])
def test_a_page_that_was_wiped_out_is_told(log: Path, what: str) -> None:
    db = apsw.Connection(str(log))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    page = db.execute(query, (what,)).fetchall()[0][0]
    (size,) = db.execute("PRAGMA page_size").fetchall()[0]
    db.close()
    data = bytearray(log.read_bytes())
    data[(page - 1) * size : page * size] = bytes(size)
    log.write_bytes(data)
    with pytest.raises(UserError, match=r"page of it is damaged|is damaged") as caught:
        recover(SqliteStore(log), CONFIG)
    assert "malformed" in caught.value.message or "page" in caught.value.message


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_damaged_is_told_or_does_not_matter(log: Path, seed: int) -> None:
    random = Random(seed)
    whole = log.read_bytes()
    store = SqliteStore(log)
    records, right = list(store.ticks()), recover(store, CONFIG).world.hash
    store.close()
    told = 0
    for _ in range(25):
        data = bytearray(whole)
        begin = random.randrange(len(data))
        size = random.choice((1, 4, 64, 512, 8192))
        noise = random.choice((bytes(size), random.randbytes(size), b"\xff" * size))
        data[begin : begin + size] = noise
        log.write_bytes(data[: len(whole)])
        try:
            store = SqliteStore(log)
        except UserError:
            told += 1
            continue
        try:
            assert recover(store, CONFIG).world.hash == right
            assert list(store.ticks()) == records
        except UserError:
            told += 1
        finally:
            store.close()
    assert told > 5


def test_a_log_that_another_goes_on_with_is_looked_through_to_where_it_was(log: Path) -> None:
    store = SqliteStore(log)
    assert store.inspect(end=20).ticks == 20
    _change(log, 'UPDATE ticks SET "check" = zeroblob(16) WHERE tick = 12')
    assert store.inspect(end=12).ticks == 12
    with pytest.raises(Damaged, match="tick 12 "):
        store.inspect(end=20)
    store.close()
