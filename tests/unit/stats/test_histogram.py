"""The histogram: under 1 % error, and a merge is the same as counting in one place."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stats.histogram import BUCKETS, HIGHEST_MS, LOWEST_MS, Histogram, bucket_of, middle_ms

durations = st.floats(min_value=LOWEST_MS, max_value=HIGHEST_MS, allow_nan=False)
many = st.lists(durations, min_size=1, max_size=200)


def _filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    histogram.add_many(values)
    return histogram


def _nearest_rank(values: list[float], p: float) -> float:
    return sorted(values)[max(1, math.ceil(p / 100 * len(values) - 1e-9)) - 1]


@given(durations)
def test_a_bucket_stands_for_its_values_within_one_percent(value: float) -> None:
    assert abs(middle_ms(bucket_of(value)) - value) < 0.01 * value


@given(many, st.sampled_from([0, 1, 50, 90, 95, 99, 99.9, 100]))
def test_a_percentile_is_within_one_percent_of_the_exact_one(values: list[float], p: float) -> None:
    exact = _nearest_rank(values, p)
    assert abs(_filled(values).percentile(p) - exact) < 0.01 * exact


@given(many, many)
def test_merging_is_counting_in_one_place(one: list[float], other: list[float]) -> None:
    together = _filled(one + other)
    merged = _filled(one)
    merged.merge(_filled(other))
    over_the_wire = _filled(one)
    over_the_wire.merge_sparse(_filled(other).sparse(), max(other))
    for histogram in (merged, over_the_wire):
        assert histogram.sparse() == together.sparse()
        assert histogram.count == together.count == len(one) + len(other)
        assert histogram.max_ms == together.max_ms


@given(many)
def test_one_by_one_and_as_a_batch_are_the_same(values: list[float]) -> None:
    single = Histogram()
    for value in values:
        single.add(value)
    batch = _filled(values)
    difference = np.abs(single.buckets - batch.buckets).sum()
    # The two logarithms may differ in the last bit, exactly on a bucket's edge.
    assert difference <= 2 * sum(
        abs(math.log(v / LOWEST_MS) / math.log(1.01) % 1 - 0.5) > 0.499999 for v in values
    )
    assert single.max_ms == batch.max_ms


def test_percentiles_of_a_long_tail() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(3.0, 2.0, 200_000)
    histogram = Histogram()
    histogram.add_many(values)
    for p in (50, 90, 99, 99.9, 99.99):
        exact = float(np.percentile(values, p, method="inverted_cdf"))
        assert abs(histogram.percentile(p) - exact) < 0.01 * exact
    assert histogram.max_ms == values.max()


@pytest.mark.parametrize("bad", [-0.1, math.nan, -math.inf])
def test_what_is_no_duration_is_refused_and_not_counted(bad: float) -> None:
    histogram = Histogram()
    with pytest.raises(ValueError, match="duration"):
        histogram.add(bad)
    with pytest.raises(ValueError, match="duration"):
        histogram.add_many([1.0, bad])
    assert (histogram.count, histogram.sparse()) == (0, {})


@pytest.mark.parametrize("bad", [{-1: 1}, {BUCKETS: 1}, {3: -1}])
def test_a_sparse_form_out_of_range_is_refused_and_not_counted(bad: dict[int, int]) -> None:
    histogram = Histogram()
    with pytest.raises(ValueError, match="sparse"):
        histogram.merge_sparse(bad)
    assert histogram.count == 0


def test_edges() -> None:
    histogram = Histogram()
    assert histogram.percentiles([50, 99]) == [0.0, 0.0]
    histogram.add_many([])
    histogram.add(0.0)
    histogram.add(1e12)
    assert histogram.sparse() == {0: 1, BUCKETS - 1: 1}
    assert histogram.max_ms == 1e12
    assert histogram.percentile(50) == LOWEST_MS
    histogram.clear()
    assert (histogram.count, histogram.max_ms, histogram.sparse()) == (0, 0.0, {})


def test_the_same_value_many_times() -> None:
    histogram = Histogram()
    histogram.add(120.0, times=1000)
    assert histogram.count == 1000
    assert histogram.percentile(99) <= histogram.max_ms == 120.0
