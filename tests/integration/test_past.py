"""A real run's past: indexed, searched and stepped back into by real processes that get killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.protocol.events import entity_name
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.query import (
    ChainAnswer,
    ChainQuery,
    EntitiesAnswer,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EventsAnswer,
    EventsQuery,
    Query,
    Refused,
)
from engine.store.finding import Finder
from engine.store.lookup import Lookup
from tests.integration.hub_process import Place, Run, children_of, is_alive, until

pytestmark = pytest.mark.integration


@pytest.fixture
def place() -> Iterator[Place]:
    with Place() as place:
        yield place


async def _answered(run: Run, query: Query) -> object:
    """Return an answer; who asks in the moment of a death asks again."""
    async with asyncio.timeout(45):
        while True:
            answer = await run.link.ask(query, deadline_s=20)
            if not isinstance(answer, Refused) or answer.code not in {"gone", "deadline"}:
                return answer
            await asyncio.sleep(0.05)


def _pid(run: Run, module: str) -> int:
    return next((pid for pid, line in children_of(run.pid).items() if module in line), 0)


async def _back(run: Run, module: str, old: int) -> int:
    await until(lambda: _pid(run, module) not in {0, old}, f"{module} is back")
    return _pid(run, module)


async def test_the_whole_past_of_a_run_whose_helpers_die(place: Place) -> None:
    run = await place.start(place.spec())
    await run.watch(lambda s: s.tick.tick > 40, "ticks")
    nice = os.getpriority(os.PRIO_PROCESS, _pid(run, "engine.indexer"))
    assert nice == 19 or os.sched_getscheduler(_pid(run, "engine.indexer")) == os.SCHED_IDLE
    then = await _answered(run, EntityQuery(PLAYER_ID_BASE, at_tick=30))
    assert isinstance(then, EntityAnswer)
    assert then.tick == 30
    assert all(event.tick <= 30 for event in then.events)
    for module in ("engine.indexer", "engine.history"):
        pid = _pid(run, module)
        os.kill(pid, signal.SIGKILL)
        await until(lambda pid=pid: not is_alive(pid), "the end")
    await _back(run, "engine.indexer", 0)
    again = await _answered(run, EntityQuery(PLAYER_ID_BASE, at_tick=30))
    assert again == then
    all_of_them = await _answered(run, EntitiesQuery("kind=player", at_tick=30, limit=30))
    assert isinstance(all_of_them, EntitiesAnswer)
    assert then.row in all_of_them.rows
    joined = await _answered(run, EventsQuery("kind=joined", after_seq=0))
    assert isinstance(joined, EventsAnswer)
    assert len(joined.rows) == 20
    chain = await _answered(run, ChainQuery(joined.rows[0].seq))
    assert isinstance(chain, ChainAnswer)
    assert chain.event == joined.rows[0]
    early = await _answered(run, EntityQuery(PLAYER_ID_BASE + 1, at_tick=0))
    assert isinstance(early, Refused | EntityAnswer)
    if isinstance(early, Refused):
        assert early.code == "not_found"
        assert entity_name(PLAYER_ID_BASE + 1) in early.message
    future = await _answered(run, EntityQuery(PLAYER_ID_BASE, at_tick=10**9))
    assert isinstance(future, Refused)
    assert future.code == "invalid"
    assert run.said("child_lost") == []  # no player, no figure and no answer has suffered
    await run.end()
    _check_what_is_left(Path(run.ready.capsule))


def _check_what_is_left(capsule: Path) -> None:
    names = {path.name for path in capsule.iterdir()}
    assert {"events.db", "index.db"} <= names
    assert not [name for name in names if name.endswith(("-wal", "-shm", ".new"))]
    with Finder(capsule / "events.db") as log:
        last = log.last()
        assert last is not None
        with Lookup(capsule / "index.db", log) as lookup:
            assert (lookup.damage, lookup.position) == ("", last.seq)


async def test_an_index_that_is_spoilt_while_it_is_used_is_made_anew(place: Place) -> None:
    run = await place.start(place.spec())
    await run.watch(lambda s: s.tick.tick > 110, "an index")
    index = Path(run.ready.capsule) / "index.db"
    pid = _pid(run, "engine.indexer")
    os.kill(pid, signal.SIGSTOP)
    for ending in ("-wal", "-shm"):
        index.with_name(index.name + ending).unlink(missing_ok=True)
    index.write_bytes(b"no index at all" * 1000)
    os.kill(pid, signal.SIGKILL)
    answer = await _answered(run, EventsQuery("kind=joined", after_seq=0))
    assert isinstance(answer, EventsAnswer)
    assert len(answer.rows) == 20
    await run.watch(lambda _: any("made anew" in t for t in run.said("problem")), "it is told")
    await run.end()
    _check_what_is_left(Path(run.ready.capsule))
