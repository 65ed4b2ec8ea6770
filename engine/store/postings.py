"""Posting blocks: which events have which key, sorted by key and then by event, packed.

A block holds up to ``INDEX_BLOCK_ENTRIES`` entries ``(key, seq)``. Stored are two bytes, the
numbers of byte planes of keys and of events, then the planes, all of it zstd with a checksum:
the keys as differences, the events as differences within a key and else from the segment's
first event. Plane p holds byte p of every number; the high planes are nearly all zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from engine.protocol.limits import INDEX_BLOCK_ENTRIES

Keys = NDArray[np.int64]
Seqs = NDArray[np.int64]

LEVEL: Final = 1
_HEAD_BYTES: Final = 2
_PLANES_MAX: Final = 8
_BYTES_MAX: Final = _HEAD_BYTES + 2 * _PLANES_MAX * INDEX_BLOCK_ENTRIES


class Damaged(Exception):
    """What is stored in the index is no index; it is to be made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some entries in their stored form, and what they span."""

    first_key: int
    first_seq: int
    last_key: int
    entries: int
    data: bytes


class Packer:
    """Packs and unpacks blocks; kept, because making the compressors costs more than using them."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()

    def pack(self, keys: Keys, seqs: Seqs, base: int) -> Iterator[Block]:
        """Yield blocks.

        Args:
            keys: Ascending, (n,).
            seqs: Ascending within a key, none below ``base``, (n,).
            base: First event of the segment.
        """
        starts = np.ones(len(keys), np.bool_)
        starts[1:] = keys[1:] != keys[:-1]
        starts[::INDEX_BLOCK_ENTRIES] = True
        seq_steps = np.diff(seqs, prepend=base)
        seq_steps[starts] = seqs[starts] - base
        key_steps = np.diff(keys, prepend=0)
        key_steps[::INDEX_BLOCK_ENTRIES] = 0
        for first in range(0, len(keys), INDEX_BLOCK_ENTRIES):
            some = slice(first, first + INDEX_BLOCK_ENTRIES)
            last = min(first + INDEX_BLOCK_ENTRIES, len(keys)) - 1
            key_planes, seq_planes = _planes(key_steps[some]), _planes(seq_steps[some])
            head = bytes((len(key_planes), len(seq_planes)))
            data = self._compressor.compress(head + key_planes.tobytes() + seq_planes.tobytes())
            yield Block(int(keys[first]), int(seqs[first]), int(keys[last]), last + 1 - first, data)

    def unpack(self, data: bytes, first_key: int, base: int) -> tuple[Keys, Seqs]:
        """Return the entries of a block.

        Raises:
            Damaged: The bytes are no block.
        """
        try:
            plain = self._decompressor.decompress(data, max_output_size=_BYTES_MAX)
        except zstandard.ZstdError as problem:
            raise Damaged(f"a block of the index is damaged: {problem}") from problem
        key_width, seq_width = plain[:_HEAD_BYTES] if len(plain) > _HEAD_BYTES else (0, 0)
        count, rest = divmod(len(plain) - _HEAD_BYTES, max(1, key_width + seq_width))
        if rest or not 0 < seq_width <= _PLANES_MAX or key_width > _PLANES_MAX:
            raise Damaged("a block of the index is of no use")
        key_steps = _numbers(plain, _HEAD_BYTES, key_width, count)
        steps = _numbers(plain, _HEAD_BYTES + key_width * count, seq_width, count)
        keys = key_steps.cumsum() + first_key
        seqs = steps.cumsum()
        # Each key's events count from the segment's first one anew.
        starts = np.flatnonzero(key_steps)
        before = np.zeros(len(starts) + 1, np.int64)
        before[1:] = seqs[starts] - steps[starts]
        lengths = np.diff(starts, prepend=0, append=count)
        return keys, seqs - np.repeat(before, lengths) + base


def _planes(steps: Seqs) -> NDArray[np.uint8]:
    """Return the low bytes of every number, one plane a byte; at least one plane."""
    width = max(1, (int(steps.max()).bit_length() + 7) // 8) if steps.min() >= 0 else _PLANES_MAX
    return steps.astype("<i8").view(np.uint8).reshape(len(steps), _PLANES_MAX).T[:width].copy()


def _numbers(plain: bytes, offset: int, width: int, count: int) -> Seqs:
    wide = np.zeros((count, _PLANES_MAX), np.uint8)
    planes = np.frombuffer(plain, np.uint8, width * count, offset).reshape(width, count)
    wide[:, :width] = planes.T
    return wide.view("<i8")[:, 0].astype(np.int64)
