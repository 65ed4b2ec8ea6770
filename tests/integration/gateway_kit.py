"""A world in this process and players on real sockets, for the gateway's tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec
import websockets

from engine.link.channel import MemoryChannel, memory_pair
from engine.protocol import gateway as wire
from engine.protocol.child import ChildProblem, EventBatch, Quit, WorldReady, WorldReport, WorldSpec
from engine.protocol.manifest import WorldShape
from engine.server.serve import serve_world

WAIT_S = 20.0
"""Far more than anything here takes: a test that waits so long has failed."""

Kind = TypeVar("Kind")


def world_spec(**changes: Any) -> WorldSpec:
    plain = WorldSpec(
        shape=WorldShape(seed=7, npcs=20, nodes=40, capacity=500, interval_ms=50),
        epoch_ms=0,
        gateway_host="127.0.0.1",
        gateway_port=0,
        database="",
        events_socket="",
        shared_memory="",
        secret=b"not very",
    )
    shape = {name: changes.pop(name) for name in WorldShape.__struct_fields__ if name in changes}
    changes |= {"shape": msgspec.structs.replace(plain.shape, **shape)}
    return msgspec.structs.replace(plain, **changes)


class Running:
    """A world that runs, from the hub's side."""

    def __init__(self, channel: MemoryChannel, ready: WorldReady) -> None:
        self.channel = channel
        self.ready = ready
        self.batches: list[EventBatch] = []
        self.reports: list[WorldReport] = []

    def url(self, options: str = "") -> str:
        return f"ws://127.0.0.1:{self.ready.gateway_port}/play{options}"

    async def take(self) -> object:
        """Take the next message and keep it."""
        message = await asyncio.wait_for(self.channel.receive(), WAIT_S)
        if isinstance(message, EventBatch):
            self.batches.append(message)
        elif isinstance(message, WorldReport):
            self.reports.append(message)
        return message

    async def report(self) -> WorldReport:
        """Return the next report that is made after now."""
        while self.channel._inbox:
            await self.take()
        while True:
            message = await self.take()
            if isinstance(message, WorldReport):
                return message

    async def report_where(self, test: Any) -> WorldReport:
        """Return the first report for which ``test`` is true."""
        for _ in range(100):
            report = await self.report()
            if test(report):
                return report
        raise AssertionError(f"no such report; the last: {report}")


@contextlib.asynccontextmanager
async def running_world(**changes: Any) -> AsyncIterator[Running]:
    hub, child = memory_pair()
    task = asyncio.create_task(serve_world(child))
    try:
        hub.post(world_spec(**changes))
        ready = await asyncio.wait_for(hub.receive(), WAIT_S)
        assert isinstance(ready, WorldReady), ready
        yield Running(hub, ready)
    finally:
        hub.post(Quit())
        await asyncio.wait_for(task, WAIT_S)


async def problem_of(**changes: Any) -> ChildProblem:
    """Start a world that cannot start and return what it says."""
    hub, child = memory_pair()
    task = asyncio.create_task(serve_world(child))
    hub.post(world_spec(**changes))
    problem = await asyncio.wait_for(hub.receive(), WAIT_S)
    await asyncio.wait_for(task, WAIT_S)
    assert isinstance(problem, ChildProblem), problem
    return problem


class Player:
    """A player on the reference WebSocket implementation."""

    def __init__(self, socket: websockets.ClientConnection, json: bool) -> None:
        self.socket = socket
        self.json = json
        self.seen: list[wire.ServerMessage] = []

    async def send(self, message: msgspec.Struct) -> None:
        if self.json:
            await self.socket.send(wire.json_encoder.encode(message).decode())
        else:
            await self.socket.send(wire.encoder.encode(message))

    async def receive(self) -> wire.ServerMessage:
        frame = await asyncio.wait_for(self.socket.recv(), WAIT_S)
        assert isinstance(frame, str if self.json else bytes)
        decoder = wire.server_json_decoder if self.json else wire.server_decoder
        message = decoder.decode(frame)
        self.seen.append(message)
        return message

    async def expect(self, kind: type[Kind]) -> Kind:
        """Return the next message of a kind; only frames and notices may come before it."""
        while True:
            message = await self.receive()
            if isinstance(message, kind):
                return message
            assert isinstance(message, wire.Delta | wire.Notice), message

    async def hello(self, name: str, resume: str | None = None) -> wire.Welcome:
        await self.send(wire.Hello(name=name, resume=resume))
        return await self.expect(wire.Welcome)

    async def ask(self, **fields: Any) -> wire.Ack:
        """Send an intent and return its acknowledgement."""
        await self.send(wire.Intent(**fields))
        return await self.expect(wire.Ack)

    async def closed(self) -> websockets.ConnectionClosed:
        """Return how the connection ended; nothing more may be said."""
        try:
            while True:
                await self.receive()
        except websockets.ConnectionClosed as closed:
            return closed


@contextlib.asynccontextmanager
async def player(world: Running, options: str = "", **headers: Any) -> AsyncIterator[Player]:
    async with websockets.connect(
        # A client with unread frames never sees the close frame: it need not wait for long.
        world.url(options),
        compression=None,
        proxy=None,
        close_timeout=0.5,
        **headers,
    ) as socket:
        yield Player(socket, json="json" in options)
