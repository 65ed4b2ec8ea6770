"""The real world, squad and hub in one process and one loop, over memory links."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.hub.embedded import embedded
from engine.protocol.command import ArmFault, Scope, SetPlayers, Stop
from engine.protocol.feed import Snapshot
from tests.machine import is_good_end, read_summary
from tests.specs import small_run

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ss") as folder:
        yield Path(folder)


async def test_everything_in_one_process(folder: Path) -> None:
    async with embedded(small_run(folder)) as link:

        async def watch(connected: int) -> Snapshot:
            while True:
                await asyncio.wait_for(link.wait(), 30)
                link.take_notices()
                snapshot = link.take_snapshot()
                if snapshot is not None and snapshot.players.connected == connected:
                    return snapshot

        await watch(10)
        assert (await link.call(SetPlayers(15))).ok
        await watch(15)
        storm = ArmFault("disconnect-storm", Scope(count=5), {"how": "rst"}, hold_s=2.0)
        assert (await link.call(storm)).ok
        await watch(10)
        snapshot = await watch(15)
        assert snapshot.events.stored > 0
        assert (await link.call(Stop())).ok
        while link.ended is None:
            await asyncio.wait_for(link.wait(), 30)
            link.take_snapshot()
            link.take_notices()
    summary = read_summary(folder / "r1")
    assert is_good_end(summary), summary.reasons
    assert summary.commands.unanswered == 0
    assert summary.faults[0].affected == 5
