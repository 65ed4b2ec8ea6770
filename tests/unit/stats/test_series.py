"""The per-second series: bounded, one value a second, gaps are 0."""

from hypothesis import given
from hypothesis import strategies as st

from engine.stats.series import SecondSeries


def test_values_land_in_their_second_and_gaps_are_zero() -> None:
    series = SecondSeries(10)
    series.add(5.2, 1)
    series.add(5.9, 2)
    series.put(8.0, 7)
    series.raise_to(8.5, 3)
    series.raise_to(8.6, 9)
    assert (series.start_s, series.values) == (5, (3.0, 0.0, 0.0, 9.0))


def test_old_seconds_are_forgotten_and_late_values_for_them_are_dropped() -> None:
    series = SecondSeries(3)
    for second in range(6):
        series.put(second, second)
    series.put(1, 99)
    assert (series.start_s, series.values) == (3, (3.0, 4.0, 5.0))


def test_a_long_silence_keeps_the_bound() -> None:
    series = SecondSeries(3)
    series.put(0, 1)
    series.put(1_000_000, 2)
    assert (series.start_s, series.values) == (999_998, (0.0, 0.0, 2.0))


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(1, 9)), max_size=60))
def test_it_agrees_with_a_plain_dictionary(writes: list[tuple[float, int]]) -> None:
    series = SecondSeries(100)
    writes.sort()
    expected: dict[int, float] = {}
    for at_s, value in writes:
        series.add(at_s, value)
        expected[int(at_s)] = expected.get(int(at_s), 0.0) + value
    kept = {series.start_s + i: v for i, v in enumerate(series.values) if v}
    assert kept == expected
