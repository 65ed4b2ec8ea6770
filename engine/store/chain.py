"""The chain of checks: each row of the log vouches for itself and for all before it."""

import struct
from typing import Final

from blake3 import blake3

from engine.store.base import TickRecord

CHECK_BYTES: Final = 16
NO_CHECK: Final = bytes(CHECK_BYTES)
"""Stands before the first row."""

_HEAD: Final = struct.Struct("<qqqqqqqq")


def check_of(before: bytes, stored: TickRecord) -> bytes:
    """Return the check of a row: blake3 over all that it holds and the check before it.

    Args:
        before: Check of the row before, ``NO_CHECK`` for the first.
        stored: The record with its blocks compressed, byte for byte as in the file.
    """
    blobs = (stored.inputs, stored.events, stored.audit, stored.hash)
    head = _HEAD.pack(
        stored.tick, stored.first_seq, stored.count, stored.schema, *(len(blob) for blob in blobs)
    )
    return blake3(b"".join((before, head, *blobs))).digest(CHECK_BYTES)


def check_of_blob(tick: int, stored: bytes) -> bytes:
    """Return the check of a checkpoint as stored."""
    return blake3(tick.to_bytes(8, "little") + stored).digest(CHECK_BYTES)
