"""One player looked into, over real processes: alive, with a dead world, with a stopped squad."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from engine.protocol.limits import ACKS_REMEMBERED_MAX, PLAYER_ID_BASE
from engine.protocol.query import EntityAnswer, EntityQuery, PlayerView
from tests.integration.hub_process import PATIENCE_S, Place, Run, children_of

pytestmark = pytest.mark.integration


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as place:
        yield place


async def _ask(run: Run, number: int) -> EntityAnswer:
    answer = await run.link.ask(EntityQuery(PLAYER_ID_BASE + number), deadline_s=20.0)
    assert isinstance(answer, EntityAnswer), answer
    return answer


async def _told(run: Run, number: int) -> PlayerView:
    """Ask until the player's squad, which has a second for it, answers in time."""
    async with asyncio.timeout(PATIENCE_S):
        while (player := (await _ask(run, number)).player) is None:
            pass
    return player


async def test_a_players_own_side_whatever_dies(place: Place) -> None:
    run = await place.start(place.spec(squads=2, commands_per_s=4.0))
    await run.watch(
        lambda s: s.players.connected == 20 and s.commands.acknowledged > 20 * ACKS_REMEMBERED_MAX,
        "everybody has been answered often",
    )
    for number in (2, 3):
        player = await _told(run, number)
        assert (player.squad, player.phase) == (number % 2, "playing")
        assert player.connected_s > 0
        assert player.sent >= player.acknowledged >= len(player.acks) > 0
        assert [ack.seq for ack in player.acks] == sorted({ack.seq for ack in player.acks})
        assert all(ack.latency_ms > 0 and ack.at_s > 0 for ack in player.acks)
        assert {ack.verdict for ack in player.acks} <= {"permit", "deny", "mutate"}

    os.kill(run.child("engine.server"), signal.SIGKILL)
    down = await run.watch(lambda s: s.world.pid == 0 or len(s.outages) > 0, "the world is down")
    assert down.outages[-1].child == "world"
    assert (await _ask(run, 3)).row.id == PLAYER_ID_BASE + 3
    await _told(run, 3)
    back = await run.watch(
        lambda s: s.outages[-1].back_at_s is not None and s.players.connected == 20, "all are back"
    )
    assert back.outages[-1].why == "signal 9"

    squads = [pid for pid, line in children_of(run.pid).items() if "engine.assault" in line]
    squad = squads[0]
    os.kill(squad, signal.SIGSTOP)
    try:
        told: set[int] = set()
        async with asyncio.timeout(PATIENCE_S):
            while not told:  # as above: a live squad may answer too late
                told = {number for number in (2, 3) if (await _ask(run, number)).player is not None}
        assert len(told) == 1, "a stopped squad has answered"
        (stopped,) = {2, 3} - told
        assert (await _ask(run, stopped)).player is None
    finally:
        os.kill(squad, signal.SIGCONT)
    await run.end()
