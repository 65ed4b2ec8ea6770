"""A squad on real sockets: against a few lines of server, and against the world."""

import asyncio
import logging
import os
import socket
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from engine.assault.worker import serve_squad
from engine.link.base import LinkClosed
from engine.link.channel import MemoryChannel, memory_pair
from engine.protocol.child import (
    ChildProblem,
    Go,
    SetLoad,
    SquadClear,
    SquadFault,
)
from engine.protocol.command import Scope
from engine.protocol.gateway import Bye, encoder
from engine.protocol.limits import REPORTS_PER_S_MAX
from engine.protocol.scenario import Stage
from tests.integration.gateway_kit import running_world
from tests.integration.squad_kit import (
    WAIT_S,
    Hub,
    Target,
    listening,
    running_squad,
    squad_spec,
    target,
)

pytestmark = pytest.mark.integration


async def test_players_connect_are_answered_and_leave_in_order() -> None:
    async with target() as server:
        async with running_squad(squad_spec(server.url)) as hub:
            report = await hub.report_where(lambda r: r.acknowledged > 50)
            assert (report.connected, report.target, report.lost) == (10, 10, 0)
            last = await hub.last_report()
        assert last.finished
        assert last.errors == {}
        assert (last.connected, last.lost, last.missed, last.unanswered) == (0, 0, 0, 0)
        assert last.due == last.sent == last.acknowledged == len(server.intents)
        assert {hello.name for hello in server.hellos} == {f"player-{n}" for n in range(10)}
    assert server.ends == [1000] * 10


async def test_reports_are_bounded_and_carry_the_generators_health() -> None:
    async with target() as server, running_squad(squad_spec(server.url)) as hub:
        while len(hub.reports) < 9:
            await hub.take()
        last = hub.reports[-1]
        span_s = last.at_s - hub.reports[0].at_s
        # A timer may be early by the loop's resolution, a millisecond of 250.
        assert (len(hub.reports) - 1) / span_s <= REPORTS_PER_S_MAX * 1.02
        assert last.pid == os.getpid()
        assert last.cpu_s > 0
        assert last.rss_mb > 10
        assert sum(sum(r.lateness.values()) for r in hub.reports) == last.sent
        assert sum(sum(r.loop_lag.values()) for r in hub.reports) > 100
        assert sum(sum(r.latency_now.values()) for r in hub.reports) == last.acknowledged


async def test_load_and_rate_by_hand() -> None:
    async with target() as server, running_squad(squad_spec(server.url)) as hub:
        await hub.report_where(lambda r: r.connected == 10)
        hub.channel.post(SetLoad(players=25))
        report = await hub.report_where(lambda r: r.connected == 25)
        assert report.stage == "manual"
        hub.channel.post(SetLoad(players=4, commands_per_s=0.0))
        await hub.report_where(lambda r: r.connected == 4)
        quiet = await hub.report_where(lambda r: True)
        later = await hub.report_where(lambda r: r.at_s > quiet.at_s + 0.6)
        assert later.due == quiet.due
        assert later.lost == 0


@pytest.mark.parametrize(("how", "code"), [("rst", 1006), ("fin", 1006), ("silent", None)])
async def test_a_storm_on_real_sockets(how: str, code: int | None) -> None:
    async with target() as server, running_squad(squad_spec(server.url)) as hub:
        await hub.report_where(lambda r: r.connected == 10)
        storm = SquadFault("f1", "disconnect-storm", Scope(count=4), {"how": how}, 0.0, 1, 60.0)
        hub.channel.post(storm)
        report = await hub.report_where(lambda r: r.connected == 6)
        assert (report.planned, report.lost) == ({"f1": 4}, 0)
        held = await hub.report_where(lambda r: r.missed > 20)
        assert held.affected == {"f1": 4}
        assert server.ends == ([] if code is None else [code] * 4)
        assert len(server.open) == (10 if code is None else 6)
        hub.channel.post(SquadClear("f1"))
        back = await hub.report_where(lambda r: r.connected == 10)
        assert (back.lost, back.errors) == (0, {})
        assert [hello.resume for hello in server.hellos[10:]] == ["token"] * 4


async def test_a_server_that_goes_away_and_comes_back() -> None:
    one = Target()
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    spec = squad_spec(f"ws://127.0.0.1:{port}/play", stages=(Stage("constant-players", 5, 0.0),))
    async with running_squad(spec) as hub:
        missing = await hub.report_where(lambda r: r.errors.get("refused", 0) >= 10)
        assert (missing.connected, missing.due) == (0, 0)
        async with serve(one.play, "127.0.0.1", port, compression=None):
            await hub.report_where(lambda r: r.connected == 5)
        gone = await hub.report_where(lambda r: r.lost == 5)
        assert gone.errors["closed"] >= 5
        async with serve(one.play, "127.0.0.1", port, compression=None):
            await hub.report_where(lambda r: r.connected == 5)
            last = await hub.last_report()
        assert last.due == last.sent + last.missed
        assert last.sent == last.acknowledged + last.unanswered


async def test_servers_that_are_none_of_ours_are_errors_by_name() -> None:
    async def junk(connection: ServerConnection) -> None:
        await connection.send(b"\xc1\xc1\xc1")
        await connection.wait_closed()

    async def says_bye(connection: ServerConnection) -> None:
        await connection.send(encoder.encode(Bye("full")))
        await connection.wait_closed()

    async def text(connection: ServerConnection) -> None:
        await connection.send("hello")
        await connection.wait_closed()

    def not_found(connection: ServerConnection, request: Any) -> Any:
        return connection.respond(404, "no such thing\n")

    async def no_handler(connection: ServerConnection) -> None:
        raise AssertionError("the handshake was refused")

    cases: list[tuple[Any, dict[str, Any], str]] = [
        (junk, {}, "bad_frame"),
        (says_bye, {}, "bye:full"),
        (text, {}, "bad_frame"),
        (no_handler, {"process_request": not_found}, "handshake"),
    ]
    for handler, options, kind in cases:
        async with listening(handler, **options) as url, running_squad(squad_spec(url)) as hub:
            report = await hub.report_where(lambda r, k=kind: r.errors.get(k, 0) >= 10)  # type: ignore[misc]  # mypy cannot see the default's type
            assert report.connected == 0
            assert set(report.errors) <= {kind, "closed"}


async def test_a_broken_websocket_is_a_closed_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(connection: ServerConnection) -> None:
        connection.transport.write(b"\xf3\x7f\xff\xff")
        await connection.wait_closed()

    async with listening(broken) as url, running_squad(squad_spec(url)) as hub:
        report = await hub.report_where(lambda r: r.errors.get("closed", 0) >= 10)
        assert set(report.errors) == {"closed"}
    loud = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [r for r in loud if r.name == "asyncio" or r.name.startswith("picows")] == []


async def test_against_the_world() -> None:
    async with running_world() as world:
        spec = squad_spec(
            world.url(), stages=(Stage("ramping-players", 30, 1.0),), commands_per_s=5.0
        )
        async with running_squad(spec) as hub:
            full = await hub.report_where(lambda r: r.connected == 30 and r.acknowledged > 200)
            assert full.errors == {}
            assert full.unanswered == 0
            assert full.frames_received > full.acknowledged, "updates come besides answers"
            storm = SquadFault("f1", "disconnect-storm", Scope(players_pct=50.0), {}, 0.0, 1, 60.0)
            hub.channel.post(storm)
            await world.report_where(lambda r: r.connected == 15)
            hub.channel.post(SquadClear("f1"))
            back = await hub.report_where(lambda r: r.connected == 30)
            assert back.lost == 0
            last = await hub.last_report()
        assert last.sent == last.acknowledged
        assert last.unanswered == 0
        assert set(last.errors) <= {"duplicate_answer"}, "a resend may cross its first answer"
        await world.report_where(lambda r: r.connected == 0)


async def test_what_cannot_be_is_said_and_ends_the_squad() -> None:
    for spec, says in (
        (squad_spec("ws://127.0.0.1:1/", driver="sead"), "did you mean 'seed'"),
        (squad_spec("ws://127.0.0.1:1/", mix={"knight": 1.0}), "unknown behaviour 'knight'"),
        (Go(), "spec"),
    ):
        ours, theirs = memory_pair()
        ours.post(spec)
        await asyncio.wait_for(serve_squad(theirs), WAIT_S)
        problem = await ours.receive()
        assert isinstance(problem, ChildProblem)
        assert says in problem.message
        with pytest.raises(LinkClosed):
            await ours.receive()


async def test_a_hub_that_vanishes_ends_the_squad_in_process() -> None:
    async with target() as server:
        ours, theirs = memory_pair()
        task = asyncio.create_task(serve_squad(theirs))
        hub = Hub(ours)
        ours.post(squad_spec(server.url))
        await hub.take()
        ours.post(Go())
        await hub.report_where(lambda r: r.connected == 10)
        await ours.aclose()
        await asyncio.wait_for(task, WAIT_S)
        assert isinstance(ours, MemoryChannel)
