"""``MemoryLink``: console and engine in one process."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from engine.link.base import LinkClosed
from engine.link.exchange import Exchange, Seat
from engine.protocol.command import Command, Reply
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.limits import LINK_CALLS_IN_FLIGHT_MAX, QUERY_DEADLINE_S_MAX
from engine.protocol.link_frames import checked_command, checked_query
from engine.protocol.query import Answer, Query, Refused

_T = TypeVar("_T")


class MemoryLink:
    """An ``EngineLink`` to an exchange in the same event loop; make it with ``open``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._seat: Seat | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    def open(cls, exchange: Exchange) -> "MemoryLink":
        """Return a link with a seat at ``exchange``.

        Raises:
            LinkClosed: Every seat is taken.
        """
        link = cls(exchange)
        link._seat = exchange.sit(link._evicted)
        if link._seat is None:
            raise LinkClosed("the engine has as many consoles as it takes")
        return link

    @property
    def closed(self) -> bool:
        """See ``EngineLink.closed``."""
        return self._place().lanes.closed

    @property
    def ended(self) -> Ended | None:
        """See ``EngineLink.ended``."""
        return self._place().lanes.ended

    async def call(self, command: Command) -> Reply:
        """See ``EngineLink.call``."""
        seat = self._heard()
        try:
            good = checked_command(msgspec.msgpack.encode(command))
        except msgspec.DecodeError as problem:
            return Reply(ok=False, text=str(problem), code="bad_request")
        if len(self._tasks) >= LINK_CALLS_IN_FLIGHT_MAX:
            return Reply(ok=False, text="too many calls at once", code="busy")
        return await self._run(self._exchange.service.command(good, seat.console))

    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        """See ``EngineLink.ask``."""
        self._heard()
        try:
            good = checked_query(msgspec.msgpack.encode(query))
        except msgspec.DecodeError as problem:
            return Refused("bad_request", str(problem))
        if len(self._tasks) >= LINK_CALLS_IN_FLIGHT_MAX:
            return Refused("busy", "too many questions at once")
        try:
            async with asyncio.timeout(min(deadline_s, QUERY_DEADLINE_S_MAX)):
                return await self._run(self._exchange.service.answer(good))
        except TimeoutError:
            return Refused("deadline", f"no answer within {deadline_s:g} s")

    def take_snapshot(self) -> Snapshot | None:
        """See ``EngineLink.take_snapshot``."""
        return self._place().lanes.take_snapshot()

    def take_notices(self) -> list[Notice | Gap]:
        """See ``EngineLink.take_notices``."""
        return self._place().lanes.take_notices()

    async def wait(self) -> None:
        """See ``EngineLink.wait``."""
        await self._place().lanes.wait()

    async def aclose(self) -> None:
        """See ``EngineLink.aclose``."""
        self._exchange.leave(self._place())
        self._evicted()

    def _place(self) -> Seat:
        if self._seat is None:
            raise LinkClosed("the link was never opened")
        return self._seat

    def _heard(self) -> Seat:
        seat = self._place()
        if seat.lanes.closed:
            raise LinkClosed("the engine is gone")
        seat.heard_s = self._exchange.clock()
        return seat

    async def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await ``work``; when the link closes under it, raise ``LinkClosed``."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._place().lanes.closed and not task_cancelling():
                raise LinkClosed("the engine is gone") from None
            task.cancel()
            raise
        finally:
            self._tasks.discard(task)

    def _evicted(self) -> None:
        for task in self._tasks:
            task.cancel()


def task_cancelling() -> bool:
    """Return whether the current task itself was asked to stop."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
