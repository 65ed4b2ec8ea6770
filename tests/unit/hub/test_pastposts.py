"""The hub's posts at the indexer and the historian, on fake children."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from engine.hub.historypost import HistoryPost
from engine.hub.indexpost import IndexPost
from engine.hub.logbook import Logbook
from engine.hub.placement import LocalPlacement
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import (
    AskHistory,
    ChildProblem,
    HistoryReady,
    HistorySpec,
    HistoryTold,
    IndexAnew,
    IndexerReady,
    IndexerSpec,
    IndexReport,
    Quit,
    WithdrawHistory,
)
from engine.protocol.limits import CHILD_RESTARTS_MAX, HISTORY_ASKED_MAX, HISTORY_KEPT_MAX
from engine.protocol.manifest import WorldShape
from engine.protocol.query import Refused

SPEC = HistorySpec("/nowhere/events.db", WorldShape(1, 2, 3, 4, 100))
PATHS = IndexerSpec("/nowhere/events.db", "/nowhere/index.db")


class Apart(LocalPlacement):
    """Fake children that count as processes."""

    in_process = False


class Seats:
    """Fake indexers and historians, and what they were told."""

    def __init__(self) -> None:
        self.starts = 0
        self.quits = 0
        self.heard: list[object] = []
        self.channels: list[Channel] = []
        self.said: list[tuple[str, str, bool]] = []
        self.refuses = False
        self.answers = True

    def tell(self, kind: str, text: str, *, bad: bool = False) -> None:
        self.said.append((kind, text, bad))

    async def serve(self, channel: Channel) -> None:
        spec = await channel.receive()
        self.starts += 1
        if self.refuses:
            channel.post(ChildProblem("not today", 6))
            return
        self.channels.append(channel)
        is_historian = isinstance(spec, HistorySpec)
        channel.post(HistoryReady(1) if is_historian else IndexerReady(1))
        try:
            while not isinstance(message := await channel.receive(), Quit):
                self.heard.append(message)
                if isinstance(message, AskHistory) and self.answers:
                    channel.post(_told(message))
            self.quits += 1
        except LinkClosed:
            return


def _told(asked: AskHistory) -> HistoryTold:
    if asked.tick > 100:
        return HistoryTold(asked.id, asked.tick, {}, "invalid", "no such tick")
    hp = np.array([asked.tick, 7], "<i4").tobytes()
    return HistoryTold(asked.id, asked.tick, {"hp": hp})


@asynccontextmanager
async def historian(idle_s: float = 60.0) -> AsyncIterator[tuple[HistoryPost, Seats]]:
    seats = Seats()
    post = HistoryPost(SPEC, Apart({"history": seats.serve}), Logbook(None), idle_s)
    try:
        yield post, seats
    finally:
        await post.quit(5.0)


@asynccontextmanager
async def indexer() -> AsyncIterator[tuple[IndexPost, Seats]]:
    seats = Seats()
    placement = Apart({"indexer": seats.serve})
    post = IndexPost(PATHS, placement, Logbook(None), seats.tell)  # type: ignore[arg-type]  # tell as a teller
    try:
        yield post, seats
    finally:
        await post.quit(5.0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def test_the_first_question_starts_the_historian_and_answers_are_kept():
    async with historian() as (post, seats):
        assert post.keeper is None
        moment = await post.after(5, ("hp",))
        assert not isinstance(moment, Refused)
        assert moment["hp"].tolist() == [5, 7]
        await post.after(5, ("hp",))
        assert (seats.starts, len(seats.heard)) == (1, 1)
        assert await post.after(101, ("hp",)) == Refused("invalid", "no such tick")
        for tick in range(HISTORY_KEPT_MAX + 1):
            await post.after(tick + 10, ("hp",))
        before = len(seats.heard)
        await post.after(5, ("hp",))
        assert len(seats.heard) == before + 1
    assert seats.quits == 1


async def test_a_historian_that_is_idle_ends_and_comes_again():
    async with historian(idle_s=0.05) as (post, seats):
        await post.after(1, ("hp",))
        await until(lambda: post.keeper is None)
        await until(lambda: seats.quits == 1)
        assert not isinstance(await post.after(2, ("hp",)), Refused)
        assert seats.starts == 2


async def test_a_historian_that_dies_answers_nobody_and_comes_back():
    async with historian() as (post, seats):
        await post.after(1, ("hp",))
        seats.answers = False
        asking = asyncio.create_task(post.after(2, ("hp",)))
        await until(lambda: len(seats.heard) == 2)
        await seats.channels[0].aclose()
        refused = await asyncio.wait_for(asking, 10)
        assert isinstance(refused, Refused)
        assert refused.code == "gone"
        seats.answers = True
        await until(lambda: seats.starts == 2)
        await until(lambda: len(seats.channels) == 2)

        async def again() -> bool:
            return not isinstance(await post.after(2, ("hp",)), Refused)

        async with asyncio.timeout(10):
            while not await again():
                await asyncio.sleep(0.02)


async def test_only_so_many_questions_wait_and_who_leaves_is_forgotten():
    async with historian() as (post, seats):
        seats.answers = False
        asking = [
            asyncio.create_task(post.after(tick, ("hp",))) for tick in range(HISTORY_ASKED_MAX)
        ]
        await until(lambda: len(seats.heard) == HISTORY_ASKED_MAX)
        refused = await post.after(99, ("hp",))
        assert isinstance(refused, Refused)
        assert refused.code == "busy"
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert all(task.cancelled() for task in asking)
        asked = [heard.id for heard in seats.heard if isinstance(heard, AskHistory)]
        # Nobody works for them in vain; until the historian says so they are in its hands.
        await until(lambda: len(seats.heard) == 2 * HISTORY_ASKED_MAX)
        assert seats.heard[HISTORY_ASKED_MAX:] == [WithdrawHistory(number) for number in asked]
        assert isinstance(await post.after(50, ("hp",)), Refused)
        seats.answers = True
        seats.channels[0].post(HistoryTold(asked[0], 0, {}, "gone", "it was withdrawn"))

        async def is_there() -> bool:
            return not isinstance(await post.after(50, ("hp",)), Refused)

        async with asyncio.timeout(10):
            while not await is_there():
                await asyncio.sleep(0.01)
        assert sum(isinstance(heard, WithdrawHistory) for heard in seats.heard) == len(asked)


async def test_a_thread_answers_one_question_at_a_time_and_none_that_was_given_up(
    monkeypatch: pytest.MonkeyPatch,
):
    goes_on, told, at_once = threading.Event(), [], []

    def slowly(_: object, asked: AskHistory) -> HistoryTold:
        told.append(asked.tick)
        at_once.append(len(told))
        goes_on.wait(20)
        at_once.append(len(told))
        return _told(asked)

    monkeypatch.setattr("engine.hub.historypost.past_of", lambda _: object())
    monkeypatch.setattr("engine.hub.historypost.told", slowly)
    post = HistoryPost(SPEC, LocalPlacement({}), Logbook(None))
    asking = [asyncio.create_task(post.after(tick, ("hp",))) for tick in (1, 2, 3)]
    await until(lambda: told == [1])
    for task in asking[:2]:
        task.cancel()
    await asyncio.gather(*asking[:2], return_exceptions=True)
    await asyncio.sleep(0.05)
    goes_on.set()
    assert not isinstance(await asking[2], Refused)
    assert told == [1, 3]
    assert at_once == [1, 1, 2, 2]
    await post.quit(5.0)


async def test_a_historian_that_cannot_start_is_said():
    async with historian() as (post, seats):
        seats.refuses = True
        refused = await post.after(1, ("hp",))
        assert isinstance(refused, Refused)
        assert "not today" in refused.message
        seats.refuses = False
        assert not isinstance(await post.after(1, ("hp",)), Refused)
    assert isinstance(await post.after(2, ("hp",)), Refused)


async def test_the_indexer_starts_beside_the_run_and_ends_with_it():
    async with indexer() as (post, seats):
        post.start()
        post.start()
        await until(lambda: len(seats.channels) == 1)
        seats.channels[0].post(IndexReport(700))
        seats.channels[0].post(IndexReport(0, "it is of another log"))
        await until(lambda: bool(seats.said))
        assert seats.said == [
            ("problem", "the index of the log is made anew: it is of another log", False)
        ]
        post.begin_anew("a block is damaged")
        await until(lambda: seats.heard == [IndexAnew("a block is damaged")])
    assert (seats.starts, seats.quits) == (1, 1)


async def test_an_indexer_that_dies_comes_back_and_one_that_cannot_be_kept_is_told(monkeypatch):
    monkeypatch.setattr("engine.hub.keeper._BACK_OFF_S", 0.001)
    async with indexer() as (post, seats):
        post.start()
        for number in range(1, CHILD_RESTARTS_MAX + 2):
            await until(lambda number=number: len(seats.channels) == number)
            assert seats.said == []
            await seats.channels[-1].aclose()
        await until(lambda: bool(seats.said))
        ((kind, text, bad),) = seats.said
        assert (kind, bad) == ("problem", True)
        assert "not indexed any more" in text


async def test_no_indexer_without_a_log_or_in_one_process():
    for paths, placement in (
        (IndexerSpec("", ""), Apart({})),
        (PATHS, LocalPlacement({})),
    ):
        post = IndexPost(paths, placement, Logbook(None), lambda *_, **__: None)
        post.start()
        assert post.keeper.pid == 0
        await post.quit(0.0)
