"""The world behind the gateway: its log, its readers, its process, and how it ends."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.link.base import LinkClosed
from engine.link.channel import SocketChannel
from engine.protocol import gateway as wire
from engine.protocol.child import (
    ChildProblem,
    EventBatch,
    Quit,
    WorldReady,
    WorldReport,
    from_child_decoder,
)
from engine.protocol.codec import Deframer
from engine.protocol.errors import ExitCode
from engine.protocol.limits import CHILD_FRAME_BYTES_MAX, CHILD_GRACE_S
from engine.server.shared import SharedState
from engine.store.base import StoreFull
from engine.store.memory import MemoryStore
from engine.store.sqlite import SqliteStore
from tests.integration.gateway_kit import (
    WAIT_S,
    Running,
    player,
    problem_of,
    running_world,
    world_spec,
)
from tests.machine import MARGIN_S, shared_memory_name

pytestmark = pytest.mark.integration


class Process:
    """A world in a process of its own."""

    def __init__(self) -> None:
        self._near, far = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.server", str(far.fileno())],
            pass_fds=[far.fileno()],
        )
        far.close()
        self.channel: SocketChannel | None = None

    async def start(self, **changes: Any) -> Running:
        self.channel = await SocketChannel.over(self._near, from_child_decoder)
        self.channel.post(world_spec(**changes))
        first = await asyncio.wait_for(self.channel.receive(), WAIT_S)
        assert isinstance(first, WorldReady), first
        assert first.pid == self.process.pid
        return Running(self.channel, first)  # type: ignore[arg-type]  # only ``ready`` is used

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, WAIT_S)

    async def finish(self) -> None:
        """Tell it to stop and wait until it has."""
        assert self.channel is not None
        self.channel.post(Quit())
        assert await self.ended() == 0

    async def aclose(self) -> None:
        if self.channel is not None:
            await self.channel.aclose()
        self._near.close()
        if self.process.poll() is None:
            self.process.kill()
        await self.ended()


@pytest.fixture
async def process():
    process = Process()
    yield process
    await process.aclose()


@pytest.fixture
async def second_process():
    process = Process()
    yield process
    await process.aclose()


async def test_after_a_kill_the_world_goes_on_where_its_log_ends(
    tmp_path: Path, process: Process, second_process: Process
):
    database = str(tmp_path / "events.db")
    world = await process.start(database=database)
    assert world.ready.tick == 0
    async with player(world) as ada, player(world) as guest:
        welcome = await ada.hello("player-1")
        met = await guest.hello("Zo\u00eb")
        ack = await ada.ask(seq=7, kind="move", x=welcome.x, y=welcome.y - 60)
        process.process.send_signal(signal.SIGKILL)
        await ada.closed()
        await guest.closed()
    await process.ended()
    world = await second_process.start(database=database)
    assert world.ready.tick > ack.tick
    async with player(world) as ada, player(world) as guest:
        again = await ada.hello("player-1", welcome.resume_token)
        assert (again.player, again.seq) == (welcome.player, 7)
        assert (again.x, again.y) == (welcome.x, welcome.y - 60)
        assert again.tick >= world.ready.tick
        assert (await guest.hello("Zo\u00eb")).player == met.player
        assert (await ada.ask(seq=8, kind="rest")).verdict == "permit"


@pytest.mark.parametrize(("ticks", "events"), [(5, 10**9), (10**9, 30)])
async def test_a_log_with_checkpoints_is_recovered_too(tmp_path: Path, ticks: int, events: int):
    spec: dict[str, Any] = {
        "database": str(tmp_path / "events.db"),
        "interval_ms": 10,
        "checkpoint_ticks": ticks,
        "checkpoint_events": events,
    }
    async with running_world(**spec) as world, player(world) as ada:
        welcome = await ada.hello("player-1")
        await ada.ask(seq=3, kind="move", x=welcome.x, y=welcome.y - 20)
        await world.report_where(lambda report: report.tick > 30)
    store = SqliteStore(tmp_path / "events.db")
    saved = store.checkpoint_ticks()
    last = store.last()
    store.close()
    assert last is not None
    assert len(saved) > 2
    assert 0 <= last.tick + 1 - saved[-1] <= 15
    async with running_world(**spec) as world, player(world) as ada:
        assert world.ready.tick == last.tick + 1
        again = await ada.hello("player-1")
        assert (again.seq, again.y) == (3, welcome.y - 20)


async def test_the_process_ends_when_its_channel_closes_and_leaves_nothing(
    tmp_path: Path, process: Process
):
    name = shared_memory_name()
    events = tmp_path / "events.sock"
    world = await process.start(
        database=str(tmp_path / "events.db"), events_socket=str(events), shared_memory=name
    )
    assert events.is_socket()
    assert Path("/dev/shm", name).exists()
    async with player(world) as ada:
        await ada.hello("player-1")
        os.kill(process.process.pid, signal.SIGINT)  # ctrl+c is the hub's business
        assert (await ada.ask(seq=1, kind="rest")).verdict == "permit"
        assert process.channel is not None
        await process.channel.aclose()
        assert (await ada.expect(wire.Bye)).reason == "the world stops"
        ended = await ada.closed()
        assert ended.rcvd is not None
        assert ended.rcvd.code == 1001
    assert await asyncio.wait_for(process.ended(), CHILD_GRACE_S + MARGIN_S) == 0
    assert not events.exists()
    assert not Path("/dev/shm", name).exists()
    assert not (tmp_path / "events.db-wal").exists()


@pytest.mark.parametrize("how", ["quit", "term"])
async def test_the_process_ends_when_it_is_told(process: Process, how: str):
    await process.start()
    assert process.channel is not None
    if how == "quit":
        process.channel.post(Quit())
    else:
        process.process.terminate()
    last: object = None
    with contextlib.suppress(LinkClosed):
        while True:
            last = await asyncio.wait_for(process.channel.receive(), WAIT_S)
    assert isinstance(last, WorldReport)
    assert await process.ended() == 0


async def test_a_port_in_use_is_named_with_the_flag(process: Process):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        problem = await problem_of(gateway_port=port)
        assert problem.exit_code == ExitCode.USAGE
        assert str(port) in problem.message
        assert "--port-base" in problem.message
        assert "\n" not in problem.message
        with pytest.raises(AssertionError, match="--port-base"):
            await process.start(gateway_port=port)
        assert await process.ended() == ExitCode.USAGE


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway_host": "192.0.2.1"},
        {"gateway_host": "no.such.name.invalid"},
        {"database": "/nonexistent/events.db"},
        {"events_socket": "/nonexistent/events.sock"},
        {"events_socket": "/tmp/" + "x" * 120},
        {"shared_memory": "../escape"},
        {"npcs": 400, "nodes": 400, "capacity": 100},
    ],
)
async def test_a_world_that_cannot_start_says_why_in_one_line(changes: dict[str, Any]):
    problem = await problem_of(**changes)
    assert problem.exit_code in (ExitCode.USAGE, ExitCode.OWN_FAULT)
    assert problem.message
    assert "\n" not in problem.message


async def test_no_spec_is_a_problem(process: Process):
    channel = await SocketChannel.over(process._near, from_child_decoder)
    process.channel = channel
    channel.post(Quit())
    first = await asyncio.wait_for(channel.receive(), WAIT_S)
    assert isinstance(first, ChildProblem)
    assert await process.ended() == ExitCode.OWN_FAULT


async def test_while_the_store_is_full_ticks_pause_and_nothing_is_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
):
    full = False
    append = MemoryStore.append

    def may_append(store: MemoryStore, record: Any) -> None:
        if full:
            raise StoreFull("no space left")
        append(store, record)

    monkeypatch.setattr(MemoryStore, "append", may_append)
    async with running_world() as world, player(world) as ada, player(world) as bob:
        await ada.hello("player-1")
        full = True
        await ada.send(wire.Intent(seq=1, kind="rest"))
        await bob.send(wire.Hello(name="player-2"))
        report = await world.report_where(lambda report: report.store_error)
        assert "no space left" in report.store_error
        batches = len(world.batches)
        paused_at = report.tick
        assert report.events_stored == sum(batch.count for batch in world.batches)
        for _ in range(3):
            report = await world.report()
            assert report.store_error
            assert report.tick == paused_at
        assert len(world.batches) == batches
        assert bob.seen == []
        full = False
        assert (await ada.expect(wire.Ack)).seq == 1
        assert (await bob.expect(wire.Welcome)).player
        before_ack = ada.seen[: next(i for i, m in enumerate(ada.seen) if isinstance(m, wire.Ack))]
        shown = [message.tick for message in before_ack if isinstance(message, wire.Delta)]
        assert max(shown, default=0) <= paused_at
        report = await world.report_where(lambda report: not report.store_error)
        assert report.tick > paused_at
        ticks = [batch.tick for batch in world.batches]
        assert ticks == list(range(len(ticks)))


@pytest.mark.parametrize("where", ["in this process", "in its own, on uvloop"])
async def test_readers_get_every_batch_and_the_state_without_asking_the_world(
    tmp_path: Path, process: Process, where: str
):
    name = shared_memory_name()
    events = tmp_path / "events.sock"
    places = {"events_socket": str(events), "shared_memory": name}
    async with contextlib.AsyncExitStack() as stack:
        if where == "in this process":
            world = await stack.enter_async_context(running_world(**places))
        else:
            world = await process.start(**places)
            stack.push_async_callback(process.finish)
        reader, writer = await asyncio.open_unix_connection(events)
        shared = SharedState.attach(name)
        async with player(world) as ada:
            welcome = await ada.hello("player-1")
            ack = await ada.ask(seq=1, kind="move", x=welcome.x, y=welcome.y - 30)
            deframer = Deframer(CHILD_FRAME_BYTES_MAX)
            batches: list[EventBatch] = []
            while not (batches and batches[-1].tick >= ack.tick):
                data = await asyncio.wait_for(reader.read(2**16), WAIT_S)
                for payload in deframer.feed(data):
                    message = from_child_decoder.decode(payload)
                    assert isinstance(message, EventBatch)
                    batches.append(message)
            tick, columns = shared.read()
        writer.close()
        await writer.wait_closed()
        shared.close()
    ticks = [batch.tick for batch in batches]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    for before, after in itertools.pairwise(batches):
        assert after.first_seq == before.first_seq + before.count
    assert tick >= ack.tick
    row = columns["id"].tolist().index(welcome.player)
    assert columns["y"][row] == welcome.y - 30
    assert columns["last_seq"][row] == 1


async def test_reports_tell_every_tick_once_and_count_on():
    async with running_world(interval_ms=20) as world:
        async with player(world) as ada:
            await ada.hello("player-1")
            await ada.ask(seq=1, kind="rest")
            await ada.ask(seq=2, kind="attack", target=4_000_000)
            for _ in range(4):
                await world.report()
        rows = [row for report in world.reports for row in report.ticks]
        assert [row.tick for row in rows] == list(range(len(rows)))
        assert sum(row.intents for row in rows) == 2
        assert sum(row.denied for row in rows) == 1
        for row in rows:
            parts = row.govern_ms + row.step_ms + row.react_ms + row.hash_ms
            assert 0 < parts < row.ms
            assert row.append_ms + row.fan_out_ms <= row.ms
        last = world.reports[-1]
        assert last.cpu_s > 0
        assert last.rss_mb > 0
        assert last.frames_sent > 0
        assert last.bytes_sent > last.frames_sent
        assert len(last.state_hash) == 64
        assert last.events_stored >= sum(row.events for row in rows)


async def test_a_stalled_append_is_named(monkeypatch: pytest.MonkeyPatch):
    import time

    append = MemoryStore.append

    def slowly(store: MemoryStore, record: Any) -> None:
        if record.tick == 3:
            time.sleep(0.12)  # the stall under test
        append(store, record)

    monkeypatch.setattr(MemoryStore, "append", slowly)
    async with running_world() as world:
        # A busy machine stalls ticks of its own, before and after this one.
        await world.report_where(
            lambda report: any(stall.startswith("tick 3: append took ") for stall in report.stalls)
        )
        rows = {row.tick: row for each in world.reports for row in each.ticks}
        assert rows[3].overrun
        assert rows[3].append_ms >= 120
        assert rows[4].late_ms > 0


def test_the_spec_is_sent_as_it_is():
    spec = world_spec()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=type(spec)) == spec
