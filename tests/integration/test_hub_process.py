"""Real hubs with real worlds, squads and sockets; killed in every way."""

import asyncio
import os
import signal
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.link import places
from engine.protocol.command import ArmFault, Scope
from engine.protocol.errors import ExitCode
from engine.protocol.feed import Snapshot
from engine.protocol.limits import CHILD_GRACE_S
from engine.protocol.query import EntitiesAnswer, EntitiesQuery, EventsAnswer, EventsQuery
from engine.protocol.spec import HubFailed, HubReady
from engine.protocol.summary import Summary
from tests.integration.hub_process import Place, Run, children_of, is_alive, until
from tests.machine import MARGIN_S, is_good_end, ports_of_a_base

pytestmark = pytest.mark.integration


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as place:
        yield place


def _all_connected(snapshot: Snapshot) -> bool:
    players = snapshot.players
    return players.connected == players.target > 0 and snapshot.commands.acknowledged > 0


def _memory_of(pid: int) -> list[Path]:
    return list(Path("/dev/shm").glob(f"seedstorm-{pid}-*"))


def _summary(run: Run) -> Summary:
    raw = (Path(run.ready.capsule) / "summary.json").read_bytes()
    return msgspec.json.decode(raw, type=Summary)


async def test_a_run_from_its_start_to_its_last_word(place: Place) -> None:
    run = await place.start(place.spec())
    snapshot = await run.watch(
        lambda s: _all_connected(s) and s.at_s > 3 and bool(s.events.tail), "players play"
    )
    assert snapshot.world.alive > 0
    assert sum(snapshot.heat) > 0
    assert len(snapshot.series.players) >= 2
    assert snapshot.tick.tick > 10
    answer = await run.link.ask(EntitiesQuery(where="kind=player", limit=5))
    assert isinstance(answer, EntitiesAnswer)
    assert (answer.total, len(answer.rows)) == (20, 5)
    events = await run.link.ask(EventsQuery(where="kind=joined"))
    assert isinstance(events, EventsAnswer)
    assert len(events.rows) == 20
    ended = await run.end()
    summary = _summary(run)
    assert is_good_end(summary), summary.reasons
    assert ended.exit_code == run.process.returncode == summary.exit_code
    assert summary.players.connected_max == summary.players.connected_end == 20
    assert summary.commands.unanswered == 0
    assert summary.commands.acknowledged == summary.commands.sent == summary.latency_ms.count
    capsule = Path(run.ready.capsule)
    assert stat.S_IMODE(capsule.stat().st_mode) == 0o700
    assert stat.S_IMODE((capsule / "token").stat().st_mode) == 0o600
    names = {path.name for path in capsule.iterdir()}
    assert names >= {"manifest.json", "scenario.toml", "ports.json", "events.db", "engine.log"}
    with sqlite3.connect(capsule / "telemetry.db") as telemetry:
        (seconds,) = telemetry.execute("SELECT count(*) FROM seconds").fetchone()
        (told,) = telemetry.execute("SELECT count(*) FROM notes").fetchone()
    telemetry.close()
    assert seconds >= 2
    assert told >= 2
    for line in (capsule / "engine.log").read_bytes().splitlines():
        assert "event" in msgspec.json.decode(line)
    assert place.left() == []


async def test_a_killed_squad_comes_back_with_its_players_load_and_faults(place: Place) -> None:
    run = await place.start(place.spec(squads=2))
    await run.watch(_all_connected, "players play")
    reply = await run.link.call(
        ArmFault("disconnect-storm", Scope(players_pct=50), {"how": "fin"}, hold_s=3600.0)
    )
    assert reply.ok, reply
    await run.watch(lambda s: s.players.connected == 10, "the storm")
    before = run.snapshots[-1]
    killed = next(pid for pid, line in children_of(run.pid).items() if "engine.assault" in line)
    os.kill(killed, signal.SIGKILL)
    await run.watch(lambda _: bool(run.said("child_back")), "the squad is back")
    await run.watch(lambda s: s.players.connected == 10, "its players are back, the storm too")
    assert any("signal 9" in text for text in run.said("child_lost"))
    after = run.snapshots[-1]
    assert after.commands.acknowledged >= before.commands.acknowledged
    dues = [snapshot.commands.due for snapshot in run.snapshots]
    assert dues == sorted(dues)
    assert (await run.end()).exit_code == ExitCode.INVALID
    summary = _summary(run)
    assert summary.players.lost > 0
    assert "samples are lost" in summary.reasons[0]


async def test_a_killed_world_comes_back_on_its_port_and_log(place: Place) -> None:
    run = await place.start(place.spec())
    before = await run.watch(lambda s: _all_connected(s) and s.tick.tick > 10, "players play")
    ports = (Path(run.ready.capsule) / "ports.json").read_bytes()
    os.kill(run.child("engine.server"), signal.SIGKILL)
    await run.watch(lambda _: bool(run.said("child_back")), "the world is back")
    after = await run.watch(
        lambda s: _all_connected(s) and s.commands.acknowledged > before.commands.acknowledged + 20,
        "players play again",
    )
    assert after.tick.tick > before.tick.tick
    assert after.events.stored > before.events.stored
    assert (Path(run.ready.capsule) / "ports.json").read_bytes() == ports
    await run.end()
    assert place.left() == []


async def test_children_and_memory_go_with_a_killed_hub(place: Place) -> None:
    run = await place.start(place.spec(squads=2))
    await run.watch(lambda s: _all_connected(s) and s.story.narrator == "telling", "all are there")
    children = children_of(run.pid)
    assert len(children) == 5  # the world, two squads, the narrator, the indexer
    assert len(_memory_of(run.pid)) == 1
    run.process.kill()
    within_s = CHILD_GRACE_S + MARGIN_S
    await until(lambda: not any(is_alive(pid) for pid in children), "children gone", within_s)
    assert _memory_of(run.pid) == []
    await until(lambda: run.link.closed, "the console is told")
    await run.link.aclose()
    assert "r1.json" in place.left()
    run.process.wait()
    assert places.running(place.base) == []
    assert place.left() == []


async def test_two_runs_at_once(place: Place) -> None:
    specs = place.spec("one"), place.spec("two")
    one, other = await asyncio.gather(*(place.start(spec) for spec in specs))
    await one.watch(_all_connected, "players play")
    await other.watch(_all_connected, "players play")
    assert sorted(entry.run for entry in places.running(place.base)) == ["one", "two"]
    await one.end()
    assert is_good_end(_summary(one))
    at_s = other.snapshots[-1].at_s
    await other.watch(lambda s: s.at_s > at_s + 1, "the other goes on")
    await other.end()
    assert is_good_end(_summary(other))


async def test_a_second_engine_of_the_name_is_refused_and_harms_nothing(place: Place) -> None:
    run = await place.start(place.spec("one"))
    before = place.left()
    runs_dir = str(place.base / "elsewhere")
    word = await place.first_word(place.spawn(place.spec("one", runs_dir=runs_dir)))
    assert isinstance(word, HubFailed)
    assert f"the engine one (pid {run.pid}" in word.message
    assert place.left() == before
    await run.watch(_all_connected, "players play on")
    await run.end()
    assert is_good_end(_summary(run))


async def test_a_hangup_is_nothing_and_a_second_signal_ends_at_once(place: Place) -> None:
    run = await place.start(place.spec())
    await run.watch(_all_connected, "players play")
    os.kill(run.pid, signal.SIGHUP)
    at_s = run.snapshots[-1].at_s
    await run.watch(lambda s: s.at_s > at_s + 1, "the run goes on")
    os.kill(run.child("engine.assault"), signal.SIGSTOP)
    os.kill(run.pid, signal.SIGINT)
    await run.watch(lambda s: s.state == "draining", "the squad is waited for")
    await run.end(signal.SIGINT)
    assert _summary(run).run == "r1"
    assert place.left() == []


async def _failure(place: Place, **changes: Any) -> HubFailed:
    process = place.spawn(place.spec(**changes))
    word = await place.first_word(process)
    assert isinstance(word, HubFailed), word
    await until(lambda: process.poll() is not None, "the hub's exit")
    assert process.returncode == word.exit_code
    assert place.left() == []
    return word


async def test_a_port_in_use(place: Place) -> None:
    with ports_of_a_base(2) as base:
        word = await _failure(place, port_base=base)
    assert word.exit_code == 2
    assert str(base + 2) in word.message
    assert not list((place.base / "runs").iterdir())


async def test_a_runs_folder_that_cannot_be(place: Place) -> None:
    (place.base / "file").write_text("in the way")
    for where in (place.base / "file" / "runs", Path("/proc/runs")):
        word = await _failure(place, runs_dir=str(where))
        assert word.exit_code == 2
        assert str(where) in word.message
        assert "--runs-dir" in word.message


async def test_a_run_of_the_same_name(place: Place) -> None:
    (place.base / "runs" / "r1").mkdir(parents=True)
    word = await _failure(place)
    assert word.exit_code == 2
    assert (place.base / "runs" / "r1").is_dir()


async def test_no_specification(place: Place) -> None:
    word = await place.first_word(place.spawn(b'{"run": 3}'))
    assert isinstance(word, HubFailed)
    assert word.exit_code == 2


async def test_a_signal_during_the_start(place: Place) -> None:
    process = place.spawn(place.spec())
    await until(lambda: bool(children_of(process.pid)), "the world starts")
    process.terminate()
    word = await place.first_word(process)
    # A machine so quick that the run had begun by then stops it in order.
    assert isinstance(word, HubReady) or word.exit_code == 4
    await until(lambda: process.poll() is not None, "the hub's exit")
    assert place.left() == []
    assert _memory_of(process.pid) == []
