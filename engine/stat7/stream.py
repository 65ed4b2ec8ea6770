"""``Stream``: STAT7 over WebSocket. Lets clients in, tells everyone the same, once a second."""

import asyncio
import contextlib
import logging
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from engine.link.listening import listen
from engine.protocol import limits
from engine.protocol.feed import FaultView
from engine.protocol.hosts import foreign
from engine.protocol.text import printable
from engine.stat7.board import Board
from engine.stat7.client import Client
from engine.stat7.coordinates import COLUMNS_SEEN
from engine.stat7.handshake import refusal
from engine.stat7.service import Stat7Service

PATH: Final = "/"
_PERIOD_S: Final = 1.0
_PATH_CHARS_MAX: Final = 80
_PROBLEM_CHARS_MAX: Final = 200
_FULL: Final = "{} clients are told, the most allowed"


class Stream:
    """Every client of STAT7.

    Args:
        engine: The run.
        now_s: The monotonic clock.
        now_ms: Milliseconds since 1970, for the messages.

    Attributes:
        port: Where it listens; 0 before ``bind``.
        board: What was told.
    """

    def __init__(
        self,
        engine: Stat7Service,
        now_s: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.port = 0
        self.board = Board(engine.run)
        self.now_s = now_s
        self._now_ms = now_ms
        self._engine = engine
        self._host = ""
        self._listener: socket.socket | None = None
        self._server: Server | None = None
        self._pacer: asyncio.Task[None] | None = None
        self._open: dict[Client, None] = {}
        self._watching: dict[Client, None] = {}
        self._faults: tuple[FaultView, ...] = ()
        self._empty = asyncio.Event()
        self._failures = 0
        self._failed_s = 0.0
        self._noted_s = 0.0
        self._notes = 0

    @property
    def clients(self) -> int:
        """How many are told."""
        return len(self._watching)

    # --- its life ---

    def bind(self, host: str, port: int) -> None:
        """Take the port; whoever connects waits until ``start``.

        Raises:
            UserError: The address cannot be used.
        """
        self._host = host
        self._listener = listen(
            host,
            port,
            "STAT7",
            send_buffer_bytes=limits.STAT7_SEND_BUFFER_BYTES,
            receive_buffer_bytes=limits.STAT7_RECEIVE_BUFFER_BYTES,
        )
        self.port = self._listener.getsockname()[1]

    async def start(self) -> None:
        """Let clients in, and tell them what there is to tell once a second."""
        # Hostile handshakes are the client's trouble; the library would write a traceback for each.
        logger = logging.getLogger("engine.stat7")
        logger.setLevel(logging.CRITICAL + 1)
        self._server = await serve(
            self._serve,
            sock=self._listener,
            create_connection=partial(Client, self),  # type: ignore[arg-type]  # a factory will do: "a wrapper or a subclass"
            process_request=self._admit,
            compression=None,
            server_header=None,
            open_timeout=limits.STAT7_OPEN_S,
            close_timeout=limits.STAT7_CLOSE_S,
            # A stream that is told something each second needs no other sign of life.
            ping_interval=None,
            logger=logger,
        )
        self._pacer = asyncio.create_task(self._pace(), name="stat7-pace")

    async def finish(self, outcome: Mapping[str, object]) -> None:
        """Tell everyone that the run is over, and how; then close.

        Args:
            outcome: More for ``experiment_completed``'s data.
        """
        await self._stop_pacing()
        self._spread(self.board.farewell(outcome, self._now_ms()))
        await self.aclose()

    async def aclose(self) -> None:
        """Listen no more, close every client, and cut off whoever stays; safe to call again."""
        await self._stop_pacing()
        await self._shut(CloseCode.GOING_AWAY, "the run is over")

    async def _shut(self, code: CloseCode, reason: str) -> None:
        if self._server is not None:
            # Ends the listening alone: the library would wait for ever for one that never reads.
            self._server.close(close_connections=False)
        elif self._listener is not None:
            self._listener.close()
        for client in list(self._open):
            client.end(code, reason)
        await self._until_empty()
        for client in list(self._open):
            client.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()

    async def _stop_pacing(self) -> None:
        if self._pacer is not None:
            self._pacer.cancel()
            await asyncio.gather(self._pacer, return_exceptions=True)
            self._pacer = None

    async def _until_empty(self) -> None:
        if self._open:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), limits.STAT7_CLOSE_S)

    # --- what is told ---

    def take_faults(self, faults: tuple[FaultView, ...]) -> None:
        """Take in the faults as they stand and tell what became of them."""
        if faults != self._faults:
            self._faults = faults
            self._spread(b"".join(self.board.tell_faults(faults, self._now_ms())))

    async def _pace(self) -> None:
        """Tell once a second. A second that fails costs that second; too many, the stream."""
        next_s = self.now_s()
        while True:
            try:
                await self._second()
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is logged and told
                if not self._survives(problem):
                    break
            next_s = max(next_s + _PERIOD_S, self.now_s())
            await asyncio.sleep(next_s - self.now_s())
        await self._shut(CloseCode.INTERNAL_ERROR, "a fault of our own; see engine.log")

    async def _second(self) -> None:
        try:
            await self._tell()
        finally:
            for client in list(self._open):
                client.sweep()

    def _survives(self, problem: Exception) -> bool:
        """Log and tell a failure; return whether the next second is tried."""
        now_s = self.now_s()
        if now_s - self._failed_s > limits.STAT7_STEADY_S:
            self._failures = 0
        self._failures, self._failed_s = self._failures + 1, now_s
        self._engine.log("stat7 failure", "".join(traceback.format_exception(problem)))
        what = printable(f"{type(problem).__name__}: {problem}", _PROBLEM_CHARS_MAX)
        if self._failures > limits.STAT7_FAILURES_MAX:
            text = f"STAT7 is closed, it failed {self._failures} times: {what}; see engine.log"
        else:
            tries = f"{self._failures} of {limits.STAT7_FAILURES_MAX}"
            text = f"STAT7 failed and tries again ({tries}): {what}; see engine.log"
        self._engine.problem(text)
        return self._failures <= limits.STAT7_FAILURES_MAX

    async def _tell(self) -> None:
        board, engine = self.board, self._engine
        board.take_events(engine.happened(board.near.seen_seq))
        watched = bool(self._watching)
        if not watched:
            board.nobody_watches()
            ids = engine.look(("id",))
            if ids is None or not board.has_new(ids.columns["id"]):
                return
        look = engine.look(COLUMNS_SEEN)
        if look is None:
            return
        for frames in board.tell(look, self._now_ms(), watched=watched):
            self._spread(frames)
            # The hub has other things to do; whoever comes meanwhile finds the history whole.
            await asyncio.sleep(0)

    def _spread(self, frames: bytes) -> None:
        if frames:
            for client in list(self._watching):
                client.push(frames)

    # --- clients ---

    def _admit(self, _: ServerConnection, request: Request) -> Response | None:
        headers, shown = request.headers, printable(request.path, _PATH_CHARS_MAX)
        try:
            path = urlsplit(request.path).path
        except ValueError:
            return refusal("bad_request", f"found {shown!r}; allowed is {PATH}")
        if path != PATH:
            return refusal("not_found", f"nothing is at {shown!r}; STAT7 is at {PATH}")
        objection = foreign(headers.get_all("Host"), headers.get_all("Origin"), self._host)
        if objection:
            return refusal("forbidden", objection)
        if len(self._watching) >= limits.STAT7_CLIENTS_MAX:
            return refusal("busy", _FULL.format(limits.STAT7_CLIENTS_MAX))
        return None

    async def _serve(self, client: ServerConnection) -> None:
        if not isinstance(client, Client):
            raise TypeError(f"a client is a {type(client).__name__}")
        if len(self._watching) >= limits.STAT7_CLIENTS_MAX:
            full = _FULL.format(limits.STAT7_CLIENTS_MAX)
            client.dismiss(CloseCode.TRY_AGAIN_LATER, full)
            return
        # In one step: nothing can be told between the history and the first live message.
        client.push(b"".join(self.board.history))
        client.push(self.board.welcome(self._faults, self._now_ms()))
        self._watching[client] = None
        try:
            await self._hear(client)
        finally:
            self._watching.pop(client, None)

    async def _hear(self, client: Client) -> None:
        """Ignore what a client says, and note the first time; return when it is gone."""
        try:
            said = await client.recv(decode=False)
            self.note(f"{client.peer} sent {len(said)} bytes; ignored: this stream only tells")
            while True:
                await client.recv(decode=False)
        except ConnectionClosed as closed:
            # What we closed ourselves has been noted with its reason.
            if closed.sent is not None and not closed.rcvd_then_sent and not client.ended:
                self.note(f"{client.peer} is gone: {closed.sent.code} {closed.sent.reason}")

    def opened(self, client: Client) -> None:
        """See ``client.Owner``."""
        self._open[client] = None
        if len(self._open) > limits.STAT7_CONNECTIONS_MAX:
            self.note(f"{client.peer} was cut off: {limits.STAT7_CONNECTIONS_MAX} connections")
            client.transport.abort()

    def gone(self, client: Client) -> None:
        """See ``client.Owner``."""
        self._open.pop(client, None)
        self._watching.pop(client, None)
        if not self._open:
            self._empty.set()

    def note(self, text: str) -> None:
        """See ``client.Owner``; bounded, so that no client can fill the log."""
        now_s = self.now_s()
        if now_s - self._noted_s >= 1.0:
            if self._notes > limits.STAT7_LOG_LINES_PER_S_MAX:
                more = self._notes - limits.STAT7_LOG_LINES_PER_S_MAX
                self._engine.log("stat7", f"{more} more lines like the last one")
            self._noted_s, self._notes = now_s, 0
        self._notes += 1
        if self._notes <= limits.STAT7_LOG_LINES_PER_S_MAX:
            self._engine.log("stat7", text)
