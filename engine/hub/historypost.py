"""The hub's post at the historian: started by the first question, ended when nobody asks."""

import asyncio
from collections import OrderedDict
from itertools import count
from typing import Any

import numpy as np
from msgspec import Struct

from engine.history.serve import past_of, told
from engine.hub.columns import Column
from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.protocol.archive import AskHistory, HistorySpec, HistoryTold, WithdrawHistory
from engine.protocol.errors import UserError
from engine.protocol.limits import (
    CHILD_GRACE_S,
    HISTORY_ASKED_MAX,
    HISTORY_IDLE_S,
    HISTORY_KEPT_MAX,
    QUERY_DEADLINE_S_MAX,
)
from engine.protocol.query import Refused
from engine.world.state import COLUMNS

Moment = dict[str, Column]
"""Columns of the world's arrays by name."""


class HistoryPost:
    """Asks the historian what the world was like, and remembers the newest answers.

    Args:
        spec: Its first message; without a log on disk there is no past.
        placement: Where it runs; in one process it is a thread.
        logbook: The engine's log.
        idle_s: It is ended when it was asked nothing for so long.
    """

    def __init__(
        self,
        spec: HistorySpec,
        placement: Placement,
        logbook: Logbook,
        idle_s: float = HISTORY_IDLE_S,
    ) -> None:
        self._spec = spec
        self._placement = placement
        self._logbook = logbook
        self._idle_s = idle_s
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[HistoryTold]] = {}
        # What the historian, or a thread, has not answered yet; whether anybody waits or not.
        self._in_hand: set[int] = set()
        self._threads: set[asyncio.Task[HistoryTold | Refused]] = set()
        self._kept: OrderedDict[tuple[int, tuple[str, ...]], Moment] = OrderedDict()
        self._keeper: Keeper | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.Task[None] | None = None
        self._past: Any = None
        self._over = False

    @property
    def keeper(self) -> Keeper | None:
        """Its keeper, None while it does not run."""
        return self._keeper

    async def after(self, tick: int, columns: tuple[str, ...]) -> Moment | Refused:
        """Return the world as it was after a tick, or why that is not to be had."""
        key = (tick, columns)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if len(self._in_hand | self._waiting.keys()) >= HISTORY_ASKED_MAX:
            text = f"{HISTORY_ASKED_MAX} questions about the past are waiting; ask again later"
            return Refused("busy", text)
        answer = await self._ask(AskHistory(next(self._ids), tick, columns))
        if isinstance(answer, Refused):
            return answer
        if answer.code:
            return Refused(answer.code, answer.message)
        types = dict(COLUMNS)
        moment = {name: np.frombuffer(data, types[name]) for name, data in answer.columns.items()}
        self._kept[key] = moment
        while len(self._kept) > HISTORY_KEPT_MAX:
            self._kept.popitem(last=False)
        return moment

    async def quit(self, grace_s: float) -> None:
        """End it for good, by force after ``grace_s``; safe to call again."""
        self._over = True
        if self._idle is not None:
            self._idle.cancel()
            await asyncio.gather(self._idle, return_exceptions=True)
            self._idle = None
        if self._threads:
            _, late = await asyncio.wait(self._threads, timeout=grace_s)
            for thread in late:
                thread.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._end(grace_s)

    async def _ask(self, question: AskHistory) -> HistoryTold | Refused:
        answer: asyncio.Future[HistoryTold] = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = answer
        try:
            async with asyncio.timeout(QUERY_DEADLINE_S_MAX):
                if self._placement.in_process:
                    return await self._by_thread(question)
                problem = await self._post(question)
                return Refused("gone", problem) if problem else await answer
        except TimeoutError:
            return Refused("deadline", f"the world at tick {question.tick} was not there in time")
        finally:
            del self._waiting[question.id]
            if self._keeper is not None and question.id in self._in_hand:
                self._keeper.post(WithdrawHistory(question.id))

    async def _by_thread(self, question: AskHistory) -> HistoryTold | Refused:
        """Have a thread answer; whoever stops waiting does not let another begin beside it."""
        self._in_hand.add(question.id)
        thread = asyncio.create_task(self._in_thread(question), name="history-thread")
        self._threads.add(thread)
        thread.add_done_callback(self._threads.discard)
        thread.add_done_callback(lambda _: self._in_hand.discard(question.id))
        return await asyncio.shield(thread)

    async def _in_thread(self, question: AskHistory) -> HistoryTold | Refused:
        async with self._turn:
            if question.id not in self._waiting or self._over:
                return Refused("gone", "the question was withdrawn")
            if self._past is None:
                try:
                    self._past = await asyncio.to_thread(past_of, self._spec)
                except UserError as problem:
                    return Refused("gone", f"there is no historian: {problem.message}")
            return await asyncio.to_thread(told, self._past, question)

    async def _post(self, question: AskHistory) -> str:
        """Have the historian asked, which is started for it; return what went wrong."""
        async with self._turn:
            if self._over:
                return "the run is over"
            if self._keeper is None:
                keeper = self._make()
                try:
                    await keeper.start()
                except UserError as problem:
                    return f"there is no historian: {problem.message}"
                self._keeper = keeper
            if self._idle is not None:
                self._idle.cancel()
            self._idle = asyncio.create_task(self._end_when_idle(), name="history-idle")
            if not self._keeper.post(question):
                return "the historian is gone: ask again"
            self._in_hand.add(question.id)
            return ""

    async def _end_when_idle(self) -> None:
        while True:
            await asyncio.sleep(self._idle_s)
            if not self._waiting:
                break
        self._idle = None
        async with self._turn:
            if not self._waiting:
                await self._end(CHILD_GRACE_S)

    async def _end(self, grace_s: float) -> None:
        keeper, self._keeper = self._keeper, None
        self._forsake()
        if keeper is not None and not await keeper.quit(grace_s):
            self._logbook.write("killed", child=keeper.name)

    def _make(self) -> Keeper:
        owner = Owner(
            spec=lambda: self._spec,
            ready=self._ready,
            message=self._heard,
            lost=self._lost,
            broken=self._broken,
            heard=lambda line: self._logbook.write("child", child="historian", line=line),
        )
        return Keeper("history", "the historian", self._placement, owner)

    async def _ready(self, _: Ready, again: bool) -> None:
        self._logbook.write("history", text="the historian is back" if again else "it runs")

    def _heard(self, message: Struct) -> None:
        if isinstance(message, HistoryTold):
            self._in_hand.discard(message.id)
            waiting = self._waiting.get(message.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    def _lost(self, why: str) -> None:
        self._logbook.write("history", text=f"the historian is gone: {why}")
        self._forsake()

    def _broken(self, why: str) -> None:
        self._logbook.write("history", text=f"no historian any more: {why}")
        self._keeper = None
        self._forsake()

    def _forsake(self) -> None:
        """Give up what was asked: nobody answers it any more."""
        self._in_hand.clear()
        for number, waiting in self._waiting.items():
            if not waiting.done():
                text = "the historian is gone: ask again"
                waiting.set_result(HistoryTold(number, 0, {}, "gone", text))
