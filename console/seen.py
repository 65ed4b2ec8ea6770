"""Which violations the operator has acknowledged. Pure.

The feed holds the newest violations only, so that what was acknowledged is counted when it
is: open ones are all there were, less those.
"""

from collections.abc import Iterable

from msgspec import Struct

from engine.protocol.feed import ViolationRow, ViolationsView


class Seen(Struct, frozen=True):
    """What was acknowledged so far.

    Attributes:
        up_to: Every violation up to this sequence number.
        rows: Single ones above it that the feed may still hold.
        count: How many in all.
        critical: How many of them broke an invariant.
    """

    up_to: int = 0
    rows: frozenset[int] = frozenset()
    count: int = 0
    critical: int = 0

    def has(self, row: ViolationRow) -> bool:
        """Whether a violation was acknowledged."""
        return row.seq <= self.up_to or row.seq in self.rows


def acknowledge(seen: Seen, row: ViolationRow, view: ViolationsView) -> Seen:
    """Return ``seen`` with one violation more."""
    if seen.has(row):
        return seen
    held = {kept.seq for kept in view.tail}
    rows = frozenset(seq for seq in seen.rows if seq in held) | {row.seq}
    return Seen(seen.up_to, rows, seen.count + 1, seen.critical + row.critical)


def acknowledge_up_to(seen: Seen, seq: int, view: ViolationsView) -> Seen:
    """Return ``seen`` with every violation up to ``seq``, also those the feed has let go.

    Args:
        seen: What was acknowledged before.
        seq: One of ``view``'s.
        view: The violations as they are looked at.
    """
    if seq <= seen.up_to:
        return seen
    still = [row for row in view.tail if row.seq > seq and not seen.has(row)]
    critical = view.critical - sum(row.critical for row in still)
    rows = frozenset(row.seq for row in view.tail if row.seq > seq and row.seq in seen.rows)
    return Seen(seq, rows, view.total - len(still), critical)


def acknowledge_rows(seen: Seen, rows: Iterable[ViolationRow], view: ViolationsView) -> Seen:
    """Return ``seen`` with each of some violations."""
    for row in rows:
        seen = acknowledge(seen, row, view)
    return seen


def open_of(seen: Seen, view: ViolationsView) -> tuple[int, int]:
    """Return how many violations are open, and how many of those broke an invariant."""
    return max(0, view.total - seen.count), max(0, view.critical - seen.critical)


def next_open(
    seen: Seen, rows: tuple[ViolationRow, ...], after_seq: int | None
) -> ViolationRow | None:
    """Return the next open violation after ``after_seq``, the oldest when there is none after."""
    found = [row for row in rows if not seen.has(row)]
    later = [row for row in found if after_seq is not None and row.seq > after_seq]
    return next(iter(later or found), None)
