"""A network without sockets: real sessions of the real gateway on one end, clients on the other.

Each connection is a pair of queues, like TCP: nothing is lost or reordered within one, but
each frame takes its time, a line may stall, and a cut loses what is on its way.
"""

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from picows import WSMsgType

from engine.server.gateway import Gateway
from engine.server.session import Session
from tests.sim.timeline import Timeline


class Client(Protocol):
    """The other end of a connection."""

    def on_open(self) -> None: ...

    def on_frame(self, frame: bytes) -> None: ...

    def on_failed(self) -> None: ...

    def on_closed(self) -> None: ...


class Frame:
    """What a session sees of a frame that has come."""

    __slots__ = ("fin", "msg_type", "payload", "payload_size")

    def __init__(self, payload: bytes) -> None:
        self.fin = True
        self.msg_type = WSMsgType.BINARY
        self.payload = payload
        self.payload_size = len(payload)

    def get_payload_as_memoryview(self) -> memoryview:
        return memoryview(self.payload)


Overheard = Callable[["Line", bytes], None]
"""Told of every frame that the world sends, before it is on its way."""


class Network:
    """Every connection of a simulation.

    Args:
        timeline: Time.
        chance: Of delays.
        overheard: Told what the world sends.

    Attributes:
        gateway: The world's door; None while there is no world.
        lines: Open connections, as the world's side sees them.
    """

    def __init__(self, timeline: Timeline, chance: Random, overheard: Overheard) -> None:
        self.timeline = timeline
        self.chance = chance
        self.overheard = overheard
        self.gateway: Gateway | None = None
        self.lines: dict[int, Line] = {}
        self._number = 0

    def connect(self, client: Client) -> "Line":
        """Begin to connect."""
        self._number += 1
        line = Line(self, self._number, client)
        self.timeline.after(self.latency_s(), line.arrive)
        return line

    def latency_s(self) -> float:
        return 0.002 + self.chance.random() * 0.03

    def lose_world(self) -> None:
        """The world is gone, and every connection with it."""
        self.gateway = None
        for line in list(self.lines.values()):
            line.break_off()


class Line:
    """One connection; also what its session takes for picows' transport.

    Attributes:
        number: Of the connection, in order.
        session: The world's side, None before and after.
        heard: Whether the client still listens.
    """

    def __init__(self, network: Network, number: int, client: Client) -> None:
        self.number = number
        self.session: Session | None = None
        self.heard = True
        self.is_close_frame_sent = False
        self.close_handshake = None
        self._network = network
        self._client = client
        self._up_s = self._down_s = 0.0
        self._stalled_until_s = 0.0

    # --- the client's side ---

    def post(self, frame: bytes) -> None:
        """Send a frame to the world."""
        self._up_s = self._due(self._up_s)
        self._network.timeline.at(self._up_s, lambda: self._deliver(frame))

    def close(self) -> None:
        """Hang up; the world learns of it a little later."""
        self.heard = False
        self._up_s = self._due(self._up_s)
        self._network.timeline.at(self._up_s, self._world_side_over)

    def silence(self) -> None:
        """Stop listening without a word."""
        self.heard = False

    def stall(self, seconds: float) -> None:
        """Let nothing through for a while, either way."""
        self._stalled_until_s = self._network.timeline.time_s + seconds

    # --- the network ---

    def arrive(self) -> None:
        """The call reaches the world's door, if there is a world."""
        gateway = self._network.gateway
        if gateway is None:
            self._tell_client(lambda: self._client.on_failed())
            return
        self.session = Session(gateway, self.number, "msgpack")
        self._network.lines[self.number] = self
        self.session.on_ws_connected(self)  # type: ignore[arg-type]  # as much of a transport as it uses
        self._tell_client(lambda: self._client.on_open())

    def break_off(self) -> None:
        """The world's side is dead; what it sent last may still arrive."""
        self._forget()
        self._tell_client(self._client_side_over)

    def _due(self, busy_until_s: float) -> float:
        now_s = self._network.timeline.time_s
        return max(busy_until_s, self._stalled_until_s, now_s + self._network.latency_s())

    def _deliver(self, frame: bytes) -> None:
        if self.session is not None:
            self.session.on_ws_frame(self, Frame(frame))  # type: ignore[arg-type]  # both as far as they are used

    def _tell_client(self, call: Callable[[], None]) -> None:
        self._down_s = self._due(self._down_s)
        self._network.timeline.at(self._down_s, lambda: call() if self.heard else None)

    def _client_side_over(self) -> None:
        self.heard = False
        self._client.on_closed()

    def _world_side_over(self) -> None:
        session = self.session
        if session is not None:
            self._forget()
            session.on_ws_disconnected(self)  # type: ignore[arg-type]  # see arrive

    def _forget(self) -> None:
        self.session = None
        self._network.lines.pop(self.number, None)

    # --- what a session wants of a transport ---

    @property
    def underlying_transport(self) -> "Line":
        return self

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def send(self, kind: WSMsgType, payload: bytes) -> None:
        assert kind == WSMsgType.BINARY
        self._network.overheard(self, payload)
        self._tell_client(lambda: self._client.on_frame(payload))

    def send_close(self, code: Any, reason: str = "") -> None:
        self.is_close_frame_sent = True
        self._tell_client(self._client_side_over)
        # The client answers the good-bye, or is cut off: both end here.
        self._network.timeline.after(2 * self._network.latency_s(), self._world_side_over)

    def send_pong(self, payload: bytes) -> None:
        del payload

    def disconnect(self, graceful: bool = True) -> None:
        del graceful
        self._tell_client(self._client_side_over)
        self._network.timeline.after(0.0, self._world_side_over)
