"""Chance without state: a number for every (seed, words), the same wherever it is asked.

Players, faults and mixes draw from here, so that a choice depends on who is chosen and
never on the order in which squads or connections came up.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MASK: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15
_M1: Final = 0xBF58476D1CE4E5B9
_M2: Final = 0x94D049BB133111EB


def mix(value: int) -> int:
    """Return ``value`` scrambled into 64 bits (splitmix64's finaliser)."""
    value = (value + _STEP) & _MASK
    value = ((value ^ (value >> 30)) * _M1) & _MASK
    value = ((value ^ (value >> 27)) * _M2) & _MASK
    return value ^ (value >> 31)


def draw(seed: int, *words: int) -> int:
    """Return 64 bits that depend on the seed and every word."""
    state = mix(seed & _MASK)
    for word in words:
        state = mix(state ^ (word & _MASK))
    return state


def fraction(seed: int, *words: int) -> float:
    """Return a number in [0, 1) that depends on the seed and every word."""
    return (draw(seed, *words) >> 11) * 2.0**-53


def draw_many(seed: int, purpose: int, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return ``draw(seed, purpose, n)`` for every n, as an array of the same length."""
    start = np.uint64(draw(seed, purpose))
    with np.errstate(over="ignore"):
        value = (start ^ numbers.astype(np.uint64)) + np.uint64(_STEP)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(_M1)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(_M2)
        return value ^ (value >> np.uint64(31))


class Dice:
    """A stream of chances of one owner; two words of state, so ten thousand of them are cheap."""

    __slots__ = ("_rolls", "_seed")

    def __init__(self, seed: int, *words: int) -> None:
        self._seed = draw(seed, *words)
        self._rolls = 0

    def roll(self) -> float:
        """Return the next number in [0, 1)."""
        self._rolls += 1
        return (mix(self._seed ^ self._rolls) >> 11) * 2.0**-53

    def between(self, low: int, high: int) -> int:
        """Return the next whole number from ``low`` to ``high``, both included."""
        return low + int(self.roll() * (high - low + 1))
