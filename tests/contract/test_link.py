"""``MemoryLink`` and ``SocketLink`` keep the same contract."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from engine.link.base import EngineLink, LinkClosed
from engine.link.exchange import Exchange
from engine.link.memory import MemoryLink
from engine.link.server import LinkServer
from engine.link.socket import SocketLink
from engine.protocol.command import Command, Mark, Reply, SetPlayers, Stop
from engine.protocol.events import Event
from engine.protocol.feed import Ended, EventsView, Gap, Notice, Snapshot
from engine.protocol.limits import (
    EVENTS_PER_SNAPSHOT_MAX,
    LINK_CALLS_IN_FLIGHT_MAX,
    LINK_CONSOLES_MAX,
    LINK_REQUEST_BYTES_MAX,
    NOTICES_FOR_NEWCOMERS_MAX,
    NOTICES_QUEUED_MAX,
)
from engine.protocol.link_frames import Call, encoder
from engine.protocol.query import (
    Answer,
    EntitiesAnswer,
    EntitiesQuery,
    EventsQuery,
    FaultsQuery,
    Query,
    Refused,
)


class Service:
    """An engine that remembers what it was told."""

    def __init__(self) -> None:
        self.commands: list[tuple[Command, int]] = []
        self.came: list[int] = []
        self.left: list[int] = []
        self.hold = asyncio.Event()

    async def command(self, command: Command, console: int) -> Reply:
        self.commands.append((command, console))
        if isinstance(command, Stop):
            await self.hold.wait()
        return Reply(ok=True, text=f"done {len(self.commands)}")

    async def answer(self, query: Query) -> Answer:
        if isinstance(query, EventsQuery):
            await asyncio.Event().wait()
        if isinstance(query, EntitiesQuery):
            return EntitiesAnswer(tick=7, total=query.limit + query.after, rows=())
        return Refused("not_found", "nothing")

    def console_came(self, console: int) -> None:
        self.came.append(console)

    def console_left(self, console: int) -> None:
        self.left.append(console)


class Engine:
    """An exchange, the service behind it and a way to open links."""

    def __init__(self, connect: Callable[["Engine"], Awaitable[EngineLink]], path: Path) -> None:
        self.service = Service()
        self.now_s = 0.0
        self.exchange = Exchange(self.service, clock=lambda: self.now_s)
        self.told: list[str] = []
        self.server = LinkServer(self.exchange, self.told.append)
        self.path = str(path)
        self._connect = connect
        self._links: list[EngineLink] = []

    async def link(self) -> EngineLink:
        link = await self._connect(self)
        self._links.append(link)
        return link

    async def close(self) -> None:
        for link in self._links:
            await link.aclose()
        self.exchange.close()
        await self.server.aclose()


async def _over_memory(engine: Engine) -> EngineLink:
    return MemoryLink.open(engine.exchange)


async def _over_socket(engine: Engine) -> EngineLink:
    return await SocketLink.connect(engine.path)


@asynccontextmanager
async def _engine(
    connect: Callable[[Engine], Awaitable[EngineLink]], path: Path
) -> AsyncIterator[Engine]:
    engine = Engine(connect, path / "e.sock")
    await engine.server.start(engine.path)
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture(params=[_over_memory, _over_socket], ids=["memory", "socket"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    async with _engine(request.param, tmp_path) as engine:
        yield engine


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Engine]:
    async with _engine(_over_socket, tmp_path) as engine:
        yield engine


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_command_gets_its_reply(engine: Engine) -> None:
    link = await engine.link()
    assert await link.call(SetPlayers(5)) == Reply(ok=True, text="done 1")
    assert engine.service.commands == [(SetPlayers(5), engine.service.came[0])]


async def test_replies_do_not_wait_for_one_another(engine: Engine) -> None:
    link = await engine.link()
    slow = asyncio.create_task(link.call(Stop()))
    await _until(lambda: bool(engine.service.commands))
    assert (await link.call(Mark("now"))).text == "done 2"
    engine.service.hold.set()
    assert (await slow).ok


async def test_values_out_of_bounds_are_refused_and_the_link_lives_on(engine: Engine) -> None:
    link = await engine.link()
    reply = await link.call(SetPlayers(-1))
    assert (reply.ok, reply.code) == (False, "bad_request")
    answer = await link.ask(EntitiesQuery(limit=0))
    assert isinstance(answer, Refused)
    assert answer.code == "bad_request"
    assert engine.service.commands == []
    assert (await link.call(SetPlayers(1))).ok


async def test_queries_are_answered_in_pages(engine: Engine) -> None:
    link = await engine.link()
    answer = await link.ask(EntitiesQuery(limit=10, after=20))
    assert answer == EntitiesAnswer(tick=7, total=30, rows=())
    assert await link.ask(FaultsQuery()) == Refused("not_found", "nothing")


async def test_a_query_is_refused_at_its_deadline(engine: Engine) -> None:
    link = await engine.link()
    answer = await link.ask(EventsQuery(), deadline_s=0.05)
    assert isinstance(answer, Refused)
    assert answer.code == "deadline"


async def test_the_newest_snapshot_wins(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    for at_s in range(50):
        engine.exchange.publish(Snapshot(run="r", at_s=float(at_s)))
    seen = []
    while not seen or seen[-1].at_s < 49:
        await asyncio.wait_for(link.wait(), 10)
        if (snapshot := link.take_snapshot()) is not None:
            seen.append(snapshot)
    assert len(seen) <= 3
    assert link.take_snapshot() is None


async def test_events_of_a_snapshot_nobody_took_are_kept_or_counted(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    sent = 3 * EVENTS_PER_SNAPSHOT_MAX
    for seq in range(1, sent + 1):
        event = Event(seq=seq, tick=1, kind="died", stream=1, version=seq)
        engine.exchange.publish(Snapshot(run="r", events=EventsView(tail=(event,))))
    shown: list[int] = []
    left_out = 0
    while not shown or shown[-1] < sent:
        await asyncio.wait_for(link.wait(), 10)
        if (snapshot := link.take_snapshot()) is not None:
            shown += [event.seq for event in snapshot.events.tail]
            left_out += snapshot.events.left_out
            assert len(snapshot.events.tail) <= EVENTS_PER_SNAPSHOT_MAX
    assert len(shown) + left_out == sent
    assert shown == sorted(shown)


async def test_notices_come_in_order(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    notices = [Notice(float(at_s), "mark", str(at_s)) for at_s in range(20)]
    for notice in notices:
        engine.exchange.publish(notice)
    taken: list[Notice | Gap] = []
    while len(taken) < len(notices):
        await asyncio.wait_for(link.wait(), 10)
        taken += link.take_notices()
    assert taken == notices


async def test_notices_that_did_not_fit_are_told_as_a_gap(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    sent = NOTICES_QUEUED_MAX + 100
    for at_s in range(sent):
        engine.exchange.publish(Notice(float(at_s), "mark", "x" * 500))
    kept, dropped = 0, 0
    while kept + dropped < sent:
        await asyncio.wait_for(link.wait(), 10)
        for item in link.take_notices():
            if isinstance(item, Gap):
                dropped += item.dropped
            else:
                kept += 1
    assert kept + dropped == sent
    assert dropped >= 100


async def test_a_reader_that_leaves_a_lane_alone_does_not_starve_the_others(
    engine: Engine,
) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    engine.exchange.publish(Notice(1.0, "mark", "untaken"))
    await asyncio.wait_for(link.wait(), 10)
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    for _ in range(3):
        await link.wait()
    assert ran.is_set()


async def test_a_newcomer_gets_the_present_snapshot(engine: Engine) -> None:
    engine.exchange.publish(Snapshot(run="r", at_s=3.0))
    link = await engine.link()
    await asyncio.wait_for(link.wait(), 10)
    snapshot = link.take_snapshot()
    assert snapshot is not None
    assert snapshot.at_s == 3.0


async def test_a_newcomer_gets_the_newest_notices_each_once(engine: Engine) -> None:
    early = await engine.link()
    await early.call(Mark("seated"))
    told = NOTICES_FOR_NEWCOMERS_MAX + 5
    for at_s in range(told):
        engine.exchange.publish(Notice(float(at_s), "mark", str(at_s)))
    late = await engine.link()
    await late.call(Mark("seated"))
    engine.exchange.publish(Notice(999.0, "mark", "after"))
    found: list[Notice | Gap] = []
    while not found or found[-1] != Notice(999.0, "mark", "after"):
        await asyncio.wait_for(late.wait(), 10)
        found += late.take_notices()
    times = [item.at_s for item in found if isinstance(item, Notice)]
    assert times == [*range(5, told), 999.0]
    seen: list[Notice | Gap] = []
    while len(seen) < told + 1:
        await asyncio.wait_for(early.wait(), 10)
        seen += early.take_notices()
    assert len(seen) == told + 1


async def test_overruns_do_not_crowd_out_what_a_newcomer_should_know(engine: Engine) -> None:
    engine.exchange.publish(Notice(1.0, "child_lost", "the world is gone"))
    for at_s in range(2 * NOTICES_FOR_NEWCOMERS_MAX):
        engine.exchange.publish(Notice(float(at_s), "overrun", "tick"))
    late = await engine.link()
    await asyncio.wait_for(late.wait(), 10)
    found = late.take_notices()
    assert len(found) == NOTICES_FOR_NEWCOMERS_MAX
    assert found[0] == Notice(1.0, "child_lost", "the world is gone")


async def test_the_end_is_the_last_item(engine: Engine) -> None:
    link = await engine.link()
    await link.call(Mark("seated"))
    engine.exchange.publish(Notice(1.0, "run", "stops"))
    engine.exchange.publish(Ended(1, "failed", "/capsule"))
    await _until(lambda: link.ended is not None)
    assert link.ended == Ended(1, "failed", "/capsule")
    assert link.take_notices() == [Notice(1.0, "run", "stops")]


async def test_a_dead_engine_closes_the_link_and_its_calls(engine: Engine) -> None:
    link = await engine.link()
    call = asyncio.create_task(link.call(Stop()))
    await _until(lambda: bool(engine.service.commands))
    engine.exchange.close()
    with pytest.raises(LinkClosed):
        await asyncio.wait_for(call, 10)
    await asyncio.wait_for(link.wait(), 10)
    assert link.closed
    with pytest.raises(LinkClosed):
        await link.call(Mark("anyone"))
    with pytest.raises(LinkClosed):
        await link.ask(FaultsQuery())


async def test_closing_is_seen_by_the_engine(engine: Engine) -> None:
    one, other = await engine.link(), await engine.link()
    await one.call(Mark("one"))
    await other.call(Mark("other"))
    await one.aclose()
    await one.aclose()
    await _until(lambda: len(engine.service.left) == 1)
    assert one.closed
    assert not other.closed
    assert (await other.call(Mark("still here"))).ok


async def test_there_are_only_so_many_seats_but_a_silent_one_is_given_away(engine: Engine) -> None:
    links = [await engine.link() for _ in range(LINK_CONSOLES_MAX)]
    for link in links:
        await link.call(Mark("seated"))
    with pytest.raises(LinkClosed):
        await (await engine.link()).call(Mark("one too many"))
    engine.now_s += 60.0
    for link in links[1:]:
        await link.call(Mark("alive"))
    late = await engine.link()
    assert (await late.call(Mark("seated"))).ok
    await asyncio.wait_for(links[0].wait(), 10)
    await _until(lambda: links[0].closed)
    assert not links[1].closed


def _raw(engine: Engine) -> socket.socket:
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(engine.path)
    return raw


async def test_no_engine_at_the_path(tmp_path: Path) -> None:
    with pytest.raises(LinkClosed):
        await SocketLink.connect(str(tmp_path / "nobody.sock"))


@pytest.mark.parametrize(
    "poison",
    [
        b"\x00\x00\x00\x05hello",
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", LINK_REQUEST_BYTES_MAX + 1) + b"x" * 100,
        struct.pack(">I", 3) + b"\xc1\xc1\xc1",
    ],
    ids=["garbage", "http", "oversize", "no-msgpack"],
)
async def test_a_hostile_client_is_closed_and_harms_nobody(served: Engine, poison: bytes) -> None:
    link = await served.link()
    with _raw(served) as raw:
        raw.sendall(poison)
        raw.settimeout(10)
        assert await asyncio.to_thread(raw.recv, 1) == b""
    assert (await link.call(Mark("still here"))).ok
    assert any("no frame" in line for line in served.told)


async def test_half_a_frame_waits_alone(served: Engine) -> None:
    link = await served.link()
    whole = encoder.encode(Call(1, msgspec.Raw(encoder.encode(Mark("never")))))
    with _raw(served) as raw:
        raw.sendall(struct.pack(">I", len(whole)) + whole[:3])
        await _until(lambda: len(served.service.came) == 2)
        assert (await link.call(Mark("meanwhile"))).ok
    await _until(lambda: len(served.service.left) == 1)
    assert (await link.call(Mark("after"))).ok


async def test_a_client_that_never_reads_costs_a_bounded_amount(served: Engine) -> None:
    link = await served.link()
    call = encoder.encode(Call(1, msgspec.Raw(encoder.encode(Mark("again")))))
    request = struct.pack(">I", len(call)) + call
    with _raw(served) as raw:
        raw.setblocking(False)
        await _until(lambda: len(served.service.came) == 2)
        sent = 0
        stuck = 0
        while stuck < 20:
            served.exchange.publish(Snapshot(run="r", heat=bytes(100_000)))
            try:
                sent += raw.send(request * 1000)
                stuck = 0
            except BlockingIOError:
                stuck += 1
            await asyncio.sleep(0.005)
        taken = len([1 for _, console in served.service.commands if console == 2])
        assert taken < sent // len(request)
        before = len(served.service.commands)
        assert (await link.call(Mark("not me"))).ok
        assert len(served.service.commands) <= before + 1 + LINK_CALLS_IN_FLIGHT_MAX
    await _until(lambda: len(served.service.left) == 1)
