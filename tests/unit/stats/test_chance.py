"""Seeded chance: repeatable, spread evenly, the same one by one and in bulk."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.stats.chance import Dice, draw, draw_many, fraction

words = st.integers(0, 2**63 - 1)


@given(words, words, st.lists(st.integers(0, 200_000), min_size=1, max_size=50))
def test_in_bulk_is_the_same_as_one_by_one(seed: int, purpose: int, numbers: list[int]) -> None:
    bulk = draw_many(seed, purpose, np.array(numbers, dtype=np.int64))
    assert bulk.tolist() == [draw(seed, purpose, n) for n in numbers]


def test_it_is_spread_evenly() -> None:
    shares = np.histogram([fraction(7, 1, n) for n in range(10_000)], bins=10, range=(0, 1))[0]
    assert shares.min() > 850
    assert shares.max() < 1150


def test_dice_repeat_and_differ_by_owner() -> None:
    one, same, other = Dice(7, 1, 2), Dice(7, 1, 2), Dice(7, 1, 3)
    rolls = [one.roll() for _ in range(100)]
    assert rolls == [same.roll() for _ in range(100)]
    assert rolls != [other.roll() for _ in range(100)]
    assert all(0 <= roll < 1 for roll in rolls)
    faces = [one.between(1, 6) for _ in range(1000)]
    assert set(faces) == {1, 2, 3, 4, 5, 6}
