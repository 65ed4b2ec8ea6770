"""Small vectorised helpers: integer roots, and sharing in order what is scarce."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def join_rows(blocks: Sequence[Array], dtype: np.dtype[np.void]) -> Array:
    """Return the rows of several structured arrays of one type in one.

    Joined as bytes: ``np.concatenate`` looks at every field's type in Python.
    """
    if not blocks:
        return np.empty(0, dtype)
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([block.view(np.uint8) for block in blocks]).view(dtype)


def isqrt(squares: Array) -> Array:
    """Return the integer square roots of non-negative integers below 2**52, exactly.

    IEEE square roots are correctly rounded, so this is the same on every machine.
    """
    return np.sqrt(squares.astype(np.float64)).astype(np.int64)


def stable_order(keys: Array) -> Array:
    """Return the rows sorted by key, equal keys in their old order; keys within 32 bits.

    Key and row are sorted as one number: many times faster than a stable argsort.
    """
    both = keys.astype(np.int64) << 32 | np.arange(len(keys))
    both.sort()
    order: Array = both & 0xFFFFFFFF
    return order


def group_starts(keys: Array) -> Array:
    """Return, for keys in which equal ones are adjacent, each row's first row of its group."""
    index = np.arange(len(keys))
    index[1:][keys[1:] == keys[:-1]] = 0
    return np.maximum.accumulate(index)


def rank_in_group(keys: Array) -> Array:
    """Return how many earlier rows have the same key, for keys in any order."""
    order = stable_order(keys)
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.arange(len(keys)) - group_starts(keys[order])
    return ranks


def running_total(amounts: Array, keys: Array) -> Array:
    """Return the sum of this and all earlier ``amounts`` with the same key."""
    order = stable_order(keys)
    sorted_amounts = amounts[order].astype(np.int64)
    total = np.cumsum(sorted_amounts)
    starts = group_starts(keys[order])
    result = np.empty(len(keys), np.int64)
    result[order] = total - (total - sorted_amounts)[starts]
    return result


def take_in_order(wanted: Array, owners: Array, have: Array) -> tuple[Array, Array]:
    """Share what each owner has among those who want it, first come first served.

    Args:
        wanted: How much each row wants, not negative, (n,).
        owners: Whom it wants it from, (n,).
        have: How much that owner has before the first row, (n,).

    Returns:
        What each row gets, and what its owner has left right after it.
    """
    total = running_total(wanted, owners)
    have = have.astype(np.int64)
    gone = np.minimum(total, have)
    return gone - np.minimum(total - wanted, have), have - gone
