"""One client of the stream: its own bounded backlog, and an end with a reason."""

from collections import deque
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode
from websockets.protocol import State
from websockets.server import ServerProtocol

from engine.protocol.limits import (
    STAT7_BACKLOG_BYTES_MAX,
    STAT7_CLOSE_S,
    STAT7_FRAME_BYTES_MAX,
    STAT7_RECEIVED_BYTES_PER_S_MAX,
    STAT7_STALLED_S_MAX,
)
from engine.stat7.handshake import Handshake


class Owner(Protocol):
    """What a client tells the stream."""

    def now_s(self) -> float:
        """Return the monotonic time."""
        ...

    def opened(self, client: "Client") -> None:
        """There is a connection; it has not said yet what it wants, and may be one too many."""
        ...

    def gone(self, client: "Client") -> None:
        """The connection is no more."""
        ...

    def note(self, text: str) -> None:
        """Write a line into the log."""
        ...


class Client(ServerConnection):
    """One connection, from its first byte to its end.

    Frames come ready for the socket and the same for everyone: they go past the library's
    own sending straight to the transport, and wait here while that is full. So a client
    that is closed for being slow has only what its socket holds between it and the reason.

    Args:
        owner: The stream.
        protocol: The library's; ours, which refuses as the contract has it, takes its place.
    """

    def __init__(
        self, owner: Owner, protocol: ServerProtocol, *arguments: Any, **options: Any
    ) -> None:
        own = Handshake(max_size=STAT7_FRAME_BYTES_MAX, logger=protocol.logger)
        super().__init__(own, *arguments, **options)
        self._owner = owner
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._stuck_since_s: float | None = None
        self._cut_off_at_s: float | None = None
        self._window_s = 0.0
        self._received = 0

    @property
    def peer(self) -> str:
        """Where it connects from, for the log."""
        address = self.transport.get_extra_info("peername")
        return f"{address[0]}:{address[1]}" if address else "a client"

    @property
    def ended(self) -> bool:
        """Whether we have closed it."""
        return self._cut_off_at_s is not None

    def push(self, frames: bytes) -> None:
        """Send whole frames, or keep them until the socket takes more."""
        if self.state is not State.OPEN or self.ended:
            return
        if self._stuck_since_s is None:
            self.transport.write(frames)
            return
        self._waiting.append(frames)
        self._waiting_bytes += len(frames)

    def sweep(self) -> None:
        """Close it when it is too slow, cut it off when it does not go."""
        now_s = self._owner.now_s()
        if self._cut_off_at_s is not None:
            if now_s >= self._cut_off_at_s:
                self.transport.abort()
        elif self._waiting_bytes > STAT7_BACKLOG_BYTES_MAX:
            self.dismiss(CloseCode.TRY_AGAIN_LATER, "too slow a reader: too much waits for it")
        elif self._stuck_since_s is not None and now_s - self._stuck_since_s > STAT7_STALLED_S_MAX:
            self.dismiss(
                CloseCode.TRY_AGAIN_LATER,
                f"too slow a reader: it took nothing for {STAT7_STALLED_S_MAX:.0f} s",
            )

    def dismiss(self, code: CloseCode, reason: str) -> None:
        """Tell it why, close, and cut it off if it does not read that in time."""
        if self.ended:
            return
        self._owner.note(f"{self.peer} was closed: {reason}")
        self.end(code, reason)

    def end(self, code: CloseCode, reason: str) -> None:
        """Close in order; what waits here is dropped, what the socket holds is sent."""
        self._cut_off_at_s = self._owner.now_s() + STAT7_CLOSE_S
        self._waiting.clear()
        self._waiting_bytes = 0
        if self.state is State.OPEN:
            self.protocol.send_close(code, reason)
            self.send_data()
        # Flushes, then closes; nothing more is read.
        self.transport.close()

    # --- what asyncio calls ---

    def connection_made(self, transport: Any) -> None:
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._waiting.clear()
        self._owner.gone(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        super().pause_writing()
        self._stuck_since_s = self._owner.now_s()

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        super().resume_writing()
        self._stuck_since_s = None
        while self._waiting and self._stuck_since_s is None:
            frames = self._waiting.popleft()
            self._waiting_bytes -= len(frames)
            self.transport.write(frames)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        super().data_received(data)
        now_s = self._owner.now_s()
        if now_s - self._window_s >= 1.0:
            self._window_s, self._received = now_s, 0
        self._received += len(data)
        if self._received <= STAT7_RECEIVED_BYTES_PER_S_MAX:
            return
        if self.state is State.OPEN:
            self.dismiss(CloseCode.POLICY_VIOLATION, "it sends too much: this stream only tells")
        elif self.state is State.CONNECTING:
            self.transport.abort()
