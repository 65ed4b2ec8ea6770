"""A squad in its own process: orders, signals, limits, and a hub that vanishes."""

import asyncio
import signal

import pytest

from engine.protocol.child import (
    ChildProblem,
    Go,
    SquadReady,
)
from engine.protocol.limits import CHILD_GRACE_S
from tests.integration.squad_kit import (
    WAIT_S,
    squad_process,
    squad_spec,
    target,
)
from tests.machine import MARGIN_S

pytestmark = pytest.mark.integration


async def test_in_its_own_process_ctrl_c_is_not_its_concern_and_quit_is() -> None:
    async with target() as server, squad_process(squad_spec(server.url)) as squad:
        ready = await squad.hub.take()
        assert isinstance(ready, SquadReady)
        assert ready.pid == squad.process.pid
        squad.hub.channel.post(Go())
        await squad.hub.report_where(lambda r: r.connected == 10)
        squad.process.send_signal(signal.SIGINT)
        await squad.hub.report_where(lambda r: r.acknowledged > 100)
        last = await squad.hub.last_report()
        assert last.finished
        assert last.sent == last.acknowledged
        assert await asyncio.wait_for(squad.process.wait(), WAIT_S) == 0
    assert server.ends == [1000] * 10


async def test_a_process_whose_hub_vanishes_exits_within_the_grace() -> None:
    async with target() as server, squad_process(squad_spec(server.url)) as squad:
        await squad.hub.take()
        squad.hub.channel.post(Go())
        await squad.hub.report_where(lambda r: r.connected == 10)
        await squad.hub.channel.aclose()
        assert await asyncio.wait_for(squad.process.wait(), CHILD_GRACE_S + MARGIN_S) == 0


async def test_a_low_file_limit_is_said_with_its_cure() -> None:
    async with squad_process(squad_spec("ws://127.0.0.1:1/"), files_max=70) as squad:
        problem = await squad.hub.take()
        assert isinstance(problem, ChildProblem)
        assert "ulimit -n 74" in problem.message
        assert problem.exit_code == 2
        assert await asyncio.wait_for(squad.process.wait(), WAIT_S) == 0
