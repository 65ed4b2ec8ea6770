"""One player's connection: frames in, checked and handed on; structs out.

Whatever a client sends ends here: what is no message closes this connection, with a
reason, and touches no other.
"""

from enum import Enum
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from engine.protocol import gateway as wire
from engine.protocol.limits import GATEWAY_FRAME_BYTES_MAX, GATEWAY_FRAMES_PER_S_MAX
from engine.protocol.text import printable
from engine.server.admission import Codec

_REASON_CHARS_MAX = 100


class Phase(Enum):
    """How far a connection is."""

    NEW = "new"
    JOINING = "joining"
    PLAYING = "playing"
    CLOSING = "closing"


class Owner(Protocol):
    """What a session tells the gateway."""

    def now_s(self) -> float:
        """Return the monotonic time."""
        ...

    def opened(self, session: "Session") -> None:
        """The upgrade is done."""
        ...

    def hello(self, session: "Session", hello: wire.Hello) -> None:
        """The first frame of a player."""
        ...

    def intent(self, session: "Session", intent: wire.Intent) -> None:
        """A player that plays wants something."""
        ...

    def count_bad(self, kind: str) -> None:
        """A frame was refused."""
        ...

    def paused(self, session: "Session", paused: bool) -> None:
        """The client reads too slowly, or no longer does."""
        ...

    def closing(self, session: "Session") -> None:
        """The session was told bye."""
        ...

    def gone(self, session: "Session") -> None:
        """The connection is no more."""
        ...


class Session(WSListener):
    """One connection, from the upgrade to the end.

    Attributes:
        number: Of the connection, counted from 0.
        phase: How far it is.
        entity: The player's entity id, 0 before hello.
        name: The player's name.
        row: The player's row in the state, -1 before welcome.
        seen_cell: Cell of the last frame it was sent.
        seen_tick: Tick of that frame.
        is_paused: Bytes wait because the client reads too slowly: frames are skipped.
        plays: Whether it is in phase ``PLAYING``; asked for every player in every tick.
    """

    def __init__(self, owner: Owner, number: int, codec: Codec) -> None:
        self.number = number
        self.phase = Phase.NEW
        self.entity = 0
        self.name = ""
        self.row = -1
        self.seen_cell = -1
        self.seen_tick = -1
        self.is_paused = False
        self.is_json = codec == "json"
        self.plays = False
        self._owner = owner
        self._transport: WSTransport | None = None
        self._type = WSMsgType.TEXT if self.is_json else WSMsgType.BINARY
        self._encode = wire.json_encoder.encode if self.is_json else wire.encoder.encode
        self._parts = bytearray()
        self._in_parts = False
        self._window_s = 0.0
        self._frames = 0

    # --- what picows calls ---

    def on_ws_connected(self, transport: WSTransport) -> None:
        """See ``WSListener``."""
        self._transport = transport
        # Paused as soon as one byte waits: the kernel's buffer is the only slack there is.
        transport.underlying_transport.set_write_buffer_limits(high=0)
        self._owner.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """See ``WSListener``."""
        if frame.msg_type == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            return
        if self.phase is Phase.CLOSING:
            return
        try:
            self._take(frame)
        except Exception:  # noqa: BLE001 - a fault of ours met by one player's frame must stay with that player
            structlog.get_logger().exception("a frame broke the gateway", player=self.name)
            self.refuse("internal", "internal error", WSCloseCode.INTERNAL_ERROR)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """See ``WSListener``."""
        sent = transport.close_handshake.sent if transport.close_handshake else None
        if self.phase is not Phase.CLOSING and sent is not None:
            if sent.code == WSCloseCode.MESSAGE_TOO_BIG:
                self._owner.count_bad("oversized")
            elif sent.code == WSCloseCode.PROTOCOL_ERROR:
                self._owner.count_bad("malformed")
        self.phase = Phase.CLOSING
        self.plays = False
        self._transport = None
        self._owner.gone(self)

    def pause_writing(self) -> None:
        """See ``WSListener``."""
        self.is_paused = True
        self._owner.paused(self, paused=True)

    def resume_writing(self) -> None:
        """See ``WSListener``."""
        self.is_paused = False
        self._owner.paused(self, paused=False)

    # --- frames in ---

    def _take(self, frame: WSFrame) -> None:
        now_s = self._owner.now_s()
        if now_s - self._window_s >= 1.0:
            self._window_s, self._frames = now_s, 0
        self._frames += 1
        if self._frames > GATEWAY_FRAMES_PER_S_MAX:
            self.refuse("too_fast", "too fast", WSCloseCode.POLICY_VIOLATION)
            return
        if frame.msg_type == WSMsgType.PING:
            if self._transport is not None:
                self._transport.send_pong(frame.get_payload_as_bytes())
            return
        if frame.msg_type == WSMsgType.PONG:
            return
        if len(self._parts) + frame.payload_size > GATEWAY_FRAME_BYTES_MAX:
            reason = f"oversized: a frame holds at most {GATEWAY_FRAME_BYTES_MAX} bytes"
            self.refuse("oversized", reason, WSCloseCode.MESSAGE_TOO_BIG)
            return
        if frame.msg_type != (WSMsgType.CONTINUATION if self._in_parts else self._type):
            wanted = "text" if self.is_json else "binary"
            self.refuse("malformed", f"malformed: {wanted} frames are expected")
            return
        self._in_parts = not frame.fin
        if frame.fin and not self._parts:
            self._decode(frame.get_payload_as_memoryview())
            return
        self._parts += frame.get_payload_as_memoryview()
        if frame.fin:
            whole, self._parts = bytes(self._parts), bytearray()
            self._decode(whole)

    def _decode(self, payload: bytes | memoryview) -> None:
        decoder = wire.client_json_decoder if self.is_json else wire.client_decoder
        try:
            message = decoder.decode(payload)
        except msgspec.ValidationError as problem:
            self.refuse("invalid", f"invalid: {problem}")
        except (msgspec.DecodeError, ValueError, RecursionError):
            self.refuse("malformed", f"malformed: not {'JSON' if self.is_json else 'msgpack'}")
        else:
            self._dispatch(message)

    def _dispatch(self, message: wire.ClientMessage) -> None:
        if isinstance(message, wire.Intent):
            if self.plays:
                self._owner.intent(self, message)
            else:
                self.refuse("unexpected", "unexpected: an intent before welcome")
        elif isinstance(message, wire.Ping):
            self.send(wire.Notice(text="pong"))
        elif self.phase is Phase.NEW:
            self._owner.hello(self, message)
        else:
            self.refuse("unexpected", "unexpected: a second hello")

    # --- structs out ---

    def send(self, message: Struct) -> int:
        """Send a struct in the client's codec and return the bytes of its payload."""
        payload = self._encode(message)
        self.send_encoded(payload)
        return len(payload)

    def send_encoded(self, payload: bytes) -> None:
        """Send a payload that is encoded in the client's codec already."""
        if self._transport is not None:
            self._transport.send(self._type, payload)

    def begin_to_play(self, row: int) -> None:
        """The join is durable; ``row`` is the player's in the state."""
        self.row = row
        self.phase = Phase.PLAYING
        self.plays = True

    def refuse(
        self, kind: str, reason: str, code: WSCloseCode = WSCloseCode.POLICY_VIOLATION
    ) -> None:
        """Count a bad frame and close, with the reason."""
        self._owner.count_bad(kind)
        self.close(reason, code)

    def close(self, reason: str, code: WSCloseCode = WSCloseCode.OK) -> None:
        """Say bye and begin to close; the client has a moment to do its part."""
        if self.phase is Phase.CLOSING or self._transport is None:
            return
        reason = printable(reason, _REASON_CHARS_MAX)
        self.phase = Phase.CLOSING
        self.plays = False
        self.send(wire.Bye(reason=reason))
        # A close frame holds 123 bytes of reason: whole characters of it.
        self._transport.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        self._owner.closing(self)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)
