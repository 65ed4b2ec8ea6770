"""A disk without room, a real one: nothing is acknowledged, nothing is lost, and it goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from engine.protocol import gateway as wire
from engine.protocol.errors import UserError
from engine.store.base import StoreFull, TickRecord
from engine.store.recover import recover
from engine.store.sqlite import SqliteStore
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig
from tests.integration.gateway_kit import player, running_world

pytestmark = pytest.mark.integration

DISK_BYTES = 2 * 1024 * 1024
CONFIG = WorldConfig(seed=5, npcs=10, nodes=5, capacity=64)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("a disk without room needs mount, which is not installed")
    if done.returncode:
        pytest.skip(f"a disk without room needs a tmpfs of its own: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Ballast:
    """A file that takes all the room there is on a disk."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "ballast"

    def load(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            for size in (65536, 4096):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def drop(self) -> None:
        self._path.unlink()


def _record(world: World) -> TickRecord:
    """Return the next tick, with text that no compressor makes small."""
    noise = blake3(world.tick.to_bytes(4, "big")).hexdigest(60)
    inputs = TickInputs.of(joins=[(2_000_000 + world.tick, noise)])
    return TickRecord.of(world.step(inputs), inputs)


def _stored(store: SqliteStore, record: TickRecord) -> bool:
    try:
        store.append(record)
    except StoreFull:
        return False
    return True


def test_a_store_without_room_goes_on_when_there_is_some(disk: Path) -> None:
    store, world, ballast = SqliteStore(disk / "events.db"), World.create(CONFIG), Ballast(disk)
    records = []
    for _ in range(3):
        records.append(_record(world))
        store.append(records[-1])
    checkpoint = os.urandom(DISK_BYTES)
    for _ in range(3):
        ballast.load()
        # What the write-ahead log has room for, it takes.
        record = _record(world)
        while _stored(store, record):
            records.append(record)
            record = _record(world)
        for _ in range(3):
            assert not _stored(store, record)
            with pytest.raises(StoreFull):
                store.checkpoint(world.tick, checkpoint)
        assert list(store.ticks()) == records
        ballast.drop()
        store.append(record)
        records.append(record)
        assert list(store.ticks()) == records
    store.checkpoint(world.tick, world.checkpoint())
    assert recover(store, CONFIG).world.hash == world.hash
    store.close()
    again = SqliteStore(disk / "events.db")
    recovered = recover(again, CONFIG)
    assert (recovered.world.hash, recovered.inspection.is_whole) == (world.hash, True)
    assert list(again.ticks()) == records
    again.close()


def test_a_store_that_has_no_room_to_begin_says_so(disk: Path) -> None:
    Ballast(disk).load()
    with pytest.raises(UserError, match=r"events\.db"):
        SqliteStore(disk / "events.db")


async def test_a_world_without_room_waits_and_goes_on(disk: Path) -> None:
    ballast = Ballast(disk)
    database = str(disk / "events.db")
    async with running_world(database=database) as world, player(world) as ada:
        await ada.hello("player-1")
        assert (await ada.ask(seq=1, kind="rest")).seq == 1
        ballast.load()
        report = await world.report_where(lambda report: report.store_error)
        assert "full" in report.store_error
        paused_at = report.tick
        await ada.send(wire.Intent(seq=2, kind="say", text="is anybody there?"))
        for _ in range(3):
            report = await world.report()
            assert (report.tick, bool(report.store_error)) == (paused_at, True)
        assert not [ack for ack in ada.seen if isinstance(ack, wire.Ack) and ack.seq == 2]
        ballast.drop()
        ack = await ada.expect(wire.Ack)
        assert (ack.seq, ack.tick) == (2, max(ack.tick, paused_at + 1))
        await world.report_where(lambda report: not report.store_error)
        ticks = [batch.tick for batch in world.batches]
        assert ticks == list(range(len(ticks)))
    store = SqliteStore(Path(database))
    assert store.inspect().is_whole
    said = [event for event in store.events(0, 100_000) if event.kind == "said"]
    assert [event.text for event in said] == ["is anybody there?"]
    store.close()
