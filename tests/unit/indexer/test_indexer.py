"""The indexer: how far it comes, when, and what it says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from engine.indexer import serve, work
from engine.indexer.serve import serve_indexer
from engine.indexer.work import Indexer
from engine.link.channel import memory_pair
from engine.protocol.archive import IndexAnew, IndexerReady, IndexerSpec, IndexReport
from engine.protocol.child import ChildProblem, Quit
from engine.protocol.limits import INDEX_DELAY_S
from engine.store.finding import Finder
from engine.store.index import Index
from engine.store.lookup import Lookup
from tests.unit.store.index_kit import Busy


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Busy]:
    world = Busy(tmp_path)
    world.run(20)
    yield world
    world.close()


def _position(busy: Busy) -> int:
    with Finder(busy.path) as log, Lookup(busy.index_path, log) as lookup:
        return lookup.position


def test_few_events_wait_and_many_do_not(busy: Busy, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    indexer = Indexer(busy.path, busy.index_path, told.append)
    assert not indexer.step(100.0)
    assert _position(busy) == 0
    assert not indexer.step(100.0 + INDEX_DELAY_S)
    assert _position(busy) == busy.events[-1].seq
    monkeypatch.setattr(work, "INDEX_SEGMENT_EVENTS", 50)
    assert not indexer.step(120.0)
    busy.run(20)
    steps = 1
    while indexer.step(121.0):
        steps += 1
    assert steps > 3
    assert busy.events[-1].seq - _position(busy) < 50
    while indexer.step(121.0, at_once=True):
        pass
    assert _position(busy) == busy.events[-1].seq
    assert told == []
    indexer.close()


def test_an_index_of_no_use_is_told_and_made_anew(busy: Busy):
    busy.index_path.write_bytes(b"nonsense" * 3000)
    told: list[str] = []
    indexer = Indexer(busy.path, busy.index_path, told.append)
    assert len(told) == 1
    assert not indexer.step(0.0, at_once=True)
    indexer.begin_anew("somebody found damage")
    assert told[1:] == ["somebody found damage"]
    assert _position(busy) == 0
    indexer.step(0.0, at_once=True)
    assert _position(busy) == busy.events[-1].seq
    indexer.close()


def test_damage_found_in_merging_is_told_and_made_anew(busy: Busy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(work, "INDEX_SEGMENT_EVENTS", 1)
    told: list[str] = []
    indexer = Indexer(busy.path, busy.index_path, told.append)
    for _ in range(6):
        indexer.step(0.0)
    db = apsw.Connection(str(busy.index_path))
    db.execute("UPDATE blocks SET data = x'0102' WHERE segment = 3").fetchall()
    db.close()
    while indexer.step(0.0):
        pass
    assert len(told) == 1
    assert "damaged" in told[0]
    assert _position(busy) == busy.events[-1].seq
    indexer.close()


def test_a_file_that_is_spoilt_in_use_is_replaced(busy: Busy):
    told: list[str] = []
    indexer = Indexer(busy.path, busy.index_path, told.append)
    indexer.step(0.0, at_once=True)
    for ending in ("-wal", "-shm"):
        busy.index_path.with_name(busy.index_path.name + ending).unlink()
    busy.index_path.write_bytes(b"no index at all" * 3000)
    indexer.begin_anew("a reader says so")
    busy.run(5)
    while indexer.step(0.0, at_once=True):
        pass
    assert len(told) == 1
    assert _position(busy) == busy.events[-1].seq
    indexer.close()


async def _next(channel, kind: type):
    async with asyncio.timeout(20):
        while not isinstance(message := await channel.receive(), kind):
            assert not isinstance(message, ChildProblem), message
        return message


async def test_it_works_until_told_to_quit_and_leaves_nothing_undone(busy: Busy):
    ours, theirs = memory_pair()
    notes: list[str] = []
    serving = asyncio.create_task(serve_indexer(theirs, notes.append))
    ours.post(IndexerSpec(str(busy.path), str(busy.index_path)))
    await _next(ours, IndexerReady)
    ours.post(Quit())
    report = await _next(ours, IndexReport)
    while report.position < busy.events[-1].seq:
        report = await _next(ours, IndexReport)
    await asyncio.wait_for(serving, 20)
    assert _position(busy) == busy.events[-1].seq
    assert notes == []


async def test_its_first_word_is_that_it_runs_whatever_it_found(busy: Busy):
    busy.index_path.write_bytes(b"nonsense" * 3000)
    ours, theirs = memory_pair()
    serving = asyncio.create_task(serve_indexer(theirs, lambda _: None))
    ours.post(IndexerSpec(str(busy.path), str(busy.index_path)))
    assert isinstance(await asyncio.wait_for(ours.receive(), 20), IndexerReady)
    assert (await _next(ours, IndexReport)).anew
    ours.post(Quit())
    await asyncio.wait_for(serving, 20)


async def test_what_goes_wrong_is_said_and_tried_again(busy: Busy, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "POLL_S", 0.01)
    monkeypatch.setattr(serve, "_TROUBLE_S", 0.01)
    monkeypatch.setattr(work, "INDEX_SEGMENT_EVENTS", 1)
    real, fails = Indexer.step, 2

    def step(self: Indexer, now_s: float, *, at_once: bool = False) -> bool:
        nonlocal fails
        if fails:
            fails -= 1
            raise OSError("the disk is full")
        return real(self, now_s, at_once=at_once)

    monkeypatch.setattr(Indexer, "step", step)
    ours, theirs = memory_pair()
    notes: list[str] = []
    serving = asyncio.create_task(serve_indexer(theirs, notes.append))
    ours.post(IndexerSpec(str(busy.path), str(busy.index_path)))
    await _next(ours, IndexerReady)
    while (await _next(ours, IndexReport)).position < busy.events[-1].seq:
        pass
    assert notes == ["the index waits: the disk is full"] * 2
    ours.post(IndexAnew("a reader says so"))
    while (await _next(ours, IndexReport)).anew != "a reader says so":
        pass
    ours.close()  # the hub is gone
    await asyncio.wait_for(serving, 20)


@pytest.mark.parametrize("in_the_way", ["index.db", "events.db"])
async def test_what_cannot_be_opened_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_the_way: str
):
    monkeypatch.setattr(serve, "_TROUBLE_S", 0.01)
    monkeypatch.setattr(serve, "POLL_S", 0.01)
    monkeypatch.setattr(work, "INDEX_SEGMENT_EVENTS", 1)
    busy = Busy(tmp_path) if in_the_way == "index.db" else None
    (tmp_path / in_the_way).mkdir()
    ours, theirs = memory_pair()
    noted = asyncio.Event()
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        noted.set()

    serving = asyncio.create_task(serve_indexer(theirs, note))
    ours.post(IndexerSpec(str(tmp_path / "events.db"), str(tmp_path / "index.db")))
    assert isinstance(await asyncio.wait_for(ours.receive(), 20), IndexerReady)
    await asyncio.wait_for(noted.wait(), 20)
    assert notes[0].startswith("the index waits: ")
    assert in_the_way in notes[0]
    (tmp_path / in_the_way).rmdir()
    busy = busy or Busy(tmp_path)
    busy.run(3)
    while (await _next(ours, IndexReport)).position < busy.events[-1].seq:
        pass
    ours.post(Quit())
    await asyncio.wait_for(serving, 20)
    busy.close()


async def test_a_log_that_never_came_ends_in_order(tmp_path: Path):
    ours, theirs = memory_pair()
    notes: list[str] = []
    ours.post(IndexerSpec(str(tmp_path / "events.db"), str(tmp_path / "index.db")))
    ours.post(Quit())
    await asyncio.wait_for(serve_indexer(theirs, notes.append), 20)
    assert isinstance(await ours.receive(), IndexerReady)
    assert "events.db" in notes[-1]
    assert list(tmp_path.iterdir()) == []


async def test_an_index_is_begun_anew_once_there_is_room(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(serve, "POLL_S", 0.01)
    monkeypatch.setattr(serve, "_TROUBLE_S", 0.01)
    real, fails = Index.begin_anew, 2

    def begin_anew(self: Index, why: str) -> None:
        nonlocal fails
        if fails:
            fails -= 1
            raise OSError("the disk is full")
        real(self, why)

    monkeypatch.setattr(Index, "begin_anew", begin_anew)
    ours, theirs = memory_pair()
    notes: list[str] = []
    serving = asyncio.create_task(serve_indexer(theirs, notes.append))
    ours.post(IndexerSpec(str(busy.path), str(busy.index_path)))
    ours.post(IndexAnew("a reader says so"))
    while (await _next(ours, IndexReport)).anew != "a reader says so":
        pass
    assert notes == ["the index waits: the disk is full"] * 2
    ours.post(Quit())
    await asyncio.wait_for(serving, 20)
