"""Events of the whole log: what the hub holds, and what only the log has."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.hub.eventlog import EventLog
from engine.hub.logbook import Logbook
from engine.hub.logsearch import LogSearch
from engine.hub.past import Past
from engine.hub.placement import LocalPlacement
from engine.hub.plan import WorldPlace
from engine.hub.readers import Readers
from engine.protocol.child import EventBatch
from engine.protocol.errors import UserError
from engine.protocol.events import Event, entity_name
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.query import ChainAnswer, ChainQuery, EventsQuery, Refused
from engine.world.events import TickEvents
from tests.unit.hub.fakes import run_spec
from tests.unit.store.index_kit import Busy, make_index, ticks_of

ME = PLAYER_ID_BASE + 2
HELD = 500


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    world = Busy(tmp_path_factory.mktemp("busy"))
    world.run(90)
    make_index(world, up_to=world.events[-1].seq // 2, ticks_each=3)
    yield world
    world.close()


def _batch(tick: TickEvents) -> EventBatch:
    block = tick.block
    return EventBatch(tick.tick, block.first_seq, len(block.rows), block.pack(), block.texts)


def _search(folder: Path, database: Path, log: EventLog) -> LogSearch:
    place = WorldPlace(str(database), "", "", b"", 0)
    readers = Readers()
    spec, placement = run_spec(folder), LocalPlacement({})
    past = Past(spec, place, placement, readers, Logbook(None), lambda *_, **__: None)
    return LogSearch(log, past)


@pytest.fixture
def log(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    """What a hub holds that was not told of the last two ticks yet."""
    monkeypatch.setattr("engine.hub.eventlog.EVENTS_RING_MAX", HELD)
    log = EventLog()
    for tick in ticks_of(busy.path)[:-2]:
        log.take(_batch(tick))
    assert 1 < log.ring[0].first_seq < log.last_seq < busy.events[-1].seq
    return log


@pytest.fixture
def search(busy: Busy, log: EventLog, tmp_path: Path) -> LogSearch:
    return _search(tmp_path, busy.path, log)


CASES: dict[str, tuple[EventsQuery, Callable[[Event], bool]]] = {
    "all": (EventsQuery(), lambda e: True),
    "stream": (EventsQuery(f"stream={entity_name(ME)}"), lambda e: e.stream == ME),
    "about": (EventsQuery(about=ME), lambda e: ME in {e.stream, e.actor, e.target}),
    "kinds": (EventsQuery(kinds=("died", "looted")), lambda e: e.kind in {"died", "looted"}),
    "terms": (
        EventsQuery(f"kind=moved,attacked actor={ME} a>3 version!=9"),
        lambda e: e.kind in {"moved", "attacked"} and e.actor == ME and e.a > 3 and e.version != 9,
    ),
    "ticks": (EventsQuery("tick>=10 tick<20"), lambda e: 10 <= e.tick < 20),
    "one tick": (EventsQuery("tick=30"), lambda e: e.tick == 30),
    "two ticks": (EventsQuery("tick=30,50"), lambda e: e.tick in {30, 50}),
    "seqs": (
        EventsQuery("seq>=40 seq<=90 kind!=moved"),
        lambda e: 40 <= e.seq <= 90 and e.kind != "moved",
    ),
    "text": (EventsQuery("text~reach"), lambda e: "reach" in e.text),
    "cause": (EventsQuery("cause>0"), lambda e: e.cause > 0),
    "half": (EventsQuery("a>1.5 a<2.5"), lambda e: e.a == 2),
    "no target": (
        EventsQuery("target=0 kind=rested,said"),
        lambda e: e.target == 0 and e.kind in {"rested", "said"},
    ),
    "nobody": (EventsQuery("stream=4000000000"), lambda e: False),
    "huge": (EventsQuery(f"tick>{2**62}"), lambda e: False),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_newest_and_the_oldest_of_the_whole_log(
    search: LogSearch, log: EventLog, busy: Busy, name: str
):
    query, holds = CASES[name]
    known = [event for event in busy.events if event.seq <= log.last_seq]
    expected = [event for event in known if holds(event)]
    for limit in (1, 30, 500):
        newest = await search.events(replace(query, limit=limit))
        assert list(newest.rows) == expected[-limit:]
        assert newest.complete == (len(expected) < limit)
        again = await search.events(replace(query, limit=limit))
        assert (again.rows, again.complete) == (newest.rows, newest.complete)
        oldest = await search.events(replace(query, limit=limit, after_seq=0))
        assert list(oldest.rows) == expected[:limit]
        assert (oldest.last_seq, oldest.lost) == (log.last_seq, 0)


@pytest.mark.parametrize("name", ["about", "terms", "cause"])
@pytest.mark.parametrize("down", [False, True])
async def test_page_after_page(search: LogSearch, log: EventLog, busy: Busy, name: str, down: bool):
    query, holds = CASES[name]
    query = replace(query, limit=7, after_seq=None if down else 0)
    got: list[Event] = []
    while True:
        page = await search.events(query)
        got = [*page.rows, *got] if down else [*got, *page.rows]
        if page.complete:
            break
        query = replace(query, **{"before_seq" if down else "after_seq": page.searched})
    assert got == [e for e in busy.events if e.seq <= log.last_seq and holds(e)]


async def test_who_asks_again_sees_what_left_the_hubs_memory_meanwhile(
    busy: Busy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("engine.hub.eventlog.EVENTS_RING_MAX", 200)
    monkeypatch.setattr("engine.store.search.EVENTS_SEARCH_TICKS_MAX", 5)
    log = EventLog()
    search = _search(tmp_path, busy.path, log)
    ticks = ticks_of(busy.path)
    query = EventsQuery("version>1 a>2", limit=400)
    for number, tick in enumerate(ticks):
        log.take(_batch(tick))
        if number % 3 == 0:
            page = await search.events(query)
            wanted = [e for e in busy.events if page.searched <= e.seq <= log.last_seq]
            expected = [e for e in wanted if e.version > 1 and e.a > 2]
            assert list(page.rows) == expected[-400:]
    for _ in range(40):
        if (page := await search.events(query)).complete:
            break
    known = [e for e in busy.events if e.version > 1 and e.a > 2]
    assert list(page.rows) == known[-400:]


async def test_a_hole_in_the_hubs_memory_is_filled_from_the_log(
    busy: Busy, log: EventLog, search: LogSearch
):
    del log.ring[-3]
    answer = await search.events(EventsQuery(limit=300))
    assert [e.seq for e in answer.rows] == list(range(log.last_seq - 299, log.last_seq + 1))
    answer = await search.events(EventsQuery(limit=300, after_seq=log.last_seq - 300))
    assert [e.seq for e in answer.rows] == list(range(log.last_seq - 299, log.last_seq + 1))


async def test_without_a_log_the_hubs_memory_answers_and_what_is_lost_is_told(
    log: EventLog, tmp_path: Path
):
    search = _search(tmp_path, tmp_path / "events.db", log)
    first = log.ring[0].first_seq
    page = await search.events(EventsQuery(limit=500, after_seq=0))
    assert page.rows[0].seq == first
    assert page.lost == first - 1
    page = await search.events(EventsQuery("kind=joined"))
    assert (page.rows, page.lost) == ((), first - 1)
    refused = await search.chain(ChainQuery(3))
    assert isinstance(refused, Refused)
    assert refused.code == "gone"


async def test_chains(search: LogSearch, busy: Busy, log: EventLog):
    effect = next(event for event in busy.events if event.cause)
    chain = await search.chain(ChainQuery(effect.cause))
    assert isinstance(chain, ChainAnswer)
    assert chain.event.seq == effect.cause
    assert effect in chain.effects
    # The log is ahead; no one is told of it before the hub.
    refused = await search.chain(ChainQuery(busy.events[-1].seq))
    assert refused == Refused(
        "not_found", f"no event {busy.events[-1].seq}; the newest is {log.last_seq}"
    )


async def test_what_is_asked_wrongly_is_said(search: LogSearch):
    for query, words in (
        (EventsQuery(kinds=("movd",)), "did you mean 'moved'"),
        (EventsQuery("strm=3"), "did you mean 'stream'"),
    ):
        with pytest.raises(UserError, match=words):
            await search.events(query)


async def test_others_go_on_during_a_long_search(search: LogSearch, monkeypatch):
    monkeypatch.setattr("engine.hub.logsearch._BATCHES_AT_ONCE", 2)
    rounds = 0

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    going = asyncio.create_task(others())
    await search.events(EventsQuery(f"actor={entity_name(NPC_ID_BASE)} a>999", limit=1))
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    assert rounds > 5
