"""A virtual player's own side, asked of its squad by the hub."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.hub.embedded import Embedded
from engine.hub.placement import LocalPlacement
from engine.link.memory import MemoryLink
from engine.protocol.child import AskPlayer
from engine.protocol.limits import GUEST_ID_BASE, PLAYER_ID_BASE
from engine.protocol.query import EntityAnswer, EntityQuery, PlayerView, Refused
from engine.world.state import State
from tests.unit.hub.fakes import Stage, run_spec


@asynccontextmanager
async def _engine(
    tmp_path: Path, stage: Stage, **changes: Any
) -> AsyncIterator[tuple[Embedded, MemoryLink]]:
    engine = Embedded(run_spec(tmp_path, **changes), LocalPlacement(stage.serve()))
    link = await engine.start()
    try:
        yield engine, link
    finally:
        await engine.aclose()


@pytest.fixture
def peopled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake world hold players 0 and 1 and a guest beside its own entities."""
    add = State.add

    def add_more(state: State, ids: Any, *more: Any) -> Any:
        own = np.array([PLAYER_ID_BASE, PLAYER_ID_BASE + 1, GUEST_ID_BASE], np.uint32)
        return add(state, np.concatenate([ids, own]), *more)

    monkeypatch.setattr(State, "add", add_more)


async def _ask(link: MemoryLink, entity: int) -> EntityAnswer:
    answer = await link.ask(EntityQuery(entity), deadline_s=10.0)
    assert isinstance(answer, EntityAnswer), answer
    return answer


async def test_the_squad_that_carries_a_player_is_asked(tmp_path: Path, peopled: None) -> None:
    stage = Stage()
    async with _engine(tmp_path, stage, squads=2) as (_, link):
        player = (await _ask(link, PLAYER_ID_BASE + 1)).player
        assert player == PlayerView(1, "wanderer", "playing", 1.0, 0, 0, 0.0, 1, 1)
        assert [m.number for m in stage.told[1] if isinstance(m, AskPlayer)] == [1]
        assert not [m for m in stage.told[0] if isinstance(m, AskPlayer)]
        for entity in (2, GUEST_ID_BASE):
            assert (await _ask(link, entity)).player is None
        assert isinstance(await link.ask(EntityQuery(PLAYER_ID_BASE + 77)), Refused)


async def test_a_silent_squad_is_not_waited_for(
    tmp_path: Path, peopled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.crew.ASK_PLAYER_S_MAX", 0.05)
    stage = Stage()
    stage.silent = True
    async with _engine(tmp_path, stage) as (engine, link):
        answer = await _ask(link, PLAYER_ID_BASE)
        assert answer.player is None
        assert answer.row.id == PLAYER_ID_BASE
        assert engine.engine.hub.crew._asked == {}


async def test_a_squad_that_dies_meanwhile_is_not_waited_for(tmp_path: Path, peopled: None) -> None:
    stage = Stage()
    stage.silent = True
    async with _engine(tmp_path, stage) as (_, link):
        asked = asyncio.create_task(_ask(link, PLAYER_ID_BASE))
        async with asyncio.timeout(10):
            while not any(isinstance(m, AskPlayer) for m in stage.told.get(0, [])):
                await asyncio.sleep(0.005)
        await stage.kill("squad 0")
        assert (await asked).player is None


async def test_a_dead_worlds_last_state_is_told_with_the_player(
    tmp_path: Path, peopled: None
) -> None:
    stage = Stage()
    async with _engine(tmp_path, stage) as (engine, link):
        before = await _ask(link, PLAYER_ID_BASE)
        world = engine.engine.hub.world
        assert world is not None
        await stage.kill("world")
        async with asyncio.timeout(10):
            while world.keeper.pid:
                await asyncio.sleep(0.001)
        answer = await _ask(link, PLAYER_ID_BASE)
        assert (answer.tick, answer.row) == (before.tick, before.row)
        assert answer.player is not None
