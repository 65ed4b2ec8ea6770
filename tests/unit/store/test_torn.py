"""Power cuts at any call: no acknowledged tick is lost, none is there twice."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from engine.protocol.limits import PLAYER_ID_BASE
from engine.store import sqlite
from engine.store.base import Last, StoreUnavailable, TickRecord
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig
from tests.unit.store.torn_kit import Disk, Op, taped

CONFIG = WorldConfig(seed=5, npcs=10, nodes=5, capacity=64)
TICKS = 60
CHECKPOINT_TICKS = 7
CUTS = 1_200
SEED = 20_261


def _records(ticks: int) -> tuple[list[TickRecord], dict[int, bytes]]:
    """Return a run's records, and its checkpoints by tick."""
    world = World.create(CONFIG)
    records, checkpoints = [], {}
    for tick in range(ticks):
        joins = [(PLAYER_ID_BASE + n, f"player-{n}") for n in range(20)] if not tick else []
        rows = [(PLAYER_ID_BASE + n, tick, 4 + n % 2, 0, 0, 0, 0) for n in range(tick and 20)]
        texts = {n: f"tick {tick}, says {n}" * 4 for n in range(0, len(rows), 2)}
        inputs = TickInputs.of(rows, joins=joins, texts=texts)
        records.append(TickRecord.of(world.step(inputs), inputs))
        if world.tick % CHECKPOINT_TICKS == 0:
            checkpoints[world.tick] = world.checkpoint()
    return records, checkpoints


def test_power_cuts_lose_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_WAL_PAGES", 12)
    records, checkpoints = _records(TICKS + 1)
    made = tmp_path / "made" / "events.db"
    made.parent.mkdir()
    with taped(monkeypatch) as tape:
        store = SqliteStore(made)
        for record in records[:TICKS]:
            store.append(record)
            tape.ops.append(Op("acked", at=record.tick))
            if record.tick + 1 in checkpoints:
                store.checkpoint(record.tick + 1, checkpoints[record.tick + 1])
        ops = list(tape.ops)
        store.close()
    random = Random(SEED)
    cuts = sorted(random.choices(range(len(ops) + 1), k=CUTS))
    disk, at = Disk(), 0
    for number, cut in enumerate(cuts):
        for op in ops[at:cut]:
            disk.play(op)
        at = cut
        kept_pct = random.choice((0, 0, 30, 70, 100))
        told = f"seed {SEED}, cut {number} after call {cut}, {kept_pct} % kept"
        path = tmp_path / f"{number}.db"
        for name, data in disk.after_a_cut(random, kept_pct).items():
            path.with_name(path.name + name.removeprefix("events.db")).write_bytes(data)
        _goes_on(path, records, disk.acked, told)
        path.unlink()


def _goes_on(path: Path, records: list[TickRecord], acked: int, told: str) -> None:
    """Recover what is in a file and append the next tick to it."""
    store = SqliteStore(path)
    try:
        last = store.last()
        newest = -1 if last is None else last.tick
        assert acked <= newest <= acked + 1, told
        assert list(store.ticks()) == records[: newest + 1], told
        recovered = recover(store, CONFIG)
        assert recovered.unusable == (), told
        assert recovered.inspection.is_whole, told
        expected = records[newest].hash if newest >= 0 else b""
        assert (recovered.world.tick, recovered.world.hash) == (newest + 1, expected), told
        if newest >= 0:
            store.append(records[newest])  # an append whose outcome was not known
        store.append(records[newest + 1])
        assert store.last() == Last(newest + 1, records[newest + 1].last_seq), told
    finally:
        store.close()


def test_a_tick_that_was_stored_though_it_failed_is_not_stored_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, _ = _records(3)
    store = SqliteStore(tmp_path / "events.db")
    store.append(records[0])
    run = store._all

    def late(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        run(sql, values)
        raise apsw.IOError("the disk failed, after all was stored")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_all", late)
        with pytest.raises(StoreUnavailable, match="after all was stored"):
            store.append(records[1])
    store.append(records[1])
    store.append(records[2])
    assert list(store.ticks()) == records
    assert store.inspect().is_whole
    store.close()


@pytest.mark.parametrize("seed", range(12))
def test_a_disk_that_fails_now_and_then_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Every call may fail, also after the tick was stored; the same tick is tried again."""
    monkeypatch.setattr(sqlite, "_WAL_PAGES", 12)
    records, checkpoints = _records(25)
    random = Random(seed)
    failed: Counter[str] = Counter()

    def fail(op: Op) -> None:
        if random.randrange(8) == 0:
            failed[op.what + op.file] += 1
            raise random.choice((apsw.FullError, apsw.IOError))(f"{op.what} {op.file} failed")

    path = tmp_path / "events.db"
    with taped(monkeypatch) as tape:
        store = SqliteStore(path)
        tape.fail = fail
        for record in records:
            while True:
                try:
                    store.append(record)
                except StoreUnavailable:
                    continue
                break
            assert store.last() == Last(record.tick, record.last_seq)
            if record.tick + 1 in checkpoints:
                with suppress(StoreUnavailable):
                    store.checkpoint(record.tick + 1, checkpoints[record.tick + 1])
        tape.fail = None
        store.close()
    assert sum(failed.values()) > 10
    store = SqliteStore(path)
    assert list(store.ticks()) == records
    assert recover(store, CONFIG).world.hash == records[-1].hash
    store.close()
