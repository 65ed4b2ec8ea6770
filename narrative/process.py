"""``python -P -m narrative.process FD``: the narrator, a child of the hub in its own process.

It follows the admin API's stream and posts what it tells; it is a client like any other.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from engine.link.base import LinkClosed
from engine.link.channel import Channel, SocketChannel
from engine.protocol.child import ChildProblem, NarratorReady, NarratorSpec, Quit, to_child_decoder
from engine.protocol.errors import ExitCode
from engine.protocol.events import Event
from engine.protocol.limits import STORY_BACK_EVENTS_MAX, STREAM_MESSAGE_BYTES_MAX
from engine.protocol.text import printable
from narrative.api import (
    EventsMessage,
    FaultMessage,
    GapMessage,
    HelloMessage,
    Ticks,
    read_message,
)
from narrative.brain import KINDS, STORM, Brain
from narrative.outbox import BACK_OFF_S, BACK_OFF_S_MAX, ApiProblem, Outbox

_OPEN_S: Final = 5.0
_MESSAGES_QUEUED: Final = 4
"""A tick is read when the one before is told; the engine's own bounds hold the rest."""
_FLUSH_S: Final = 1.0
_NOTE_EVERY_S: Final = 5.0
_NICE: Final = 5
"""The world's ticks come before its story."""


class Narrator:
    """The loop around the brain.

    Args:
        spec: Where to listen and where to tell.
        note: Told what is worth a line in the engine's log.
    """

    def __init__(self, spec: NarratorSpec, note: Callable[[str], None]) -> None:
        self._url = spec.admin_url.rstrip("/")
        self._note = note
        self._brain = Brain(spec.seed)
        self._ticks = Ticks()
        self._oldest = 0
        self.outbox = Outbox(self._url, spec.token, note)

    async def run(self) -> None:
        """Follow the stream and tell, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run(), name="narrator-tell")
            tasks.create_task(self._follow(), name="narrator-follow")

    async def _follow(self) -> None:
        await self._resume()
        back_off_s = BACK_OFF_S
        while True:
            before = self._ticks.last_seq
            try:
                await self._listen()
            except (OSError, TimeoutError, WebSocketException) as problem:
                self._note(f"the stream broke: {printable(str(problem), 200)}")
            if self._ticks.last_seq > before:
                back_off_s = BACK_OFF_S
            await asyncio.sleep(back_off_s)
            back_off_s = min(back_off_s * 2, BACK_OFF_S_MAX)

    async def _resume(self) -> None:
        """Go on after what was told before: a narrator that comes back tells nothing twice."""
        back_off_s = BACK_OFF_S
        while True:
            try:
                newest = await self.outbox.newest()
            except ApiProblem as problem:
                self._note(f"waiting for the engine: {problem}")
                await asyncio.sleep(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_S_MAX)
            else:
                # What an earlier narrator left of that tick it chose not to tell.
                self._ticks = Ticks(newest.seq, newest.tick)
                return

    async def _listen(self) -> None:
        asked = {
            "topics": "events,faults",
            "after_seq": str(self._ticks.last_seq),
            "kinds": ",".join(KINDS),
        }
        base = f"ws{self._url.removeprefix('http')}"
        async with connect(
            f"{base}/stream?{urlencode(asked, safe=',')}",
            compression=None,
            proxy=None,
            open_timeout=_OPEN_S,
            close_timeout=1.0,
            max_size=STREAM_MESSAGE_BYTES_MAX,
            max_queue=_MESSAGES_QUEUED,
        ) as stream:
            await self._read(stream)

    async def _read(self, stream: ClientConnection) -> None:
        async for raw in stream:
            if not self._take(raw):
                return
            # A long catch-up must not keep the hub's "quit" or the posting waiting.
            await asyncio.sleep(0)

    def _take(self, raw: str | bytes) -> bool:
        """Take in a message; return False when only another stream can tell what is missing."""
        try:
            message = read_message(raw)
        except ValueError as problem:
            self._ticks.skip()
            self._spoilt(problem)
            return True
        if isinstance(message, EventsMessage):
            self._take_events(message)
        elif isinstance(message, HelloMessage):
            self._oldest = message.last_seq - STORY_BACK_EVENTS_MAX
            storms = (armed for armed in message.armed if armed.fault.name == STORM)
            self._brain.storms.renew((armed.fault.id, armed.tick) for armed in storms)
        elif isinstance(message, GapMessage):
            if message.topic == "faults":
                return False
            if message.topic == "events":
                self._ticks.skip(message.last)
                self._brain.gap()
        elif isinstance(message, FaultMessage) and message.fault.name == STORM:
            if message.what == "armed":
                self._brain.storms.armed(message.fault.id, message.tick)
            elif message.what == "cleared":
                self._brain.storms.cleared(message.fault.id, message.tick)
        return True

    def _take_events(self, message: EventsMessage) -> None:
        problem: ValueError | None = None
        try:
            whole = self._ticks.take(message)
        except ValueError as found:
            problem, whole = found, self._ticks.rest()
        # Told outside of the try: what goes wrong in here is not the stream's fault.
        for tick, events in whole:
            self._tell(tick, events)
        if problem is not None:
            self._spoilt(problem)

    def _spoilt(self, problem: ValueError) -> None:
        """What a message would have said is lost; the ticks after it may be sound."""
        self._note(f"a message of the stream is no good: {problem}")
        self._brain.gap()
        self._brain.storms.renew()

    def _tell(self, tick: int, events: list[Event]) -> None:
        if events[-1].seq <= self._oldest:
            # Too long ago: the hub could not check what would be told of it.
            self._brain.gap()
        else:
            self.outbox.put(self._brain.step(tick, events))


async def serve_narrator(channel: Channel, note: Callable[[str], None]) -> None:
    """Tell stories until the hub says "quit" or is gone.

    Args:
        channel: To the hub; the first message is the ``NarratorSpec``.
        note: Told what is worth a line in the engine's log.
    """
    try:
        spec = await channel.receive()
    except LinkClosed:
        return
    if not isinstance(spec, NarratorSpec):
        text = f"the narrator was first told {type(spec).__name__}, not its specification"
        channel.post(ChildProblem(text, int(ExitCode.OWN_FAULT)))
        await channel.aclose()
        return
    narrator = Narrator(spec, note)
    channel.post(NarratorReady(os.getpid()))
    work = asyncio.create_task(narrator.run(), name="narrator")
    orders = asyncio.create_task(_until_quit(channel), name="narrator-orders")
    try:
        await asyncio.wait({work, orders}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and orders.result():
            await narrator.outbox.flush(_FLUSH_S)
    finally:
        for task in (work, orders):
            task.cancel()
        ends = await asyncio.gather(work, orders, return_exceptions=True)
        await narrator.outbox.aclose()
        await channel.aclose()
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _until_quit(channel: Channel) -> bool:
    """Return True when the hub says "quit", False when it is gone."""
    try:
        while not isinstance(await channel.receive(), Quit):
            pass
    except LinkClosed:
        return False
    return True


class Notes:
    """Writes lines to stderr, where the hub hears them; the same thing not too often.

    Args:
        clock: Seconds, monotonic.
        write: Writes one line.
    """

    def __init__(self, clock: Callable[[], float], write: Callable[[str], object]) -> None:
        self._clock = clock
        self._write = write
        self._said_s: dict[str, float] = {}

    def __call__(self, text: str) -> None:
        """Say it, unless its like was said a moment ago."""
        about = text.partition(":")[0]
        now_s = self._clock()
        if now_s - self._said_s.get(about, -_NOTE_EVERY_S) >= _NOTE_EVERY_S:
            self._said_s[about] = now_s
            self._write(f"{printable(text, 400)}\n")


def _say(line: str) -> None:
    with suppress(OSError):  # the hub is gone; so will this process be
        sys.stderr.write(line)
        sys.stderr.flush()


async def _main(descriptor: int) -> None:
    sock = socket.socket(fileno=descriptor)
    channel = await SocketChannel.over(sock, to_child_decoder)
    await serve_narrator(channel, Notes(time.monotonic, _say))


def main() -> None:
    """Serve the hub at the other end of the socket whose number is the only argument."""
    # The terminal's ctrl+c reaches every process; the hub decides when the narrator stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1])))


if __name__ == "__main__":
    main()
