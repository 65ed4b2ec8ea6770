"""``SocketLink``: a console's end of the link over the hub's unix socket."""

import asyncio
import contextlib
from typing import Any

import msgspec

from engine.link.base import LinkClosed
from engine.link.feed import Lanes
from engine.protocol.codec import Deframer, FrameTooLarge, frame
from engine.protocol.command import Command, Reply
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.limits import LINK_CALLS_IN_FLIGHT_MAX, LINK_FRAME_BYTES_MAX
from engine.protocol.link_frames import (
    Answered,
    Ask,
    Call,
    FromEngine,
    Replied,
    encoder,
    from_engine_decoder,
)
from engine.protocol.query import Answer, Query, Refused

_READ_BYTES = 256 * 1024


class SocketLink:
    """An ``EngineLink`` to a hub in another process; make it with ``connect``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._lanes = Lanes()
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._next = 1
        self._pump: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, path: str) -> "SocketLink":
        """Return a link to the engine that listens on ``path``.

        Raises:
            LinkClosed: Nobody listens there.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except (OSError, ValueError) as problem:
            raise LinkClosed(f"no engine listens on {path}: {problem}") from problem
        link = cls(reader, writer)
        link._pump = asyncio.create_task(link._receive(), name="socket-link")
        return link

    @property
    def closed(self) -> bool:
        """See ``EngineLink.closed``."""
        return self._lanes.closed

    @property
    def ended(self) -> Ended | None:
        """See ``EngineLink.ended``."""
        return self._lanes.ended

    async def call(self, command: Command) -> Reply:
        """See ``EngineLink.call``."""
        if self._crowded():
            return Reply(ok=False, text="too many calls at once", code="busy")
        raw = msgspec.Raw(encoder.encode(command))
        reply: Reply = await self._exchange(lambda number: Call(number, raw), deadline_s=None)
        return reply

    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        """See ``EngineLink.ask``."""
        if self._crowded():
            return Refused("busy", "too many questions at once")
        raw = msgspec.Raw(encoder.encode(query))
        try:
            answer: Answer = await self._exchange(
                lambda number: Ask(number, raw, deadline_s), deadline_s
            )
        except TimeoutError:
            return Refused("deadline", f"no answer within {deadline_s:g} s")
        return answer

    def take_snapshot(self) -> Snapshot | None:
        """See ``EngineLink.take_snapshot``."""
        return self._lanes.take_snapshot()

    def take_notices(self) -> list[Notice | Gap]:
        """See ``EngineLink.take_notices``."""
        return self._lanes.take_notices()

    async def wait(self) -> None:
        """See ``EngineLink.wait``."""
        await self._lanes.wait()

    async def aclose(self) -> None:
        """See ``EngineLink.aclose``."""
        self._shut()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), timeout=1.0)
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    def _crowded(self) -> bool:
        if self._lanes.closed:
            raise LinkClosed("the engine is gone")
        return len(self._pending) >= LINK_CALLS_IN_FLIGHT_MAX

    async def _exchange(self, message: Any, deadline_s: float | None) -> Any:
        number = self._next
        self._next += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            self._writer.write(frame(encoder.encode(message(number))))
            async with asyncio.timeout(deadline_s):
                return await future
        finally:
            self._pending.pop(number, None)

    async def _receive(self) -> None:
        deframer = Deframer(LINK_FRAME_BYTES_MAX)
        try:
            while data := await self._reader.read(_READ_BYTES):
                for payload in deframer.feed(data):
                    self._take(from_engine_decoder.decode(payload))
        except (OSError, FrameTooLarge, msgspec.DecodeError):
            # Whatever it sent is no engine's; to the console that is an engine that is gone.
            self._writer.transport.abort()
        finally:
            self._shut()

    def _take(self, item: FromEngine) -> None:
        if isinstance(item, Replied):
            self._settle(item.id, item.reply)
        elif isinstance(item, Answered):
            self._settle(item.id, item.answer)
        else:
            self._lanes.put(item)

    def _settle(self, number: int, result: Reply | Answer) -> None:
        future = self._pending.get(number)
        if future is not None and not future.done():
            future.set_result(result)

    def _shut(self) -> None:
        self._lanes.close()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(LinkClosed("the engine is gone"))
        with contextlib.suppress(RuntimeError):  # the loop may be closing already
            self._writer.close()
