"""``LinkServer``: the hub's end of ``SocketLink``; no client can harm it or another client.

Each client has a reader and a writer of its own. What it did not read yet waits in its
bounded lanes; a client with too many unanswered calls is not read from until it reads.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.link.exchange import Exchange, Seat
from engine.protocol.codec import Deframer, FrameTooLarge, frame
from engine.protocol.command import Reply
from engine.protocol.limits import (
    LINK_CALLS_IN_FLIGHT_MAX,
    LINK_REQUEST_BYTES_MAX,
    QUERY_DEADLINE_S_MAX,
)
from engine.protocol.link_frames import (
    Answered,
    Ask,
    Call,
    FromEngine,
    Replied,
    checked_command,
    checked_query,
    encoder,
    from_console_decoder,
)
from engine.protocol.query import Answer, Refused

_READ_BYTES = 64 * 1024
_FLUSH_S = 1.0


class LinkServer:
    """Listens on a unix socket for consoles.

    Args:
        exchange: Where consoles are seated.
        report: Told in one line what a client did wrong.
    """

    def __init__(self, exchange: Exchange, report: Callable[[str], None]) -> None:
        self._exchange = exchange
        self._report = report
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, path: str) -> None:
        """Listen on ``path``.

        Raises:
            OSError: The path cannot be listened on.
        """
        self._server = await asyncio.start_unix_server(self._accept, path=path)
        await asyncio.to_thread(Path(path).chmod, 0o600)

    async def aclose(self) -> None:
        """Give every client a moment to read what is left, then close all."""
        if self._server is not None:
            self._server.close()
        if self._clients:
            # A client's writer ends by itself after it has sent ``Ended``.
            await asyncio.wait(self._clients, timeout=_FLUSH_S)
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a client is served outside of a task")
        self._clients.add(task)
        try:
            seat = self._exchange.sit(writer.transport.abort)
            if seat is None:
                self._report("a console was refused: every seat is taken")
                return
            try:
                await _Client(self._exchange, seat, reader, writer).serve()
            except (FrameTooLarge, msgspec.DecodeError) as problem:
                self._report(f"console {seat.console} sent what is no frame: {problem}")
            except OSError as problem:
                self._report(f"console {seat.console} is gone: {problem}")
            finally:
                self._exchange.leave(seat)
        except asyncio.CancelledError:
            # The server closes; the task ends here, so that the streams module,
            # which looks at it afterwards, finds nothing unhandled.
            writer.transport.abort()
        finally:
            self._clients.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Client:
    def __init__(
        self,
        exchange: Exchange,
        seat: Seat,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._exchange = exchange
        self._seat = seat
        self._reader = reader
        self._writer = writer
        self._answers: deque[FromEngine] = deque()
        self._in_flight = asyncio.Semaphore(LINK_CALLS_IN_FLIGHT_MAX)
        self._calls: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Serve until the client is gone or the run's end has been told."""
        tasks: set[asyncio.Future[None]] = {
            self._failed,
            asyncio.create_task(self._read(), name="link-read"),
            asyncio.create_task(self._write(), name="link-write"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            left: set[asyncio.Future[None]] = tasks | self._calls
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _read(self) -> None:
        deframer = Deframer(LINK_REQUEST_BYTES_MAX)
        while data := await self._reader.read(_READ_BYTES):
            self._seat.heard_s = self._exchange.clock()
            for payload in deframer.feed(data):
                message = from_console_decoder.decode(payload)
                await self._in_flight.acquire()
                call = asyncio.create_task(self._carry_out(message), name="link-call")
                self._calls.add(call)
                call.add_done_callback(self._called)

    def _called(self, call: "asyncio.Task[None]") -> None:
        self._calls.discard(call)
        if not call.cancelled() and (problem := call.exception()) and not self._failed.done():
            self._failed.set_exception(problem)

    async def _carry_out(self, message: Call | Ask) -> None:
        if isinstance(message, Call):
            self._answers.append(Replied(message.id, await self._reply(message)))
        else:
            self._answers.append(Answered(message.id, await self._answer(message)))
        self._seat.lanes.wake()

    async def _reply(self, call: Call) -> Reply:
        try:
            command = checked_command(call.command)
        except msgspec.DecodeError as problem:
            return Reply(ok=False, text=str(problem), code="bad_request")
        return await self._exchange.service.command(command, self._seat.console)

    async def _answer(self, ask: Ask) -> Answer:
        try:
            query = checked_query(ask.query)
        except msgspec.DecodeError as problem:
            return Refused("bad_request", str(problem))
        deadline_s = min(max(ask.deadline_s, 0.0), QUERY_DEADLINE_S_MAX)
        try:
            async with asyncio.timeout(deadline_s):
                return await self._exchange.service.answer(query)
        except TimeoutError:
            return Refused("deadline", f"no answer within {deadline_s:g} s")

    async def _write(self) -> None:
        lanes = self._seat.lanes
        while True:
            await lanes.wait()
            ended, closed = lanes.ended, lanes.closed
            answers = list(self._answers)
            self._answers.clear()
            snapshot = lanes.take_snapshot()
            items: list[FromEngine] = [*answers, *lanes.take_notices()]
            if snapshot is not None:
                items.append(snapshot)
            if ended is not None:
                items.append(ended)
            for item in items:
                self._writer.write(frame(encoder.encode(item)))
            await self._writer.drain()
            for _ in answers:
                self._in_flight.release()
            if ended is not None or closed:
                return
