"""Every process of a run killed while faults are armed: the design's promises, kept in time."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.link.places import RunEntry, running
from engine.link.socket import SocketLink
from engine.protocol.command import ArmFault, Scope, Stop
from engine.protocol.feed import FaultView, Snapshot
from engine.protocol.limits import CHILD_GRACE_S, LEASE_S
from tests.integration.hub_process import (
    PATIENCE_S,
    QUICK,
    Place,
    Run,
    children_of,
    is_alive,
    until,
)
from tests.machine import MARGIN_S
from tests.specs import at_once
from tests.terminal.pty_screen import PtyScreen

pytestmark = pytest.mark.integration


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as place:
        yield place


def _by_name(snapshot: Snapshot) -> dict[str, FaultView]:
    return {fault.name: fault for fault in snapshot.faults}


async def _arm_everything(run: Run) -> None:
    """Arm one fault of each kind, for an hour; the world stays down."""
    await run.watch(lambda s: s.players.connected == 20, "players play")
    for wish in (
        ArmFault("disconnect-storm", Scope(count=5), hold_s=3600.0),
        ArmFault("latency", Scope(players_pct=50), {"ms": 30.0}, hold_s=3600.0),
    ):
        reply = await run.link.call(wish)
        assert reply.ok, reply
    await run.watch(
        lambda s: s.players.connected == 15 and _by_name(s)["latency"].affected > 0,
        "both do harm",
    )


async def test_a_killed_squad_finds_every_fault_armed_again(place: Place) -> None:
    run = await place.start(place.spec(squads=2))
    await _arm_everything(run)
    killed = next(pid for pid, line in children_of(run.pid).items() if "engine.assault" in line)
    os.kill(killed, signal.SIGKILL)
    await run.watch(lambda _: bool(run.said("child_back")), "the squad is back")
    back = await run.watch(lambda s: s.players.connected == 15, "and its players, but for five")
    assert all(fault.cleared_at_s is None for fault in back.faults)
    before = back.commands.acknowledged
    slow = await run.watch(
        lambda s: s.commands.acknowledged > before + 40 and s.latency_ms.p99 > 60.0,
        "its players are slow again",
    )
    assert _by_name(slow)["latency"].planned == 10
    await run.end()
    assert place.left() == []


async def test_a_killed_narrator_is_back_and_the_faults_never_noticed(place: Place) -> None:
    # Twenty who quarrel give a story every few seconds; twenty who wander, one in a minute.
    quarrel = at_once(20, mix={"raider": 1.0, "trader": 1.0})
    run = await place.start(place.spec(squads=2, scenario=quarrel, commands_per_s=4.0))
    await _arm_everything(run)
    await run.watch(lambda s: s.story.narrator == "telling", "stories are told")
    before = run.snapshots[-1]
    os.kill(run.child("narrative.process"), signal.SIGKILL)
    await run.watch(lambda s: s.story.narrator == "gone", "its absence shows")
    back = await run.watch(lambda s: s.story.narrator == "telling", "the narrator is back")
    assert any("narrator" in text and "signal 9" in text for text in run.said("child_lost"))
    assert all(fault.cleared_at_s is None for fault in back.faults)
    assert back.players.connected == 15
    told = max(back.story.beats, before.story.beats)
    await run.watch(lambda s: s.story.beats > told, "it tells more")
    assert back.tick.tick > before.tick.tick
    await run.end()
    assert place.left() == []


async def test_a_killed_hub_takes_everything_along_also_a_world_that_is_held_down(
    place: Place,
) -> None:
    run = await place.start(place.spec(squads=2))
    await _arm_everything(run)
    children = children_of(run.pid)
    reply = await run.link.call(ArmFault("kill", params={"restart_after_s": 600.0}, hold_s=600.0))
    assert reply.ok, reply
    await run.watch(lambda s: s.world.pid == 0, "the world is down")
    run.process.kill()
    gone_s = CHILD_GRACE_S + MARGIN_S
    await until(lambda: not any(is_alive(pid) for pid in children), "children gone", gone_s)
    await until(lambda: run.link.closed, "the console is told")
    await run.link.aclose()
    run.process.wait()
    assert running(place.base) == []
    assert place.left() == []
    assert not list(Path("/dev/shm").glob(f"seedstorm-{run.pid}-*"))


async def test_a_killed_console_leaves_the_run_and_takes_its_faults(
    tmp_path: Path, own_place: Path
) -> None:
    (tmp_path / "quick.toml").write_text(QUICK)
    words = ["run", "quick.toml", "--port-base", "0", "--runs-dir", str(tmp_path / "runs")]
    with PtyScreen(words, 120, 40, tmp_path) as pty:
        pty.wait_for("20/20")
        pty.press("!d")
        pty.wait_for("enter arms")
        pty.press("\t\x15300s\r")  # the second field, emptied, is the hold
        pty.wait_for("14/20")
        os.kill(pty.process.pid, signal.SIGKILL)
        pty.wait_exit()
    (entry,) = running()
    assert entry.socket_path.startswith(str(own_place))
    await _watch_the_lease_run_out(entry)
    assert running() == []


async def _watch_the_lease_run_out(entry: RunEntry) -> None:
    link = await SocketLink.connect(entry.socket_path)
    try:
        async with asyncio.timeout(LEASE_S + MARGIN_S):
            snapshot = await _next(link)
            begun = snapshot.tick.tick
            while snapshot.faults[0].cleared_at_s is None:
                snapshot = await _next(link)
        assert snapshot.faults[0].cleared_why == "lease over"
        async with asyncio.timeout(PATIENCE_S):
            while snapshot.players.connected < 20 or snapshot.tick.tick <= begun:
                snapshot = await _next(link)
    finally:
        await link.call(Stop())
        await until(lambda: link.ended is not None or link.closed, "its end")
        await link.aclose()
    await until(lambda: not is_alive(entry.pid), "the hub's exit")


async def _next(link: SocketLink) -> Snapshot:
    """Return the next snapshot; this watcher holds no lease."""
    while True:
        await link.wait()
        link.take_notices()
        snapshot = link.take_snapshot()
        if snapshot is not None:
            return snapshot
        assert not link.closed, "the engine has gone"
