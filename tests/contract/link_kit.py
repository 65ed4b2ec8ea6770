"""An engine behind links, for their contract."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from engine.link.base import EngineLink
from engine.link.exchange import Exchange
from engine.link.memory import MemoryLink
from engine.link.server import LinkServer
from engine.link.socket import SocketLink
from engine.protocol.command import Command, Reply, Stop
from engine.protocol.query import (
    Answer,
    EntitiesAnswer,
    EntitiesQuery,
    EventsQuery,
    Query,
    Refused,
)


class Service:
    """An engine that remembers what it was told."""

    def __init__(self) -> None:
        self.commands: list[tuple[Command, int]] = []
        self.came: list[int] = []
        self.left: list[int] = []
        self.hold = asyncio.Event()

    async def command(self, command: Command, console: int) -> Reply:
        self.commands.append((command, console))
        if isinstance(command, Stop):
            await self.hold.wait()
        return Reply(ok=True, text=f"done {len(self.commands)}")

    async def answer(self, query: Query) -> Answer:
        if isinstance(query, EventsQuery):
            await asyncio.Event().wait()
        if isinstance(query, EntitiesQuery):
            return EntitiesAnswer(tick=7, total=query.limit + query.after, rows=())
        return Refused("not_found", "nothing")

    def console_came(self, console: int) -> None:
        self.came.append(console)

    def console_left(self, console: int) -> None:
        self.left.append(console)


class Engine:
    """An exchange, the service behind it and a way to open links."""

    def __init__(self, connect: Callable[["Engine"], Awaitable[EngineLink]], path: Path) -> None:
        self.service = Service()
        self.now_s = 0.0
        self.exchange = Exchange(self.service, clock=lambda: self.now_s)
        self.told: list[str] = []
        self.server = LinkServer(self.exchange, self.told.append)
        self.path = str(path)
        self._connect = connect
        self._links: list[EngineLink] = []

    async def link(self) -> EngineLink:
        link = await self._connect(self)
        self._links.append(link)
        return link

    async def close(self) -> None:
        for link in self._links:
            await link.aclose()
        self.exchange.close()
        await self.server.aclose()


async def over_memory(engine: Engine) -> EngineLink:
    return MemoryLink.open(engine.exchange)


async def over_socket(engine: Engine) -> EngineLink:
    return await SocketLink.connect(engine.path)


@asynccontextmanager
async def seated(
    connect: Callable[[Engine], Awaitable[EngineLink]], path: Path
) -> AsyncIterator[Engine]:
    engine = Engine(connect, path / "e.sock")
    await engine.server.start(engine.path)
    try:
        yield engine
    finally:
        await engine.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)
