"""zstd for the log: level 1 keeps the tick path short."""

from dataclasses import replace
from typing import Final

import zstandard

from engine.protocol.limits import LOGGED_BYTES_MAX
from engine.store.base import TickRecord

LEVEL: Final = 1


class Codec:
    """A compressor and a decompressor, kept because making them costs more than using them."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def pack(self, data: bytes) -> bytes:
        """Return ``data`` compressed; nothing stays nothing."""
        return self._compressor.compress(data) if data else b""

    def unpack(self, data: bytes) -> bytes:
        """Return what ``pack`` was given.

        Raises:
            ValueError: The bytes are damaged, or hold more than the bound.
        """
        if not data:
            return b""
        try:
            return self._decompressor.decompress(data, max_output_size=LOGGED_BYTES_MAX)
        except zstandard.ZstdError as problem:
            raise ValueError(f"damaged block in the log: {problem}") from problem

    def pack_record(self, record: TickRecord) -> TickRecord:
        """Return the record with its blocks compressed."""
        pack = self.pack
        return replace(
            record,
            inputs=pack(record.inputs),
            events=pack(record.events),
            audit=pack(record.audit),
        )

    def unpack_record(self, record: TickRecord) -> TickRecord:
        """Return what ``pack_record`` was given.

        Raises:
            ValueError: A block is damaged; the tick and the block are named.
        """
        return replace(
            record,
            inputs=self._unpack_of(record.tick, "inputs", record.inputs),
            events=self._unpack_of(record.tick, "events", record.events),
            audit=self._unpack_of(record.tick, "audit", record.audit),
        )

    def _unpack_of(self, tick: int, what: str, data: bytes) -> bytes:
        try:
            return self.unpack(data)
        except ValueError as problem:
            raise ValueError(f"{what} of tick {tick}: {problem}") from problem
