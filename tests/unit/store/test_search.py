"""Searches of the whole log, with an index, with half of one, and without."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from engine.protocol.events import EVENT_CODE, Event
from engine.protocol.limits import PLAYER_ID_BASE
from engine.store import search as search_module
from engine.store.search import Wanted, search
from engine.store.why import read_chain
from tests.unit.store.index_kit import Busy, make_index

ME = PLAYER_ID_BASE + 3
Case = tuple[Wanted, Callable[[Event], bool]]


def _even(tick):
    return tick.rows["version"] % 2 == 0


CASES: dict[str, Case] = {
    "everything": (Wanted(), lambda e: True),
    "stream": (Wanted(((("stream", ME),),)), lambda e: e.stream == ME),
    "about": (
        Wanted(((("stream", ME), ("actor", ME), ("target", ME)),)),
        lambda e: ME in {e.stream, e.actor, e.target},
    ),
    "stream and kind": (
        Wanted(((("stream", ME),), (("kind", EVENT_CODE["moved"]),))),
        lambda e: e.stream == ME and e.kind == "moved",
    ),
    "kinds": (
        Wanted(((("kind", EVENT_CODE["attacked"]), ("kind", EVENT_CODE["died"])),)),
        lambda e: e.kind in {"attacked", "died"},
    ),
    "the world's own": (Wanted(((("correlation", 0),),)), lambda e: e.correlation == 0),
    "without a target": (Wanted(((("target", 0),),)), lambda e: e.target == 0),
    "rest": (
        Wanted(((("actor", ME),),), rest=_even),
        lambda e: e.actor == ME and e.version % 2 == 0,
    ),
    "rest alone": (Wanted(rest=_even), lambda e: e.version % 2 == 0),
    "span": (
        Wanted(((("actor", ME),),), after_seq=200, before_seq=900),
        lambda e: e.actor == ME and 200 < e.seq < 900,
    ),
    "ticks": (
        Wanted(((("actor", ME),),), first_tick=11, last_tick=40),
        lambda e: e.actor == ME and 11 <= e.tick <= 40,
    ),
    "one tick": (Wanted(first_tick=33, last_tick=33), lambda e: e.tick == 33),
    "no tick": (Wanted(first_tick=1000), lambda e: False),
    "nobody": (Wanted(((("stream", 4_000_000_000),),)), lambda e: False),
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    world = Busy(tmp_path_factory.mktemp("busy"))
    world.run(90)
    yield world
    world.close()


@pytest.fixture(params=["whole", "half", "none"])
def log(busy: Busy, request: pytest.FixtureRequest) -> Busy:
    busy.index_path.unlink(missing_ok=True)
    last = busy.events[-1].seq
    if request.param != "none":
        make_index(busy, up_to=2**40 if request.param == "whole" else last // 2, ticks_each=3)
    return busy


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 100_000])
def test_a_search_finds_what_looking_at_everything_finds(
    log: Busy, name: str, newest: bool, limit: int
):
    wanted, holds = CASES[name]
    expected = [event for event in log.events if holds(event)]
    found = search(log.path, log.index_path, wanted, limit, newest=newest)
    assert list(found.events) == (expected[-limit:] if newest else expected[:limit])
    assert found.last_seq == log.events[-1].seq
    assert found.complete == (len(expected) < limit)
    assert not found.damage


@pytest.mark.parametrize("newest", [False, True])
def test_a_search_that_is_cut_goes_on_to_the_end(
    log: Busy, newest: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search_module, "EVENTS_SEARCH_TICKS_MAX", 4)
    wanted, holds = CASES["rest"]
    expected = [event.seq for event in log.events if holds(event)]
    got: list[int] = []
    pages = 0
    while True:
        pages += 1
        found = search(log.path, log.index_path, wanted, 5, newest=newest)
        seqs = [event.seq for event in found.events]
        got = [*seqs, *got] if newest else [*got, *seqs]
        if found.complete:
            break
        if newest:
            wanted = Wanted(wanted.conditions, wanted.rest, 0, found.searched)
        else:
            wanted = Wanted(wanted.conditions, wanted.rest, found.searched)
    assert got == expected
    assert pages > len(expected) // 5


def _chain_by_hand(events: list[Event], seq: int) -> tuple[list[Event], list[Event]]:
    by_seq = {event.seq: event for event in events}
    causes = []
    above = by_seq[seq]
    while above.cause:
        above = by_seq[above.cause]
        causes.insert(0, above)
    effects: list[Event] = []
    level = [by_seq[seq]]
    while level:
        level = [e for cause in level for e in events if e.cause == cause.seq]
        effects += level
    return causes, effects


def test_chains(log: Busy):
    deep = {event.cause for event in log.events if event.cause}
    some = [*sorted(deep)[:: max(1, len(deep) // 15)], 1, log.events[-1].seq]
    assert len(some) > 10
    for seq in some:
        causes, effects = _chain_by_hand(log.events, seq)
        chain = read_chain(log.path, log.index_path, seq)
        assert chain is not None
        assert (list(chain.causes), list(chain.effects)) == (causes, effects)
        assert (chain.event.seq, chain.cut, chain.damage) == (seq, "", "")
    assert read_chain(log.path, log.index_path, log.events[-1].seq + 1) is None
    assert read_chain(log.path, log.index_path, 0) is None


def test_a_chain_is_cut_and_says_so(log: Busy):
    seq = max((e.seq for e in log.events), key=lambda s: len(_chain_by_hand(log.events, s)[1]))
    whole = _chain_by_hand(log.events, seq)[1]
    assert len(whole) > 3
    chain = read_chain(log.path, log.index_path, seq, most=3)
    assert chain is not None
    assert list(chain.effects) == whole[:3]
    assert chain.cut == "more than 3 effects"
    leaf = max(log.events, key=lambda e: len(_chain_by_hand(log.events, e.seq)[0]))
    chain = read_chain(log.path, log.index_path, leaf.seq, most=1)
    assert chain is not None
    assert [cause.seq for cause in chain.causes] == [leaf.cause]
    assert "causes" in chain.cut


def test_a_damaged_index_changes_no_answer_and_is_told(busy: Busy):
    busy.index_path.unlink(missing_ok=True)
    make_index(busy, ticks_each=3)
    db = apsw.Connection(str(busy.index_path))
    db.execute("UPDATE blocks SET data = substr(data, 1, length(data) - 9)").fetchall()
    db.close()
    wanted, holds = CASES["about"]
    found = search(busy.path, busy.index_path, wanted, 10**6, newest=False)
    assert found.damage
    assert list(found.events) == [event for event in busy.events if holds(event)]
    cause = next(event.cause for event in busy.events if event.cause)
    chain = read_chain(busy.path, busy.index_path, cause)
    assert chain is not None
    assert chain.damage
    assert "anew" in chain.cut
    busy.index_path.unlink()


def test_a_search_that_reads_too_much_of_the_index_comes_forward(
    log: Busy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.store.lookup.INDEX_BLOCKS_READ_MAX", 2)
    wanted, holds = CASES["about"]
    expected = [event.seq for event in log.events if holds(event)]
    got: list[int] = []
    for _ in range(200):
        found = search(log.path, log.index_path, wanted, 10**6, newest=False)
        got += [event.seq for event in found.events]
        if found.complete:
            break
        wanted = Wanted(wanted.conditions, after_seq=found.searched)
    assert got == expected


def test_no_log_is_said(tmp_path: Path):
    with pytest.raises(OSError, match=r"events\.db"):
        search(tmp_path / "events.db", tmp_path / "index.db", Wanted(), 1, newest=True)
    assert not list(tmp_path.iterdir())
