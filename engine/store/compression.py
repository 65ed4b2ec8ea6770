"""zstd for the log: level 1 keeps the tick path short."""

from typing import Final

import zstandard

from engine.protocol.limits import LOGGED_BYTES_MAX

LEVEL: Final = 1


class Codec:
    """A compressor and a decompressor, kept because making them costs more than using them."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def pack(self, data: bytes) -> bytes:
        """Return ``data`` compressed."""
        return self._compressor.compress(data)

    def unpack(self, data: bytes) -> bytes:
        """Return what ``pack`` was given.

        Raises:
            ValueError: The bytes are damaged, or hold more than the bound.
        """
        try:
            return self._decompressor.decompress(data, max_output_size=LOGGED_BYTES_MAX)
        except zstandard.ZstdError as problem:
            raise ValueError(f"damaged block in the log: {problem}") from problem
