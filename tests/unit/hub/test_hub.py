"""A whole hub on fake children, in one process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.hub.embedded import Embedded
from engine.hub.placement import LocalPlacement
from engine.link.memory import MemoryLink
from engine.protocol.child import (
    ChildProblem,
    Go,
    SetLoad,
    SquadClear,
    SquadFault,
    SquadSpec,
    WorldSpec,
)
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Lease,
    Mark,
    Panic,
    Scope,
    SetPlayers,
    SetRate,
    Stop,
)
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Gap, Notice, Snapshot
from engine.protocol.limits import CHILD_RESTARTS_MAX, FILTER_TERMS_MAX
from engine.protocol.query import (
    EntitiesAnswer,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EventsAnswer,
    EventsQuery,
    FaultsAnswer,
    FaultsQuery,
    Refused,
    SummaryAnswer,
    SummaryQuery,
)
from engine.protocol.scenario import Scenario
from engine.protocol.summary import Summary
from tests.unit.hub.fakes import Stage, run_spec, storm_step

STORM = ArmFault("disconnect-storm", Scope(players_pct=30), hold_s=1000.0)


class Seat:
    """A console on an embedded engine."""

    def __init__(self, engine: Embedded, link: MemoryLink, stage: Stage) -> None:
        self.engine = engine
        self.link = link
        self.stage = stage
        self.notices: list[Notice | Gap] = []

    async def watch(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(20):
            while True:
                await self.link.wait()
                self.notices += self.link.take_notices()
                snapshot = self.link.take_snapshot()
                if snapshot is not None and holds(snapshot):
                    return snapshot
                assert self.link.ended is None

    def said(self, kind: str) -> list[str]:
        return [n.text for n in self.notices if isinstance(n, Notice) and n.kind == kind]


@asynccontextmanager
async def _seat(tmp_path: Path, stage: Stage | None = None, **changes: Any) -> AsyncIterator[Seat]:
    stage = stage or Stage()
    engine = Embedded(run_spec(tmp_path, **changes), LocalPlacement(stage.serve()))
    link = await engine.start()
    try:
        yield Seat(engine, link, stage)
    finally:
        await engine.aclose()


def _summary(tmp_path: Path) -> Summary:
    raw = (tmp_path / "runs" / "r1" / "summary.json").read_bytes()
    return msgspec.json.decode(raw, type=Summary)


async def test_a_run_by_its_duration(tmp_path: Path) -> None:
    async with _seat(tmp_path, duration_s=1.5, thresholds=("latency_ms.p99 < 50",)) as seat:
        snapshot = await seat.watch(lambda s: s.at_s > 1.1)
        assert snapshot.players.connected == snapshot.players.target == 10
        assert snapshot.world.pid == 1234
        assert snapshot.thresholds == (("latency_ms.p99 < 50", True),)
        await asyncio.wait_for(_ended(seat.link), 20)
        assert seat.link.ended is not None
        assert seat.link.ended.exit_code == 0, seat.link.ended
    summary = _summary(tmp_path)
    assert (summary.verdict, summary.players.connected_end) == ("held", 10)
    assert summary.duration_s >= 1.5
    assert "tick" in msgspec.to_builtins(summary)


async def _ended(link: MemoryLink) -> None:
    while link.ended is None:
        link.take_snapshot()
        link.take_notices()
        await link.wait()


def _free_base() -> int:
    """Return a base whose ports are free: what listens on them here is real."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            base = int(first.getsockname()[1])
            try:
                with socket.create_server(("127.0.0.1", base + 1)):
                    return base
            except (OSError, OverflowError):
                continue


async def test_children_are_told_what_the_plan_says(tmp_path: Path) -> None:
    base = _free_base()
    async with _seat(tmp_path, squads=2, port_base=base) as seat:
        await seat.watch(lambda s: s.players.connected == 20)
        world, *squads = seat.stage.specs
        assert isinstance(world, WorldSpec)
        assert (world.gateway_port, world.events_socket) == (base + 2, "")
        for number, squad in enumerate(squads):
            assert isinstance(squad, SquadSpec)
            assert (squad.squad, squad.squads) == (number, 2)
            assert squad.url == f"ws://127.0.0.1:{base + 2}/play"
        assert [seat.stage.told_to(squad, Go) for squad in (0, 1)] == [[Go(0.0)], [Go(0.0)]]
    assert _summary(tmp_path).players.target == 20


async def test_load_and_faults_reach_every_squad(tmp_path: Path) -> None:
    async with _seat(tmp_path, squads=2) as seat:
        assert (await seat.link.call(SetPlayers(30))).ok
        reply = await seat.link.call(STORM)
        assert reply.ok
        await seat.watch(lambda s: bool(s.faults) and s.players.target == 30)
        assert (await seat.link.call(Mark("now"))).ok
        assert (await seat.link.call(SetPlayers(1))).ok
        await seat.watch(lambda s: s.players.target == 1)
        for squad in (0, 1):
            assert SetLoad(30) in seat.stage.told_to(squad, SetLoad)
            (fault,) = seat.stage.told_to(squad, SquadFault)
            assert (fault.id, fault.params["how"], fault.hold_s) == ("f1", "rst", 1000.0)
    assert [fault.id for fault in _summary(tmp_path).faults] == ["f1"]


async def test_the_scenarios_faults_come_and_go(tmp_path: Path) -> None:
    scenario = Scenario(warm_up_s=0.0, faults=(storm_step(0.3, hold_s=0.5),))
    async with _seat(tmp_path, scenario=scenario) as seat:
        await seat.watch(lambda s: any(fault.cleared_at_s for fault in s.faults))
        await seat.watch(lambda _: bool(seat.stage.told_to(0, SquadClear)))
        assert len(seat.stage.told_to(0, SquadFault)) == 1


async def test_a_squad_that_died_is_brought_up_to_date(tmp_path: Path) -> None:
    async with _seat(tmp_path) as seat:
        await seat.link.call(SetPlayers(7))
        await seat.link.call(SetRate(2.0))
        await seat.link.call(STORM)
        before = await seat.watch(lambda s: s.commands.due > 3)
        seat.stage.told.clear()
        await seat.stage.kill("squad 0")
        await seat.watch(lambda _: bool(seat.said("child_back")))
        after = await seat.watch(lambda s: s.players.connected == 7)
        assert seat.said("child_lost")
        (go,) = seat.stage.told_to(0, Go)
        assert go.elapsed_s > 0
        assert seat.stage.told_to(0, SetLoad) == [SetLoad(7, 2.0)]
        (fault,) = seat.stage.told_to(0, SquadFault)
        assert 0 < fault.hold_s < 1000.0
        assert after.commands.due >= before.commands.due


async def test_a_world_that_died_comes_back_on_its_port(tmp_path: Path) -> None:
    async with _seat(tmp_path) as seat:
        await seat.watch(lambda s: s.tick.tick > 2)
        await seat.stage.kill("world")
        await seat.watch(lambda _: bool(seat.said("child_lost")))
        assert isinstance(await seat.link.ask(EntitiesQuery()), EntitiesAnswer | Refused)
        await seat.watch(lambda _: bool(seat.said("child_back")))
        first, second = [spec for spec in seat.stage.specs if hasattr(spec, "gateway_port")]
        assert (first.gateway_port, second.gateway_port) == (0, 4567)
        assert first.database == second.database


async def test_a_kill_holds_the_world_down_and_lets_it_up(tmp_path: Path) -> None:
    async with _seat(tmp_path, in_process=False) as seat:
        await seat.watch(lambda s: s.tick.tick > 2)
        kill = ArmFault("kill", params={"restart_after_s": 1000.0}, hold_s=1000.0)
        assert (await seat.link.call(kill)).ok
        assert (await seat.link.call(kill)).ok
        down = await seat.watch(lambda s: s.world.pid == 0)
        assert [fault.scope for fault in down.faults] == ["the world"] * 2
        assert seat.stage.told_to(0, SquadFault) == []
        assert (await seat.link.call(ClearFault("f1"))).ok
        await asyncio.sleep(0.5)
        still = await seat.watch(lambda s: s.at_s > down.at_s + 0.4)
        assert still.world.pid == 0
        assert (await seat.link.call(Panic())).ok
        await seat.watch(lambda s: s.world.pid == 1234)
        assert seat.said("child_back") != []
        faults = (await seat.watch(lambda s: s.faults[1].down_s is not None)).faults
        assert faults[0].cleared_why == "undone"
        assert faults[1].cleared_why == "panic"


async def test_a_world_in_this_process_cannot_be_killed(tmp_path: Path) -> None:
    async with _seat(tmp_path) as seat:
        reply = await seat.link.call(ArmFault("kill"))
        assert (reply.ok, reply.code) == (False, "bad_request")
        assert "--in-process" in reply.text
        answer = await seat.link.ask(FaultsQuery())
        assert isinstance(answer, FaultsAnswer)
        assert [spec.name for spec in answer.faults if not spec.available] == ["kill"]


def _told_times(seat: Seat, times: int) -> Callable[[Snapshot], bool]:
    return lambda _: len(seat.said("child_back")) >= times


async def test_kills_are_no_restarts_to_be_counted(tmp_path: Path) -> None:
    async with _seat(tmp_path, in_process=False) as seat:
        for number in range(CHILD_RESTARTS_MAX + 2):
            await seat.watch(lambda s: s.world.pid == 1234)
            assert (await seat.link.call(ArmFault("kill"))).ok
            await seat.watch(_told_times(seat, number + 1))
        assert seat.link.ended is None


async def test_a_child_that_keeps_dying_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.keeper._BACK_OFF_S", 0.001)
    async with _seat(tmp_path) as seat:
        await seat.watch(lambda s: s.tick.tick > 0)
        seat.stage.refuse = ChildProblem("the log is broken", 6)
        await seat.stage.kill("world")
        await asyncio.wait_for(_ended(seat.link), 20)
        assert seat.link.ended is not None
        assert seat.link.ended.exit_code == ExitCode.TARGET_LOST
        assert "the log is broken" in seat.link.ended.text
    assert _summary(tmp_path).verdict == "invalid"


async def test_a_world_that_cannot_start_is_a_clear_failure(tmp_path: Path) -> None:
    stage = Stage()
    stage.refuse = ChildProblem("port 8766 is in use; see --port-base", 2)
    with pytest.raises(UserError, match="port 8766") as caught:
        async with _seat(tmp_path, stage):
            pytest.fail("it started")
    assert caught.value.exit_code == ExitCode.USAGE
    assert list((tmp_path / "runs").iterdir()) == []


async def test_a_squad_that_does_not_stop_is_ended_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.hub.DRAIN_S", 0.1)
    monkeypatch.setattr("engine.hub.hub.CHILD_GRACE_S", 0.1)
    stage = Stage()
    stage.stubborn = True
    async with _seat(tmp_path, stage) as seat:
        await seat.watch(lambda s: s.commands.due > 2)
        assert (await seat.link.call(Stop())).ok
        await asyncio.wait_for(_ended(seat.link), 20)
    assert _summary(tmp_path).commands.due > 2
    assert b'"killed"' in (tmp_path / "runs" / "r1" / "engine.log").read_bytes()


async def test_queries(tmp_path: Path) -> None:
    async with _seat(tmp_path) as seat:
        await seat.watch(lambda s: s.events.stored > 20)
        ask = seat.link.ask
        answer = await ask(EntitiesQuery(where="kind=npc", sort="-hp"))
        assert isinstance(answer, EntitiesAnswer)
        assert [row.hp for row in answer.rows] == [50, 10]
        answer = await ask(EntitiesQuery(sort="hp", limit=1, after=1))
        assert isinstance(answer, EntitiesAnswer)
        assert (answer.total, answer.rows[0].id, answer.rows[0].stage) == (3, 3, "emergence")
        many_terms = " ".join(["hp>=10"] * FILTER_TERMS_MAX)
        for where, zone, kind, ids in (
            ("", 0, None, [1, 2, 3]),
            ("", 1, None, []),
            ("", None, "node", [1]),
            (many_terms, 0, "npc", [2, 3]),
        ):
            answer = await ask(EntitiesQuery(where, zone=zone, kind=kind))
            assert isinstance(answer, EntitiesAnswer)
            assert [row.id for row in answer.rows] == ids
        one = await ask(EntityQuery(2, events=5))
        assert isinstance(one, EntityAnswer)
        assert [event.kind for event in one.events] == ["died"] * 5
        assert await ask(EntityQuery(99)) == Refused("not_found", "no entity node-98")
        events = await ask(EventsQuery(where="kind=died seq<=4", limit=3))
        assert isinstance(events, EventsAnswer)
        assert [event.seq for event in events.rows] == [2, 3, 4]
        events = await ask(EventsQuery(after_seq=6, limit=3))
        assert isinstance(events, EventsAnswer)
        assert [event.seq for event in events.rows] == [7, 8, 9]
        events = await ask(EventsQuery(where="text~anything"))
        assert isinstance(events, EventsAnswer)
        assert events.rows == ()
        faults = await ask(FaultsQuery())
        assert isinstance(faults, FaultsAnswer)
        assert "disconnect-storm" in [fault.name for fault in faults.faults]
        summary = await ask(SummaryQuery())
        assert isinstance(summary, SummaryAnswer)
        assert msgspec.json.decode(summary.summary, type=Summary).run == "r1"
        for query in (
            EntitiesQuery(where="hpp<3"),
            EntitiesQuery(sort="hpp"),
            EventsQuery(where="kind=dies"),
        ):
            refused = await ask(query)
            assert isinstance(refused, Refused)
            assert refused.code == "bad_request"
            assert "did you mean" in refused.message


async def test_commands_are_recorded_but_leases_are_not(tmp_path: Path) -> None:
    import apsw

    async with _seat(tmp_path) as seat:
        await seat.link.call(Lease())
        await seat.link.call(SetPlayers(3))
        await seat.link.call(SetPlayers(-1))
    reader = apsw.Connection(str(tmp_path / "runs" / "r1" / "telemetry.db"))
    rows = reader.execute("SELECT command, ok FROM commands").fetchall()
    reader.close()
    assert rows == [('{"type":"set_players","players":3}', 1)]


async def test_a_wrong_threshold_or_fault_leaves_no_folder(tmp_path: Path) -> None:
    for changes in (
        {"thresholds": ("latency_ms.p98 < 3",)},
        {"scenario": Scenario(faults=(storm_step(1.0, name="disconnect-strom"),))},
    ):
        engine = Embedded(run_spec(tmp_path, **changes))
        with pytest.raises(UserError, match="did you mean"):
            await engine.start()
        assert list((tmp_path / "runs").iterdir()) == []
