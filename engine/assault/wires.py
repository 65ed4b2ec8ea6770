"""The players' sockets: WebSockets through picows, one a player, on whatever loop runs."""

import asyncio
import contextlib
import errno
import logging
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal, Protocol

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from engine.assault.player import Player
from engine.assault.roster import CONNECT_TIMEOUT_S
from engine.assault.tally import Tally
from engine.protocol.limits import GATEWAY_READ_BUFFER_BYTES

_LINGER_NOT: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing then resets the connection."""

_PINGS: Final = frozenset({WSMsgType.PING, WSMsgType.PONG})


class Hears(Protocol):
    """Who is told of the connections' news."""

    @property
    def tally(self) -> Tally:
        """Where frames count."""
        ...

    def player(self, number: int) -> Player:
        """Return the player behind a number."""
        ...

    def on_open(self, number: int) -> None:
        """A connection stands."""
        ...

    def on_frame(self, number: int, frame: bytes) -> None:
        """A frame has come."""
        ...

    def on_failed(self, number: int, kind: str) -> None:
        """A connection could not be made."""
        ...

    def on_closed(self, number: int) -> None:
        """A connection was closed from the other side."""
        ...


class _Wire(WSListener):
    """One connection; ``hears`` is None once nobody wants its news any more."""

    __slots__ = (
        "dialling",
        "hears",
        "is_update",
        "number",
        "player",
        "tally",
        "transport",
        "wires",
    )

    def __init__(
        self,
        wires: "PicowsWires",
        number: int,
        hears: Hears,
        is_update: Callable[[bytes], bool],
    ) -> None:
        super().__init__()
        self.wires = wires
        self.number = number
        self.hears: Hears | None = hears
        self.player = hears.player(number)
        self.tally = hears.tally
        self.is_update = is_update
        self.transport: WSTransport | None = None
        self.dialling: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if self.hears is None:
            transport.disconnect(graceful=False)
        else:
            self.hears.on_open(self.number)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        data = frame.get_payload_as_bytes()
        if self.is_update(data):
            # Ten times a second and player: no further than here, the newest is all that counts.
            self.player.newest = data
            tally = self.tally
            tally.frames += 1
            tally.bytes += len(data)
            return
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            transport.disconnect()
        elif kind not in _PINGS and self.hears is not None:
            self.hears.on_frame(self.number, data)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        hears, self.hears = self.hears, None
        self.wires.forget(self)
        if hears is not None:
            # Its own end may be an error of the protocol, which picows wants to be asked for.
            self.wires.keep(asyncio.create_task(_end_of(transport)))
            hears.on_closed(self.number)

    def pause_writing(self) -> None:
        """Commands in flight are bounded for each player, so what waits here is too."""

    def resume_writing(self) -> None:
        """See ``pause_writing``."""


class PicowsWires:
    """Carries the frames of a squad's players.

    Args:
        url: Where to connect.
        is_update: Tells the frames of which only a player's newest counts.
    """

    def __init__(self, url: str, is_update: Callable[[bytes], bool]) -> None:
        self._url = url
        self._is_update = is_update
        self._tapped: set[int] = set()
        self._hears: Hears | None = None
        self._wires: dict[int, _Wire] = {}
        self._closing: set[_Wire] = set()
        self._none_closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        # An adapter, because picows makes a child of a plain logger for every connection;
        # and silent, because every failure is counted by kind in the report.
        quiet = logging.Logger("picows.players", logging.CRITICAL + 1)  # noqa: LOG001 - not for the tree
        self._log = logging.LoggerAdapter(quiet)

    def attach(self, hears: Hears) -> None:
        """Say who is told of the news; before the first ``open``."""
        self._hears = hears

    def open(self, player: int) -> None:
        """See ``Wires.open``."""
        if self._hears is None:
            raise RuntimeError("attach comes before open")
        is_update = _never if player in self._tapped else self._is_update
        wire = _Wire(self, player, self._hears, is_update)
        self._wires[player] = wire
        wire.dialling = asyncio.create_task(self._dial(wire))
        self.keep(wire.dialling)

    def send(self, player: int, frame: bytes) -> None:
        """See ``Wires.send``."""
        wire = self._wires.get(player)
        if wire is not None and wire.transport is not None:
            wire.transport.send(WSMsgType.BINARY, frame)

    def close(self, player: int, how: Literal["bye", "fin", "rst"]) -> None:
        """See ``Wires.close``."""
        wire = self._wires.pop(player, None)
        if wire is None:
            return
        wire.hears = None
        if wire.transport is None:
            if wire.dialling is not None:
                wire.dialling.cancel()
            return
        self._closing.add(wire)
        if how == "bye":
            wire.transport.send_close(WSCloseCode.OK)
        if how == "rst":
            reset(wire.transport)
        else:
            wire.transport.disconnect()

    def silence(self, player: int) -> None:
        """See ``Wires.silence``."""
        wire = self._wires.get(player)
        if wire is None:
            return
        wire.hears = None
        if wire.transport is not None:
            wire.transport.underlying_transport.pause_reading()

    def tap(self, player: int, *, updates_too: bool) -> None:
        """See ``Wires.tap``."""
        if updates_too:
            self._tapped.add(player)
        else:
            self._tapped.discard(player)
        wire = self._wires.get(player)
        if wire is not None:
            wire.is_update = _never if updates_too else self._is_update

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, wire: _Wire) -> None:
        """The connection is gone."""
        self._closing.discard(wire)
        if not self._closing:
            self._none_closing.set()
        if self._wires.get(wire.number) is wire:
            del self._wires[wire.number]

    async def aclose(self, within_s: float = 1.0) -> None:
        """Close every connection, and return when all of them are gone."""
        for player in list(self._wires):
            self.close(player, "fin")
        if self._closing:
            self._none_closing.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._none_closing.wait(), within_s)
        for wire in list(self._closing):
            if wire.transport is not None:
                reset(wire.transport)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dial(self, wire: _Wire) -> None:
        try:
            await ws_connect(
                lambda: wire,
                self._url,
                websocket_handshake_timeout=CONNECT_TIMEOUT_S,
                logger_name=self._log,
                read_buffer_init_size=GATEWAY_READ_BUFFER_BYTES,
                # Measured on uvloop: a quarter less CPU for the same frames than with it.
                use_aiofastnet=False,
            )
        except (OSError, WSError, ValueError) as problem:
            hears, wire.hears = wire.hears, None
            self.forget(wire)
            if hears is not None:
                hears.on_failed(wire.number, kind_of(problem))
        except asyncio.CancelledError:
            if wire.transport is not None:
                reset(wire.transport)
            raise


def _never(_: bytes) -> bool:
    return False


def kind_of(problem: Exception) -> str:
    """Return the name under which a failed attempt is counted."""
    if isinstance(problem, ConnectionRefusedError):
        return "refused"
    if isinstance(problem, TimeoutError):
        return "timeout"
    if isinstance(problem, OSError) and problem.errno in {errno.EMFILE, errno.ENFILE}:
        return "file_limit"
    if isinstance(problem, ConnectionError):
        return "closed"
    if isinstance(problem, OSError):
        return "unreachable"
    return "handshake"


def reset(transport: WSTransport) -> None:
    """Close a connection at once, with a reset instead of a good-bye."""
    under = transport.underlying_transport
    sock: socket.socket | None = under.get_extra_info("socket")
    if sock is not None and not under.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    under.abort()


async def _end_of(transport: WSTransport) -> None:
    try:
        await transport.wait_disconnected()
    except WSError:
        return  # counted as closed
