"""Length-prefixed msgpack frames, without I/O: bytes in, payloads out."""

import struct
from collections.abc import Iterator

_LENGTH = struct.Struct(">I")


class FrameTooLarge(ValueError):
    """A frame announced more bytes than the bound allows."""


def frame(payload: bytes) -> bytes:
    """Return ``payload`` with its length before it (four bytes, big-endian)."""
    return _LENGTH.pack(len(payload)) + payload


class Deframer:
    """Cuts a byte stream into payloads; holds at most one incomplete frame.

    Args:
        bytes_max: A larger announced frame raises ``FrameTooLarge``.
    """

    __slots__ = ("_buffer", "_bytes_max")

    def __init__(self, bytes_max: int) -> None:
        self._buffer = bytearray()
        self._bytes_max = bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes from the stream and yield every payload that is complete.

        Raises:
            FrameTooLarge: The next frame's length exceeds the bound.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self._bytes_max:
                raise FrameTooLarge(f"frame of {length} bytes; at most {self._bytes_max}")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield payload
