"""Counter-based randomness: a hash of (seed, tick, purpose, id), never a hidden state.

The same arguments give the same bits in whatever order and batch they are asked for.
The mixer is splitmix64's finaliser (Steele, Lea, Flood 2014).
"""

from enum import IntEnum

import numpy as np

from engine.world.arrays import Array

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


class Purpose(IntEnum):
    """What a draw is for, so that two draws for one id never coincide; only ever append."""

    PLACE_X = 1
    PLACE_Y = 2
    DAMAGE = 3
    GATHER = 4
    WANDER_X = 5
    WANDER_Y = 6
    RETALIATE = 7
    RESPAWN_X = 8
    RESPAWN_Y = 9


def _mix_int(value: int) -> int:
    value = (value ^ (value >> 30)) * _MIX_1 & _MASK
    value = (value ^ (value >> 27)) * _MIX_2 & _MASK
    return value ^ (value >> 31)


def bits(seed: int, tick: int, purpose: Purpose, ids: Array) -> Array:
    """Return 64 random bits for each id, uint64, (n,)."""
    key = _mix_int((seed * _GOLDEN + tick) & _MASK)
    key = _mix_int((key + purpose * _GOLDEN) & _MASK)
    value = ids.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(key)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(_MIX_1)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(_MIX_2)
    return value ^ (value >> np.uint64(31))


def below(bound: int, seed: int, tick: int, purpose: Purpose, ids: Array) -> Array:
    """Return an integer from 0 to ``bound - 1`` for each id, int64, (n,); bound below 2**31."""
    high = bits(seed, tick, purpose, ids) >> np.uint64(32)
    return ((high * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)
