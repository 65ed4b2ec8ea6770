"""Squads in this loop or in a process of their own, and a target of a few lines."""

import asyncio
import contextlib
import resource
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import websockets
from websockets.asyncio.server import ServerConnection, serve

from engine.assault.worker import serve_squad
from engine.link.base import LinkClosed
from engine.link.channel import Channel, SocketChannel, memory_pair
from engine.protocol.child import (
    ChildProblem,
    Go,
    Quit,
    SquadReady,
    SquadReport,
    SquadSpec,
    from_child_decoder,
)
from engine.protocol.gateway import Ack, Hello, Intent, Welcome, client_decoder, encoder
from engine.protocol.limits import CHILD_GRACE_S, PLAYER_ID_BASE
from engine.protocol.scenario import DEFAULT_MIX, Stage
from tests.machine import MARGIN_S

WAIT_S = 20.0
"""Far more than anything here takes: a test that waits so long has failed."""


def squad_spec(url: str, **changes: Any) -> SquadSpec:
    plain = SquadSpec(
        squad=0,
        squads=1,
        seed=7,
        url=url,
        players_max=200,
        stages=(Stage("constant-players", 10, 0.0),),
        mix=dict(DEFAULT_MIX),
        commands_per_s=10.0,
        warm_up_s=0.0,
    )
    return msgspec.structs.replace(plain, **changes)


class Hub:
    """The hub's end of a squad's channel."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.reports: list[SquadReport] = []

    async def take(self) -> object:
        message = await asyncio.wait_for(self.channel.receive(), WAIT_S)
        if isinstance(message, SquadReport):
            self.reports.append(message)
        return message

    async def report_where(self, test: Callable[[SquadReport], bool]) -> SquadReport:
        """Return the first report from now on for which ``test`` is true."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.take()
                assert not isinstance(message, ChildProblem), message
                if isinstance(message, SquadReport) and test(message):
                    return message

    async def last_report(self) -> SquadReport:
        """Say quit, and return the report after which the squad closed its channel."""
        self.channel.post(Quit())
        with contextlib.suppress(LinkClosed):
            while True:
                await self.take()
        return self.reports[-1]


@contextlib.asynccontextmanager
async def running_squad(spec: SquadSpec) -> AsyncIterator[Hub]:
    """Run a squad in this loop, with its stages begun."""
    ours, theirs = memory_pair()
    task = asyncio.create_task(serve_squad(theirs))
    hub = Hub(ours)
    try:
        ours.post(spec)
        ready = await hub.take()
        assert isinstance(ready, SquadReady), ready
        ours.post(Go())
        yield hub
    finally:
        ours.post(Quit())
        await asyncio.wait_for(task, WAIT_S)


class Target:
    """A server of a few lines, on the reference implementation.

    Attributes:
        mute: Intents are not answered while true.
        ends: Per connection that is over: its close code as this side saw it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.mute = False
        self.hellos: list[Hello] = []
        self.intents: list[Intent] = []
        self.ends: list[int] = []
        self.open: set[ServerConnection] = set()

    async def play(self, connection: ServerConnection) -> None:
        self.open.add(connection)
        try:
            async for frame in connection:
                assert isinstance(frame, bytes)
                message = client_decoder.decode(frame)
                if isinstance(message, Hello):
                    self.hellos.append(message)
                    player = PLAYER_ID_BASE + int(message.name.removeprefix("player-"))
                    await connection.send(encoder.encode(Welcome(player, 1, 100, "token")))
                elif isinstance(message, Intent):
                    self.intents.append(message)
                    if not self.mute:
                        await connection.send(encoder.encode(Ack(message.seq, 1, "permit")))
        except websockets.ConnectionClosedError:
            pass  # the code below says which way
        finally:
            self.open.discard(connection)
            self.ends.append(connection.protocol.close_code or 0)


@contextlib.asynccontextmanager
async def listening(
    handler: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncIterator[str]:
    """Serve on a free port of the loopback; yields the URL."""
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/play"


@contextlib.asynccontextmanager
async def target() -> AsyncIterator[Target]:
    one = Target()
    async with listening(one.play) as one.url:
        yield one


class Process:
    """A squad in its own process."""

    def __init__(self, process: asyncio.subprocess.Process, hub: Hub) -> None:
        self.process = process
        self.hub = hub


@contextlib.asynccontextmanager
async def squad_process(spec: SquadSpec, files_max: int | None = None) -> AsyncIterator[Process]:
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "engine.assault", str(theirs.fileno())),
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    if files_max is not None:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files_max, files_max))
    channel = await SocketChannel.over(ours, from_child_decoder)
    try:
        channel.post(spec)
        yield Process(process, Hub(channel))
    finally:
        await channel.aclose()
        if process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), CHILD_GRACE_S + MARGIN_S)
        if process.returncode is None:
            process.kill()
            await process.wait()
