"""``SocketLink``: a console's end of the link over the hub's unix socket."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
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


class _Wire(asyncio.Protocol):
    """Hands on all that arrives, also what was not yet read when a write failed.

    asyncio gives a socket up when a write to it fails; what the engine said last, such as
    how the run ended, may wait in it then. A second descriptor reads that.

    Args:
        spare: Another descriptor of the same socket; closed at the end.
        take: Called with bytes; raises when they are no engine's.
        gone: Called once, after the last byte.
    """

    def __init__(
        self, spare: socket.socket, take: Callable[[bytes], None], gone: Callable[[], None]
    ) -> None:
        self._spare = spare
        self._take = take
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport  # type: ignore[assignment]  # a stream's is a Transport

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        try:
            self._take(data)
        except (FrameTooLarge, msgspec.DecodeError):
            # Whatever it sent is no engine's; to the console that is an engine that is gone.
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, problem: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        with self._spare, contextlib.suppress(OSError, FrameTooLarge, msgspec.DecodeError):
            while problem is not None and (data := self._spare.recv(_READ_BYTES)):
                self._take(data)
        self._gone()
        self.lost.set_result(None)


class SocketLink:
    """An ``EngineLink`` to a hub in another process; make it with ``connect``."""

    def __init__(self) -> None:
        self._lanes = Lanes()
        self._deframer = Deframer(LINK_FRAME_BYTES_MAX)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._next = 1
        self._transport: asyncio.Transport
        self._wire: _Wire

    @classmethod
    async def connect(cls, path: str) -> "SocketLink":
        """Return a link to the engine that listens on ``path``.

        Raises:
            LinkClosed: Nobody listens there.
        """
        loop = asyncio.get_running_loop()
        link = cls()
        with contextlib.ExitStack() as undo:
            ours = undo.enter_context(socket.socket(socket.AF_UNIX))
            ours.setblocking(False)
            try:
                await loop.sock_connect(ours, path)
                spare = undo.enter_context(ours.dup())
                link._transport, link._wire = await loop.create_unix_connection(
                    lambda: _Wire(spare, link._receive, link._shut), sock=ours
                )
            except (OSError, ValueError) as problem:
                raise LinkClosed(f"no engine listens on {path}: {problem}") from problem
            undo.pop_all()  # both belong to the transport now
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
        try:
            await asyncio.wait_for(asyncio.shield(self._wire.lost), timeout=1.0)
        except TimeoutError:
            self._transport.abort()
            await self._wire.lost

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
            self._transport.write(frame(encoder.encode(message(number))))
            async with asyncio.timeout(deadline_s):
                return await future
        finally:
            self._pending.pop(number, None)

    def _receive(self, data: bytes) -> None:
        for payload in self._deframer.feed(data):
            self._take(from_engine_decoder.decode(payload))

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
        self._transport.close()
