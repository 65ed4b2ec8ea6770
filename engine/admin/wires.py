"""uvicorn's two protocols, with the bounds they lack.

uvicorn waits for ever for the rest of a request, and for a client that never reads; here
both are cut off, and so is who sends on without reading.
"""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from engine.admin.errors import Problem
from engine.protocol.limits import (
    ADMIN_BYTES_DROPPED_MAX,
    ADMIN_CLOSE_S,
    ADMIN_CONNECTIONS_MAX,
    ADMIN_REQUEST_S_MAX,
    ADMIN_WAITING_BYTES_MAX,
)

_TOO_MANY: Final = Problem(
    "busy", f"{ADMIN_CONNECTIONS_MAX} connections are open, the most allowed"
)


class HttpWire(H11Protocol):
    """One HTTP connection, bounded in time and in bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._came = 0
        self._is_refused = False
        self._is_lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        if len(self.connections) > ADMIN_CONNECTIONS_MAX:
            self._refuse(_TOO_MANY, "429 Too Many Requests")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._is_lost = True
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self.transport.is_closing():
            return
        self._came += len(data)
        if self._came > ADMIN_BYTES_DROPPED_MAX or _waits(self.transport):
            self.transport.abort()
            return
        if self._is_refused:
            return
        if self._deadline is None:
            self._arm()
        super().data_received(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """See ``H11Protocol``: from here on another protocol has the connection."""
        self._disarm()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """See ``H11Protocol``."""
        self._disarm()
        self._came = 0
        super().on_response_complete()
        if self.transport.is_closing():
            self._cut_off_later()
        elif not self.cycle.response_complete:
            # The next request was waiting already: nothing more may come of it.
            self._arm()

    def send_400_response(self, msg: str) -> None:
        """See ``H11Protocol``: what is no HTTP gets an error of our shape, too."""
        self._refuse(Problem("bad_request", msg.rstrip(".")), "400 Bad Request")

    def timeout_keep_alive_handler(self) -> None:
        """See ``H11Protocol``."""
        if not self._is_lost:
            super().timeout_keep_alive_handler()
            self._cut_off_later()

    def _refuse(self, problem: Problem, status: str) -> None:
        """Answer without the rest of the machinery, and send no more.

        What still comes is read and dropped for a moment: closed with bytes unread, the
        connection would be reset, and the answer with it.
        """
        self._is_refused = True
        body = problem.body()
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.write_eof()
        self._cut_off_later()

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(ADMIN_REQUEST_S_MAX, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off_later(self) -> None:
        """A transport that is closed waits for its client to read; not for ever."""
        self._disarm()
        if not self._is_lost:
            self._deadline = self.loop.call_later(ADMIN_CLOSE_S, self.transport.abort)


class StreamWire(WebSocketsSansIOProtocol):
    """One WebSocket; it is gone soon after its application is done with it."""

    _deadline: asyncio.TimerHandle | None = None
    _is_lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._is_lost = True
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if _waits(self.transport):
            # Each ping is answered: who sends them and reads nothing would fill the memory.
            self.transport.abort()
            return
        super().data_received(data)

    def on_task_complete(self, task: "asyncio.Task[None]") -> None:
        """See ``WebSocketsSansIOProtocol``."""
        super().on_task_complete(task)
        self._cut_off_later()

    def keepalive_timeout(self) -> None:
        """See ``WebSocketsSansIOProtocol``."""
        super().keepalive_timeout()
        self._cut_off_later()

    def _cut_off_later(self) -> None:
        # A transport that is lost already must not be aborted any more.
        if self._deadline is None and not self._is_lost:
            self._deadline = self.loop.call_later(ADMIN_CLOSE_S, self.transport.abort)


def _waits(transport: asyncio.Transport) -> bool:
    return transport.get_write_buffer_size() > ADMIN_WAITING_BYTES_MAX
