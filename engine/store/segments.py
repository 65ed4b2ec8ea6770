"""What an index says of its segments, and whether that is true."""

from collections.abc import Sequence
from typing import Any, Final

import apsw
import numpy as np
from msgspec import Struct

from engine.store.finding import Finder
from engine.store.postings import Damaged

INDEX_FORMAT: Final = 2
"""1 did not say how many blocks and entries a segment has."""
DIMENSIONS: Final = ("stream", "actor", "target", "kind", "correlation", "cause")
"""Columns of events that are indexed; the place is the dimension's number in the file."""
NOTHING_AT_ZERO: Final = frozenset({"target", "cause"})
"""Of these nobody asks who has 0, which means none."""


class Segment(Struct, frozen=True, array_like=True):
    """What a segment covers, and how much there is of it.

    Attributes:
        id: Names it; a number is never used again.
        tier: How often it was merged.
        first_seq: The first event it covers.
        last_seq: The last one.
        last_tick: The tick of that.
        hash: The world's state after that tick.
        counts: Blocks and entries of each dimension, ``<i8``, (dimensions, 2).
    """

    id: int
    tier: int
    first_seq: int
    last_seq: int
    last_tick: int
    hash: bytes
    counts: bytes


def read_segments(db: apsw.Connection, log: Finder) -> list[Segment]:
    """Return the segments of an index, oldest first.

    Args:
        db: The index.
        log: The log that it should be of.

    Raises:
        Damaged: It is no index, of another version, or of another log.
        apsw.Error: It cannot be read.
    """
    try:
        found = db.execute("SELECT value FROM meta WHERE name = 'format'").fetchall()
        rows: list[tuple[Any, ...]]
        rows = db.execute("SELECT * FROM segments ORDER BY first_seq").fetchall()
    except apsw.SQLError as problem:
        raise Damaged(f"it is no index ({problem})") from problem
    if found != [(INDEX_FORMAT,)]:
        version = found[0][0] if found else "none"
        raise Damaged(f"it is of format {version}, this version writes {INDEX_FORMAT}")
    segments = [Segment(*row) for row in rows]
    next_seq = 1
    for segment in segments:
        if segment.first_seq != next_seq:
            raise Damaged(f"it lacks the events from {next_seq} to {segment.first_seq - 1}")
        next_seq = segment.last_seq + 1
    # The first and the last say enough: state hashes follow from everything before.
    for segment in segments[:1] + segments[1:][-1:]:
        if log.seal(segment.last_tick) != (segment.last_seq, segment.hash):
            raise Damaged("it is of another log")
    return segments


def check_counts(db: apsw.Connection, segments: Sequence[Segment]) -> None:
    """Compare what every segment should have with what is there.

    A page that is whole and old, as of a disk that lies, passes every other check and would
    silently lose events.

    Raises:
        Damaged: They differ.
    """
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    for segment in segments:
        if not isinstance(segment.counts, bytes) or len(segment.counts) != 16 * len(DIMENSIONS):
            raise Damaged(f"segment {segment.id} does not say how much it has")
        counts = np.frombuffer(segment.counts, "<i8").reshape(-1, 2).tolist()
        for number, (blocks, entries) in enumerate(counts):
            if blocks:
                expected[number, segment.id] = blocks, entries
    rows: list[tuple[Any, ...]]
    rows = db.execute(
        "SELECT dimension, segment, count(*), sum(entries) FROM blocks GROUP BY dimension, segment"
    ).fetchall()
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    if found != expected:
        raise Damaged("it has other entries than were put in")
