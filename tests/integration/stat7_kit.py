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
    """An engine whose NPCs all move from one look to the next."""

    def __init__(self, npcs: int) -> None:
        self.run = Run("r1", 7, 0, 100)
        self.lines: list[str] = []
        self.broken = False
        self._tick = 0
        self._columns = dict(look(0, *(npc(number) for number in range(npcs))).columns)

    def look(self, columns: tuple[str, ...]) -> Look | None:
        if self.broken:
            raise RuntimeError("the world is upside down")
        self._tick += 1
        self._columns["x"] = np.full(len(self._columns["id"]), self._tick * 256 % 65536)
        return Look(self._tick, {name: self._columns[name].copy() for name in columns})

    def happened(self, after_seq: int) -> list[TickEvents]:
        return []

    def log(self, event: str, text: str) -> None:
        self.lines.append(f"{event}: {text}")

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


async def raw_client(port: int) -> socket.socket:
    """Return an upgraded socket with a small buffer, from which nothing more is read."""
    loop = asyncio.get_running_loop()
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    request = (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    await loop.sock_sendall(connection, request.encode())
    assert b"101 Switching" in await loop.sock_recv(connection, 64)
    return connection
