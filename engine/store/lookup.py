"""Reads ``index.db`` beside the process that fills it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import apsw
import numpy as np

from engine.protocol.limits import INDEX_BLOCKS_READ_MAX
from engine.store.finding import Finder
from engine.store.opening import Closing, open_to_read
from engine.store.postings import Damaged, Keys, Packer, Seqs
from engine.store.segments import DIMENSIONS, Segment, read_segments

_BUSY_MS: Final = 1000
_NONE: Final = np.empty(0, np.int64)
_NONE.flags.writeable = False

# The block before the first that begins with a key may end with it.
_BEFORE: Final = (
    "SELECT first_key, first_seq, last_key, data FROM blocks "
    "WHERE dimension = ? AND segment = ? AND first_key < ? "
    "ORDER BY first_key DESC, first_seq DESC LIMIT 1"
)
_FROM: Final = (
    "SELECT first_key, first_seq, last_key, data FROM blocks "
    "WHERE dimension = ? AND segment = ? AND first_key BETWEEN ? AND ? "
    "ORDER BY first_key, first_seq"
)

Term = tuple[str, int]
"""A dimension and a key."""


class OverBudget(Exception):
    """The search has read as many blocks as one search may."""


class Lookup(Closing):
    """An index at one moment; without one, and with one of no use, it covers nothing.

    Opened for a question and closed after it: nothing is merged away meanwhile.

    Args:
        path: ``index.db``; it is never written.
        log: The log it is of.

    Attributes:
        segments: What it covers, oldest first.
        damage: Why it is to be made anew, empty while it is not.
        blocks_read: Blocks read so far.
    """

    def __init__(self, path: Path, log: Finder) -> None:
        self.segments: list[Segment] = []
        self.damage = ""
        self.blocks_read = 0
        self._packer = Packer()
        self._unpacked: dict[tuple[int, int, int, int], tuple[Keys, Seqs]] = {}
        self._db: apsw.Connection | None = None
        try:
            self._db = open_to_read(path, _BUSY_MS)
            self._db.execute("BEGIN").fetchall()
            self.segments = read_segments(self._db, log)
        except (Damaged, apsw.CorruptError, apsw.NotADBError) as problem:
            self.give_up(str(problem))
        except apsw.Error:
            self.segments = []  # there is none yet, or it cannot be had now

    def close(self) -> None:
        """Close; afterwards nothing else may be called."""
        if self._db is not None:
            self._db.close()

    def give_up(self, why: str) -> None:
        """Cover nothing from now on; say that it is damaged."""
        self.segments, self.damage = [], why

    @property
    def position(self) -> int:
        """The newest event that is covered."""
        return self.segments[-1].last_seq if self.segments else 0

    def any_of(self, terms: Iterable[Term], segment: Segment) -> Seqs:
        """Return a segment's events that have any of the keys, ascending.

        Raises:
            Damaged: The index cannot be read.
            OverBudget: It would take more blocks than one search may read.
        """
        found = [
            self._with_key(DIMENSIONS.index(dimension), key, segment) for dimension, key in terms
        ]
        found = [some for some in found if len(some)]
        if len(found) < 2:
            return found[0] if found else _NONE
        # Runs in order, which a stable sort only has to merge; an event may be in several.
        every = np.sort(np.concatenate(found), kind="stable")
        return every[np.diff(every, prepend=0) > 0]

    def effects_of(self, causes: Keys, segment: Segment) -> tuple[Keys, Seqs]:
        """Return a segment's events that directly follow from some causes, with their cause.

        Args:
            causes: Ascending, at least one.
            segment: Where to look.

        Raises:
            Damaged: The index cannot be read.
            OverBudget: It would take more blocks than one search may read.
        """
        number = DIMENSIONS.index("cause")
        keys, seqs = [_NONE], [_NONE]
        for some, theirs in self._blocks(number, int(causes[0]), int(causes[-1]), segment):
            here = np.isin(some, causes)
            keys.append(some[here])
            seqs.append(theirs[here])
        return np.concatenate(keys), np.concatenate(seqs)

    def _with_key(self, number: int, key: int, segment: Segment) -> Seqs:
        parts = [_NONE]
        for keys, seqs in self._blocks(number, key, key, segment):
            first, end = np.searchsorted(keys, (key, key + 1))
            if end > first:
                parts.append(seqs[first:end])
        return np.concatenate(parts)

    def _blocks(
        self, number: int, low: int, high: int, segment: Segment
    ) -> list[tuple[Keys, Seqs]]:
        """Return the blocks that may hold keys from ``low`` to ``high``, in order."""
        if self._db is None:
            return []
        try:
            rows: list[tuple[Any, ...]]
            rows = self._db.execute(_BEFORE, (number, segment.id, low)).fetchall()
            rows = [row for row in rows if row[2] >= low]
            rows += self._db.execute(_FROM, (number, segment.id, low, high)).fetchall()
        except apsw.Error as problem:
            raise Damaged(str(problem)) from problem
        blocks = []
        for first_key, first_seq, _, data in rows:
            name = (number, segment.id, first_key, first_seq)
            if name not in self._unpacked:
                self.blocks_read += 1
                if self.blocks_read > INDEX_BLOCKS_READ_MAX:
                    raise OverBudget
                self._unpacked[name] = self._packer.unpack(data, first_key, segment.first_seq)
            blocks.append(self._unpacked[name])
        return blocks
