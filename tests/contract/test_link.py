"""``MemoryLink`` and ``SocketLink`` keep the same contract: calls, seats, hostile clients."""

import asyncio
import socket
import struct
from pathlib import Path

import msgspec
import pytest

from engine.link.base import LinkClosed
from engine.link.socket import SocketLink
from engine.protocol.command import Mark, Reply, SetPlayers, Stop
from engine.protocol.feed import Snapshot
from engine.protocol.limits import (
    LINK_CALLS_IN_FLIGHT_MAX,
    LINK_CONSOLES_MAX,
    LINK_REQUEST_BYTES_MAX,
)
from engine.protocol.link_frames import Call, encoder
from engine.protocol.query import (
    EntitiesAnswer,
    EntitiesQuery,
    EventsQuery,
    FaultsQuery,
    Refused,
)
from tests.contract.link_kit import Engine, until


async def test_a_command_gets_its_reply(engine: Engine) -> None:
    link = await engine.link()
    assert await link.call(SetPlayers(5)) == Reply(ok=True, text="done 1")
    assert engine.service.commands == [(SetPlayers(5), engine.service.came[0])]


async def test_replies_do_not_wait_for_one_another(engine: Engine) -> None:
    link = await engine.link()
    slow = asyncio.create_task(link.call(Stop()))
    await until(lambda: bool(engine.service.commands))
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


async def test_a_dead_engine_closes_the_link_and_its_calls(engine: Engine) -> None:
    link = await engine.link()
    call = asyncio.create_task(link.call(Stop()))
    await until(lambda: bool(engine.service.commands))
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
    await until(lambda: len(engine.service.left) == 1)
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
    await until(lambda: links[0].closed)
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
        await until(lambda: len(served.service.came) == 2)
        assert (await link.call(Mark("meanwhile"))).ok
    await until(lambda: len(served.service.left) == 1)
    assert (await link.call(Mark("after"))).ok


async def test_a_client_that_never_reads_costs_a_bounded_amount(served: Engine) -> None:
    link = await served.link()
    call = encoder.encode(Call(1, msgspec.Raw(encoder.encode(Mark("again")))))
    request = struct.pack(">I", len(call)) + call
    with _raw(served) as raw:
        raw.setblocking(False)
        await until(lambda: len(served.service.came) == 2)
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
    await until(lambda: len(served.service.left) == 1)
