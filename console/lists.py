"""Moving through a list: which row is picked and which rows show. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from engine.protocol.filters import Filter

SORTS: Final = ("gold", "hp", "level", "goods", "zone", "lives", "id")
"""Columns that entities are sorted by, in the order of the key."""


class ListView(Struct, frozen=True):
    """How one list is looked at.

    Attributes:
        cursor: Key of the picked row: a position (entities) or a sequence number.
        top: Key of the first row that shows.
        follow: Stay with the newest row.
        sort: Column, ``-`` before it for descending.
        filter: The filter as typed.
        terms: The filter, parsed.
    """

    cursor: int = 0
    top: int = 0
    follow: bool = False
    sort: str = ""
    filter: str = ""
    terms: Filter = Filter()


def window(
    keys: Sequence[int], height: int, view: ListView, sizes: Sequence[int] = ()
) -> tuple[int, int]:
    """Return (first row that shows, picked row) as indexes into ``keys``.

    Args:
        keys: The rows' keys, ascending.
        height: Lines that fit.
        view: How the list is looked at.
        sizes: How many lines each row takes; one each when there are none.
    """
    if not keys:
        return 0, 0
    last = len(keys) - 1
    lowest = _around(last, 0, height, sizes)
    if view.follow:
        return lowest, last
    cursor = min(bisect_left(keys, view.cursor), last)
    top = min(bisect_left(keys, view.top), lowest)
    return _around(cursor, top, height, sizes), cursor


def moved(
    keys: Sequence[int], height: int, view: ListView, by: int, sizes: Sequence[int] = ()
) -> ListView:
    """Return the view with the cursor ``by`` rows further down."""
    if not keys:
        return view
    top, cursor = window(keys, height, view, sizes)
    target = min(max(0, cursor + by), len(keys) - 1)
    return replace(
        view,
        cursor=keys[target],
        top=keys[_around(target, top, height, sizes)],
        follow=view.follow and target == len(keys) - 1,
    )


def sorted_by(sort: str, action: str) -> str:
    """Return the order after ``sort``: the next column, or with ``sort_turn`` the other way."""
    sign, column = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    if action == "sort_turn":
        return column if sign else f"-{column}"
    column = SORTS[(SORTS.index(column) + 1) % len(SORTS)]
    return column if column in {"id", "zone", "hp"} else f"-{column}"


def _around(cursor: int, top: int, height: int, sizes: Sequence[int]) -> int:
    """Return the first row to show so that ``cursor`` is among those in ``height`` lines."""
    if cursor < top:
        return cursor
    if not sizes:
        return max(top, cursor - max(1, height) + 1)
    first, room = cursor, height - sizes[cursor]
    while first > top and room >= sizes[first - 1]:
        first -= 1
        room -= sizes[first]
    return first
