"""Event batches for whoever watches, on a unix socket; a watcher never delays a tick.

What does not fit a watcher's backlog is dropped for that watcher alone, counted, and
told in the next batch it gets. The newest few batches that nobody watched wait for the
first watcher: a world ticks before anyone can have connected to it.
"""

import asyncio
from collections import deque
from pathlib import Path
from typing import cast

import msgspec

from engine.protocol.child import EventBatch, encoder
from engine.protocol.codec import frame
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import (
    BATCHES_KEPT_UNWATCHED_MAX,
    WATCHER_BACKLOG_BYTES_MAX,
    WATCHERS_MAX,
)


class _Watcher(asyncio.Protocol):
    """One connection; what it sends is ignored."""

    def __init__(self, watchers: "dict[_Watcher, None]", kept: deque[EventBatch]) -> None:
        self._watchers = watchers
        self._kept = kept
        self.transport: asyncio.Transport | None = None
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._watchers) >= WATCHERS_MAX:
            transport.close()
            return
        # uvloop's transports offer asyncio's interface without deriving from it.
        self.transport = cast("asyncio.Transport", transport)
        self._watchers[self] = None
        for batch in self._kept:
            self.take(batch, frame(encoder.encode(batch)))
        self._kept.clear()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._watchers.pop(self, None)

    def take(self, batch: EventBatch, plain: bytes) -> None:
        """Write a batch, of which ``plain`` is the frame, if this watcher keeps up."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(plain) > WATCHER_BACKLOG_BYTES_MAX:
            self.dropped += 1
        elif self.dropped:
            told = msgspec.structs.replace(batch, dropped=self.dropped)
            transport.write(frame(encoder.encode(told)))
            self.dropped = 0
        else:
            transport.write(plain)


class Publisher:
    """Listens on ``path`` and writes every batch to every watcher.

    Args:
        path: Path of the unix socket.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._watchers: dict[_Watcher, None] = {}
        self._kept: deque[EventBatch] = deque(maxlen=BATCHES_KEPT_UNWATCHED_MAX)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen; a socket that a killed world left behind is replaced.

        Raises:
            UserError: The path cannot be used.
        """
        try:
            if self._path.is_socket():
                self._path.unlink()
            self._server = await asyncio.get_running_loop().create_unix_server(
                lambda: _Watcher(self._watchers, self._kept), path=str(self._path)
            )
            self._path.chmod(0o600)
        except OSError as problem:
            raise UserError(
                f"cannot listen on {self._path}: {problem.strerror or problem}", ExitCode.OWN_FAULT
            ) from problem

    def publish(self, batch: EventBatch) -> None:
        """Write ``batch`` to every watcher that keeps up."""
        if not self._watchers:
            self._kept.append(batch)
            return
        plain = frame(encoder.encode(batch))
        for watcher in list(self._watchers):
            watcher.take(batch, plain)

    async def aclose(self) -> None:
        """Close every connection and remove the socket's file."""
        if self._server is not None:
            self._server.close()
        for watcher in list(self._watchers):
            if watcher.transport is not None:
                watcher.transport.close()
        if self._server is not None:
            self._path.unlink(missing_ok=True)
        await asyncio.sleep(0)
