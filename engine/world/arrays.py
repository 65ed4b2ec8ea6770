"""Small vectorised helpers: integer roots, and sharing in order what is scarce."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def isqrt(squares: Array) -> Array:
    """Return the integer square roots of non-negative integers below 2**52, exactly.

    IEEE square roots are correctly rounded, so this is the same on every machine.
    """
    return np.sqrt(squares.astype(np.float64)).astype(np.int64)


def group_starts(keys: Array) -> Array:
    """Return, for keys in which equal ones are adjacent, each row's first row of its group."""
    index = np.arange(len(keys))
    index[1:][keys[1:] == keys[:-1]] = 0
    return np.maximum.accumulate(index)


def rank_in_group(keys: Array) -> Array:
    """Return how many earlier rows have the same key, for keys in any order."""
    order = np.argsort(keys, kind="stable")
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = np.arange(len(keys)) - group_starts(keys[order])
    return ranks


def running_total(amounts: Array, keys: Array) -> Array:
    """Return the sum of this and all earlier ``amounts`` with the same key."""
    order = np.argsort(keys, kind="stable")
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
