"""``Channel``: how the hub and a child exchange structs, in one process or in two.

Posting never waits: a child's loop must not stand still because its reader does. What
does not fit is dropped, counted, and said by the return value.
"""

import asyncio
import socket
from collections import deque
from typing import Protocol

import msgspec
from msgspec import Struct

from engine.link.base import LinkClosed
from engine.protocol.codec import Deframer, FrameTooLarge, frame
from engine.protocol.limits import CHILD_FRAME_BYTES_MAX, WATCHER_BACKLOG_BYTES_MAX

_MESSAGES_QUEUED_MAX = 10_000
_READ_BYTES = 256 * 1024


class Channel(Protocol):
    """One end of a pair."""

    def post(self, message: Struct) -> bool:
        """Send without waiting; False when the other side is so slow that it was dropped."""
        ...

    async def receive(self) -> Struct:
        """Return the next message.

        Raises:
            LinkClosed: The other side is gone, or sent what is no message.
        """
        ...

    async def aclose(self) -> None:
        """Flush what was posted (for a bounded time) and close."""
        ...


class MemoryChannel:
    """A channel within one process; make both ends with ``memory_pair``."""

    def __init__(self) -> None:
        self._inbox: deque[Struct] = deque()
        self._arrived = asyncio.Event()
        self._closed = False
        self._peer: MemoryChannel | None = None

    def post(self, message: Struct) -> bool:
        """See ``Channel.post``."""
        peer = self._peer
        if self._closed or peer is None or len(peer._inbox) >= _MESSAGES_QUEUED_MAX:  # noqa: SLF001 - the other half of the same pair
            return False
        peer._inbox.append(message)  # noqa: SLF001 - the other half of the same pair
        peer._arrived.set()  # noqa: SLF001 - the other half of the same pair
        return True

    async def receive(self) -> Struct:
        """See ``Channel.receive``."""
        while not self._inbox:
            if self._closed:
                raise LinkClosed("the other side is gone")
            self._arrived.clear()
            await self._arrived.wait()
        return self._inbox.popleft()

    async def aclose(self) -> None:
        """See ``Channel.aclose``."""
        self.close()

    def close(self) -> None:
        """Close both ends."""
        self._shut()
        if self._peer is not None:
            self._peer._shut()  # noqa: SLF001 - the other half of the same pair

    def _shut(self) -> None:
        self._closed = True
        self._arrived.set()


def memory_pair() -> tuple[MemoryChannel, MemoryChannel]:
    """Return the two ends of a channel within one process."""
    one, other = MemoryChannel(), MemoryChannel()
    one._peer, other._peer = other, one  # noqa: SLF001 - this function makes the pair
    return one, other


class SocketChannel:
    """A channel over a connected stream socket, such as one half of a socket pair."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        decoder: msgspec.msgpack.Decoder[Struct],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()
        self._deframer = Deframer(CHILD_FRAME_BYTES_MAX)
        self._inbox: deque[bytes] = deque()

    @classmethod
    async def over(
        cls, sock: socket.socket, decoder: msgspec.msgpack.Decoder[Struct]
    ) -> "SocketChannel":
        """Return a channel over ``sock``, which it then owns."""
        sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=sock)
        return cls(reader, writer, decoder)

    def post(self, message: Struct) -> bool:
        """See ``Channel.post``."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > WATCHER_BACKLOG_BYTES_MAX:
            return False
        self._writer.write(frame(self._encoder.encode(message)))
        return True

    async def receive(self) -> Struct:
        """See ``Channel.receive``."""
        try:
            while not self._inbox:
                data = await self._reader.read(_READ_BYTES)
                if not data:
                    raise LinkClosed("the other side is gone")
                self._inbox.extend(self._deframer.feed(data))
            return self._decoder.decode(self._inbox.popleft())
        except (OSError, FrameTooLarge, msgspec.DecodeError) as problem:
            raise LinkClosed(f"the other side is gone: {problem}") from problem

    async def aclose(self) -> None:
        """See ``Channel.aclose``."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._writer.wait_closed(), timeout=2.0)
        except (OSError, TimeoutError):
            self._writer.transport.abort()
