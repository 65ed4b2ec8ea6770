"""``WS /stream``: one task listens, one tells; a client that does not read is let go of."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final

from litestar import WebSocket, get, websocket
from litestar.exceptions import WebSocketDisconnect

from engine.admin.call import SERVICE, Call
from engine.admin.docs import OPEN
from engine.admin.errors import Problem
from engine.admin.follow import Follow, wish_of
from engine.admin.gate import refuse
from engine.admin.service import AdminService
from engine.protocol.limits import STREAM_LAG_EVENTS_MAX, STREAM_STALL_S_MAX, STREAMS_MAX
from engine.protocol.refusal import ErrorBody

STREAMS: Final = "streams"
_GOING_AWAY: Final = 1001
_SAY_NOTHING: Final = 1008


class Streams:
    """Counts the open streams."""

    def __init__(self) -> None:
        self._open = 0
        self._none_left = asyncio.Event()
        self._none_left.set()

    def check_room(self) -> None:
        """Check that there is room for one more.

        Raises:
            Problem: There is none.
        """
        if self._open >= STREAMS_MAX:
            raise Problem("busy", f"{STREAMS_MAX} streams are open, the most allowed")

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a stream for the length of the block."""
        self._open += 1
        self._none_left.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._none_left.set()

    async def until_none(self) -> None:
        """Return when every stream has ended."""
        await self._none_left.wait()


@websocket("/stream")
async def stream(socket: WebSocket[Any, Any, Any]) -> None:
    """Tell what happens; see ``engine.admin.docs``."""
    service: AdminService = socket.app.state[SERVICE]
    streams: Streams = socket.app.state[STREAMS]
    try:
        wish = wish_of(socket.query_params.multi_items())
        streams.check_room()
    except Problem as problem:
        await refuse(socket.scope, socket.send, problem)
        return
    with streams.one_more():
        await socket.accept()
        await _serve(socket, service, Follow(service, wish, STREAM_LAG_EVENTS_MAX))


@get("/stream", summary="The live stream (a WebSocket)", responses=OPEN)
async def no_stream(request: Call) -> ErrorBody:  # noqa: ARG001 - Litestar's signature
    """Answers 400: this is a WebSocket, described at the top."""
    raise Problem(
        "bad_request", "this is a WebSocket: connect with the ws:// scheme, as /openapi.json tells"
    )


async def _serve(socket: WebSocket[Any, Any, Any], service: AdminService, follow: Follow) -> None:
    sides = {
        asyncio.create_task(_listen(socket), name="stream-listen"),
        asyncio.create_task(_tell(socket, service, follow), name="stream-tell"),
    }
    try:
        done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        for side in done:
            # Whoever has gone, or stopped reading, gets no more; anything else is ours.
            with contextlib.suppress(WebSocketDisconnect, TimeoutError, OSError):
                side.result()
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)


async def _listen(socket: WebSocket[Any, Any, Any]) -> None:
    """Return when the client is gone; one that talks is told that nobody listens."""
    message = await socket.receive()
    if message["type"] == "websocket.receive":
        await socket.close(_SAY_NOTHING, "a stream only tells; send nothing")


async def _tell(socket: WebSocket[Any, Any, Any], service: AdminService, follow: Follow) -> None:
    await _send(socket, follow.hello())
    while True:
        # Taken before looking, so that nothing between the look and the wait is missed.
        news = service.next_change()
        async for message in follow.pending():
            await _send(socket, message)
        last = follow.ended()
        if last is not None:
            await _send(socket, last)
            await socket.close(_GOING_AWAY, "the run is over")
            return
        await news.wait()


async def _send(socket: WebSocket[Any, Any, Any], message: bytes) -> None:
    async with asyncio.timeout(STREAM_STALL_S_MAX):
        await socket.send({"type": "websocket.send", "bytes": None, "text": message.decode()})
