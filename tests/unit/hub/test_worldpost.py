"""The hub's post at the world: whether there is one, and its events, whatever becomes of them."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.hub import worldpost
from engine.hub.bell import Bell
from engine.hub.fold import Fold
from engine.hub.logbook import Logbook
from engine.hub.orders import WorldOrders
from engine.hub.placement import LocalPlacement
from engine.hub.plan import WorldPlace
from engine.hub.worldpost import Reports, WorldPost
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import EventBatch, Quit, WorldReady, WorldSpec, encoder
from engine.protocol.codec import frame
from engine.store.base import TickRecord
from engine.store.reading import read_events
from engine.store.sqlite import SqliteStore
from engine.world.events import TickEvents
from engine.world.inputs import TickInputs
from engine.world.world import World, WorldConfig
from tests.unit.hub.fakes import run_spec


class Apart(LocalPlacement):
    """Fake children that count as processes."""

    in_process = False


class Bench:
    """A post, and a fake world with a real log, whose ticks are published when told to."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.said: list[tuple[str, str, bool]] = []
        self.logbook = Logbook(folder / "engine.log")
        self.fold = Fold("r1", 7, 0.0, str(folder))
        self.opened = 0
        self.ready = WorldReady(4321, 8766, 1)
        self.channel: Channel | None = None
        self.hush = asyncio.Event()
        self.hush.set()
        self._store = SqliteStore(folder / "events.db")
        self._world = World.create(WorldConfig(seed=5, npcs=60, nodes=10))
        self._writer: asyncio.StreamWriter | None = None
        place = WorldPlace(
            str(folder / "events.db"), str(sockets / "events.sock"), "", b"secret", 0
        )
        reports = Reports(
            self.fold,
            lambda: 1.0,
            self.tell,
            lambda remarks: None,
            lambda why, code: None,
            Bell(),
            WorldOrders(lambda order: False),
        )
        spec = run_spec(folder, in_process=False)
        self.post = WorldPost(spec, place, Apart({"world": self.serve}), self.logbook, reports)

    def tell(self, kind: str, text: str, *, bad: bool = False) -> None:
        self.said.append((kind, text, bad))

    async def serve(self, channel: Channel) -> None:
        spec = await channel.receive()
        assert isinstance(spec, WorldSpec)
        server = await asyncio.start_unix_server(self._watched, spec.events_socket)
        await self.hush.wait()
        self.channel = channel
        channel.post(self.ready)
        try:
            while not isinstance(await channel.receive(), Quit):
                pass
        except LinkClosed:
            return
        finally:
            server.close()
            await self.cut()
            await server.wait_closed()
            Path(spec.events_socket).unlink(missing_ok=True)

    async def _watched(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.cut()
        self._writer = writer
        self.opened += 1

    def tick(self, published: bool = True) -> None:
        """Have the world tick until something happens, and store it."""
        while True:
            inputs = TickInputs.of()
            result = self._world.step(inputs)
            self._store.append(TickRecord.of(result, inputs))
            block = result.events
            if len(block.rows):
                break
        if published:
            assert self._writer is not None
            batch = EventBatch(
                result.tick, block.first_seq, len(block.rows), block.pack(), block.texts
            )
            self._writer.write(frame(encoder.encode(batch)))

    @property
    def stored(self) -> int:
        last = self._store.last()
        return 0 if last is None else last.seq

    async def cut(self, garbage: bytes = b"") -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.write(garbage)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def close(self) -> None:
        await self.post.keeper.quit(0.0)
        await self.post.aclose()
        await self.cut()
        self._store.close()
        self.logbook.close()


@pytest.fixture
async def bench(tmp_path: Path, own_place: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, own_place)
    await made.post.keeper.start()
    try:
        await until(lambda: made.opened == 1)
        yield made
    finally:
        await made.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 64], ids=["closed", "garbage"])
async def test_events_that_are_cut_off_are_read_from_the_log_and_followed_on(
    bench: Bench, garbage: bytes
) -> None:
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    await bench.cut(garbage)
    await until(lambda: any("cut off" in text for _, text, _ in bench.said))
    bench.tick(published=False)
    await until(lambda: bench.opened == 2)
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    assert bench.fold.log.missed == 0
    assert [(kind, bad) for kind, _, bad in bench.said] == [("problem", True)]


async def test_a_hole_of_many_pages_is_filled_and_not_in_the_hubs_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worldpost, "LOG_TICKS_READ_MAX", 1)
    readers: set[int] = set()

    def read(path: Path, seq: int, **most: int) -> list[TickEvents]:
        readers.add(threading.get_ident())
        return read_events(path, seq, **most)

    monkeypatch.setattr(worldpost, "read_events", read)
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    await bench.cut()
    await until(lambda: any("cut off" in text for _, text, _ in bench.said))
    for _ in range(5):
        bench.tick(published=False)
    await until(lambda: bench.opened == 2)
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    assert bench.fold.log.missed == 0
    assert readers
    assert threading.get_ident() not in readers


async def test_a_batch_that_did_not_come_is_read_from_the_log(bench: Bench) -> None:
    for published in (True, False, False, True):
        bench.tick(published)
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    assert bench.fold.log.missed == 0
    assert bench.said == []


async def test_what_recovery_took_is_in_the_log_and_what_was_passed_over_is_told(
    tmp_path: Path, own_place: Path
) -> None:
    bench = Bench(tmp_path, own_place)
    told = ("checkpoint of tick 20: it is damaged",)
    bench.ready = WorldReady(4321, 8766, 30, "recovered to tick 30: all is well", told)
    await bench.post.keeper.start()
    try:
        await until(lambda: bench.opened == 1)
    finally:
        await bench.close()
    assert "recovered to tick 30: all is well" in (tmp_path / "engine.log").read_text()
    assert bench.said == [("problem", f"the world's log: passed over: {told[0]}", True)]


async def test_events_that_cannot_be_taken_in_end_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(batch: EventBatch) -> None:
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(bench.fold, "take_events", broken)
        bench.tick()
        await until(lambda: any("RuntimeError: boom" in text for _, text, _ in bench.said))
    bench.tick(published=False)
    await until(lambda: bench.opened == 2)
    bench.tick()
    await until(lambda: bench.fold.log.last_seq == bench.stored)
    assert bench.fold.log.missed == 0


async def test_there_is_no_world_while_it_is_being_started(bench: Bench) -> None:
    assert bench.post.is_up
    bench.hush.clear()
    assert bench.channel is not None
    await bench.channel.aclose()
    await until(lambda: any(kind == "child_lost" for kind, _, _ in bench.said))
    await until(lambda: bench.post.keeper.pid != 0)
    assert not bench.post.is_up
    bench.hush.set()
    await until(lambda: bench.post.is_up and bench.opened == 2)
    assert not any("cut off" in text for _, text, _ in bench.said)
    bench.post.kill("f1")
    assert not bench.post.is_up
    bench.post.start("f1")
    await until(lambda: bench.post.is_up and bench.opened == 3)
