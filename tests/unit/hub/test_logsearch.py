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
from engine.protocol.filters import Term
from engine.protocol.limits import NPC_ID_BASE, PLAYER_ID_BASE
from engine.protocol.query import ChainAnswer, ChainQuery, EventsQuery, Refused
from engine.store.search import Found, Wanted
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
    "texts": (EventsQuery("text~a text!=player-3"), lambda e: "a" in e.text != "player-3"),
    "this text": (
        EventsQuery("text=player-3,player-4"),
        lambda e: e.text in {"player-3", "player-4"},
    ),
    "no text": (EventsQuery('text="" kind!=moved'), lambda e: not e.text and e.kind != "moved"),
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


async def test_without_a_log_what_comes_before_an_event_is_told_as_far_as_it_is_held(
    log: EventLog, tmp_path: Path
):
    search = _search(tmp_path, tmp_path / "events.db", log)
    first = log.ring[0].first_seq
    page = await search.events(EventsQuery(limit=500, before_seq=first + 10))
    assert [event.seq for event in page.rows] == list(range(first, first + 10))
    assert (page.searched, page.lost) == (first, first - 1)
    page = await search.events(EventsQuery(limit=500, before_seq=5))
    assert (page.rows, page.searched, page.lost) == ((), 5, 4)
    page = await search.events(EventsQuery(limit=500, after_seq=0, before_seq=5))
    assert (page.rows, page.searched, page.lost) == ((), 4, 4)


class Watched:
    """What is searched in the log; a search can be kept waiting."""

    def __init__(self, search: LogSearch) -> None:
        self.before: list[int] = []
        self.go = asyncio.Event()
        self.go.set()
        self._real = search._past.search
        search._past.search = self._search  # type: ignore[method-assign]  # watched

    async def _search(self, wanted: Wanted, limit: int, *, newest: bool) -> Found | None:
        self.before.append(wanted.before_seq)
        await self.go.wait()
        return await self._real(wanted, limit, newest=newest)


RARE = EventsQuery("version>1 a>2 b>90000", limit=400)


async def test_who_gives_up_loses_nothing_that_was_searched(
    search: LogSearch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.store.search.EVENTS_SEARCH_TICKS_MAX", 5)
    watched = Watched(search)
    first = await search.events(RARE)
    assert not first.complete
    for _ in range(3):
        watched.go.clear()
        asking = asyncio.create_task(search.events(RARE))
        while len(watched.before) % 2:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        watched.go.set()
        await search.events(RARE)
        assert watched.before[-1] == watched.before[-2] <= first.searched
    assert watched.before[-1] < first.searched


async def test_two_askers_of_one_question_go_on_together(
    search: LogSearch, log: EventLog, busy: Busy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.store.search.EVENTS_SEARCH_TICKS_MAX", 5)
    watched = Watched(search)
    query = EventsQuery("version>1 a>2", limit=400)
    expected = [e for e in busy.events if e.version > 1 and e.a > 2 and e.seq <= log.last_seq]
    for _ in range(4):
        for page in await asyncio.gather(*(search.events(query) for _ in range(2))):
            assert list(page.rows) == [e for e in expected if e.seq >= page.searched][-400:]
    assert len(watched.before) > 4
    assert watched.before == sorted(set(watched.before), reverse=True)


async def test_texts_are_looked_at_where_there_are_any(
    search: LogSearch, busy: Busy, monkeypatch: pytest.MonkeyPatch
):
    looked: list[str] = []
    real = Term.holds

    def holds(term: Term, found: str) -> bool:
        looked.append(found)
        return real(term, found)

    monkeypatch.setattr(Term, "holds", holds)
    page = await search.events(EventsQuery("text~nobody"))
    assert (page.rows, page.complete) == ((), True)
    ticks = ticks_of(busy.path)
    texts = sum(len(tick.block.texts) for tick in ticks)
    assert len(looked) <= texts + 2 * len(ticks) < len(busy.events)


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
    monkeypatch.setattr("engine.hub.logsearch.SEARCH_EVENTS_AT_ONCE", 64)
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
