"""A stream over a world that is made up, and clients on the reference WebSocket implementation."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import websockets

from engine.stat7.service import Look, Run
from engine.stat7.stream import Stream
from engine.world.events import TickEvents
from tests.unit.stat7.kit import look, npc

WAIT_S = 20.0
"""Far more than anything here takes: a test that waits so long has failed."""

Message = dict[str, Any]


class Moving:
    """An engine whose NPCs all move from one look to the next.

    Attributes:
        lines: What was logged.
        problems: What the operator was told.
        broken: So many more looks fail.
    """

    def __init__(self, npcs: int) -> None:
        self.run = Run("r1", 7, 0, 100)
        self.lines: list[str] = []
        self.problems: list[str] = []
        self.broken = 0
        self._tick = 0
        self._columns = dict(look(0, *(npc(number) for number in range(npcs))).columns)

    def look(self, columns: tuple[str, ...]) -> Look | None:
        if self.broken:
            self.broken -= 1
            raise RuntimeError("the world is upside down")
        self._tick += 1
        self._columns["x"] = np.full(len(self._columns["id"]), self._tick * 256 % 65536)
        return Look(self._tick, {name: self._columns[name].copy() for name in columns})

    def happened(self, after_seq: int) -> list[TickEvents]:
        return []

    def log(self, event: str, text: str) -> None:
        self.lines.append(f"{event}: {text}")

    def problem(self, text: str) -> None:
        self.problems.append(text)

    async def said(self, word: str) -> str:
        """Return the first line of the log with this word in it."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for line in self.lines:
                    if word in line:
                        return line
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def streaming(engine: Moving) -> AsyncIterator[Stream]:
    stream = Stream(engine)
    stream.bind("127.0.0.1", 0)
    try:
        await stream.start()
        yield stream
    finally:
        await stream.aclose()


class Watcher:
    """A client, and everything it was told."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.seen: list[Message] = []

    async def next(self) -> Message:
        raw = await asyncio.wait_for(self.socket.recv(), WAIT_S)
        assert isinstance(raw, str)
        message: Message = json.loads(raw)
        self.seen.append(message)
        return message

    async def until(self, holds: Callable[[Message], bool]) -> Message:
        while True:
            message = await self.next()
            if holds(message):
                return message

    async def expect(self, event_type: str) -> Message:
        return await self.until(lambda message: message["event_type"] == event_type)

    async def closed(self) -> tuple[int, str]:
        """Return the code and the reason with which it is closed."""
        end = None
        try:
            while True:
                await self.next()
        except websockets.ConnectionClosed as closed:
            end = closed.rcvd
        assert end is not None, "the connection broke without a word"
        return end.code, end.reason


@contextlib.asynccontextmanager
async def watching(port: int, **options: Any) -> AsyncIterator[Watcher]:
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/",
        compression=None,
        proxy=None,
        max_size=None,
        close_timeout=0.5,
        **options,
    ) as connection:
        yield Watcher(connection)


async def answer_to(port: int, request: bytes) -> tuple[int, dict[str, str]]:
    """Send bytes; return the status and the error of what comes until the connection closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), WAIT_S)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(body)
    whole = json.loads(body)
    assert list(whole) == ["error"]
    error: dict[str, str] = whole["error"]
    return int(first.split()[1]), error


def upgrade(path: str = "/", **headers: str) -> bytes:
    """Return a request to be let in."""
    told = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


async def raw_client(port: int) -> socket.socket:
    """Return an upgraded socket with a small buffer, from which nothing more is read."""
    loop = asyncio.get_running_loop()
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(connection, upgrade())
    assert b"101 Switching" in await loop.sock_recv(connection, 64)
    return connection
