"""``AdminDoors``: uvicorn in the hub's loop, without its signals, its logs and its patience."""

import asyncio
import contextlib
import logging
import socket
from typing import Final

from uvicorn import Config, Server

from engine.admin.app import make_app
from engine.admin.gate import Gate
from engine.admin.service import AdminService
from engine.admin.stream import Streams
from engine.admin.wires import HttpWire, StreamWire
from engine.protocol.limits import (
    ADMIN_CONNECTIONS_MAX,
    ADMIN_HEAD_BYTES_MAX,
    ADMIN_IDLE_S_MAX,
    ADMIN_LOG_LINES_MAX,
    ADMIN_SHUTDOWN_S,
    STREAM_HEARD_BYTES_MAX,
)

_DATE_EVERY_S: Final = 1.0
_ROUNDS_TO_DIE: Final = 10
"""An aborted transport says so in the loop's next rounds."""


class AdminDoors:
    """The admin interface of one run.

    Args:
        service: The engine.
        host: The address that ``listener`` listens on.
        version: Of SeedStorm.
    """

    def __init__(self, service: AdminService, host: str, version: str) -> None:
        self._service = service
        self._streams = Streams()
        self._ear = _Ear(service)
        config = Config(
            Gate(make_app(service, version, self._streams), host),
            http=HttpWire,
            ws=StreamWire,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=ADMIN_CONNECTIONS_MAX,
            timeout_keep_alive=ADMIN_IDLE_S_MAX,
            timeout_graceful_shutdown=ADMIN_SHUTDOWN_S,
            h11_max_incomplete_event_size=ADMIN_HEAD_BYTES_MAX,
            ws_max_size=STREAM_HEARD_BYTES_MAX,
            ws_per_message_deflate=False,
        )
        config.load()
        self._server = Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._clock: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None

    async def open(self, listener: socket.socket) -> None:
        """Serve on a socket that listens; it is closed in the end.

        Raises:
            OSError: The socket cannot be served on.
        """
        self._listener = listener
        self._ear.listen()
        # Not ``Server.serve``: that would take over the process's signals.
        await self._server.startup(sockets=[listener])
        self._clock = asyncio.create_task(self._keep_the_date(), name="admin-date")

    async def aclose(self) -> None:
        """Close every door, within about a second; safe to call again."""
        if self._clock is None:
            return
        self._clock.cancel()
        await asyncio.gather(self._clock, return_exceptions=True)
        self._clock = None
        if self._service.ended is not None:
            # Those that follow are being told that the run is over.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._streams.until_none(), ADMIN_SHUTDOWN_S)
        state = self._server.server_state
        sockets = [] if self._listener is None else [self._listener]
        await self._server.shutdown(sockets=sockets)
        for connection in list(state.connections):
            connection.transport.abort()
        left = list(state.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _ in range(_ROUNDS_TO_DIE):
            if not state.connections:
                break
            await asyncio.sleep(0)
        self._ear.leave()

    async def _keep_the_date(self) -> None:
        """Do what ``Server.main_loop`` does ten times a second."""
        while True:
            await self._server.on_tick(0)
            await asyncio.sleep(_DATE_EVERY_S)


class _Ear(logging.Handler):
    """Hears what uvicorn complains of, for the engine's log; a terminal never sees it."""

    def __init__(self, service: AdminService) -> None:
        super().__init__(logging.ERROR)
        self._service = service
        self._logger = logging.getLogger("uvicorn.error")
        self._heard = 0
        self._before = (True, logging.NOTSET)

    def listen(self) -> None:
        self._before = (self._logger.propagate, self._logger.level)
        self._logger.propagate = False
        self._logger.setLevel(logging.ERROR)
        self._logger.addHandler(self)

    def leave(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate, level = self._before
        self._logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        self._heard += 1
        if self._heard <= ADMIN_LOG_LINES_MAX:
            with contextlib.suppress(ValueError, TypeError):  # a message that does not format
                self._service.note("admin", self.format(record))
