"""Event batches for whoever watches, on a unix socket; a watcher never delays a tick.

What does not fit a watcher's backlog is dropped for that watcher alone, counted, and
told in the next batch it gets.
"""

import asyncio
from pathlib import Path
from typing import cast

import msgspec

from engine.protocol.child import EventBatch
from engine.protocol.codec import frame
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import WATCHER_BACKLOG_BYTES_MAX, WATCHERS_MAX


class _Watcher(asyncio.Protocol):
    """One connection; what it sends is ignored."""

    def __init__(self, watchers: "dict[_Watcher, None]") -> None:
        self._watchers = watchers
        self.transport: asyncio.Transport | None = None
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._watchers) >= WATCHERS_MAX:
            transport.close()
            return
        # uvloop's transports offer asyncio's interface without deriving from it.
        self.transport = cast("asyncio.Transport", transport)
        self._watchers[self] = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._watchers.pop(self, None)


class Publisher:
    """Listens on ``path`` and writes every batch to every watcher.

    Args:
        path: Path of the unix socket.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._watchers: dict[_Watcher, None] = {}
        self._server: asyncio.Server | None = None
        self._encoder = msgspec.msgpack.Encoder()

    async def open(self) -> None:
        """Begin to listen; a socket that a killed world left behind is replaced.

        Raises:
            UserError: The path cannot be used.
        """
        try:
            if self._path.is_socket():
                self._path.unlink()
            self._server = await asyncio.get_running_loop().create_unix_server(
                lambda: _Watcher(self._watchers), path=str(self._path)
            )
            self._path.chmod(0o600)
        except OSError as problem:
            raise UserError(
                f"cannot listen on {self._path}: {problem.strerror or problem}", ExitCode.OWN_FAULT
            ) from problem

    @property
    def watched(self) -> bool:
        """Whether anyone listens."""
        return bool(self._watchers)

    def publish(self, batch: EventBatch) -> None:
        """Write ``batch`` to every watcher that keeps up."""
        plain = frame(self._encoder.encode(batch))
        for watcher in list(self._watchers):
            transport = watcher.transport
            if transport is None or transport.is_closing():
                continue
            if transport.get_write_buffer_size() + len(plain) > WATCHER_BACKLOG_BYTES_MAX:
                watcher.dropped += 1
            elif watcher.dropped:
                told = msgspec.structs.replace(batch, dropped=watcher.dropped)
                transport.write(frame(self._encoder.encode(told)))
                watcher.dropped = 0
            else:
                transport.write(plain)

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
