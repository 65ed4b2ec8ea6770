"""The schedule: an open model whose due times nothing but the rate moves."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.assault.schedule import Schedule


def _drain(schedule: Schedule, until_s: float) -> list[tuple[float, int]]:
    found = []
    while (due := schedule.pop(until_s)) is not None:
        found.append(due)
    return found


def test_due_times_are_phase_plus_k_over_rate() -> None:
    schedule = Schedule(4.0)
    schedule.start(3, 100.0, 0.5)
    assert _drain(schedule, 101.0) == [(100.125, 3), (100.375, 3), (100.625, 3), (100.875, 3)]
    assert schedule.next_due_s() == 101.125


def test_a_loop_that_stood_still_still_serves_every_due_time() -> None:
    schedule = Schedule(10.0)
    schedule.start(1, 0.0, 0.0)
    assert schedule.pop(0.0) == (0.0, 1)
    late = _drain(schedule, 3.05)
    assert len(late) == 30
    assert late[0][0] == pytest.approx(0.1)


def test_a_stopped_player_is_never_due_again() -> None:
    schedule = Schedule(1.0)
    schedule.start(1, 0.0, 0.1)
    schedule.start(2, 0.0, 0.2)
    schedule.stop(1)
    assert 1 not in schedule
    assert [player for _, player in _drain(schedule, 5.0)] == [2] * 5
    schedule.stop(2)
    assert schedule.next_due_s() is None
    assert len(schedule) == 0


@given(
    st.floats(0.1, 50),
    st.floats(0.1, 50),
    st.lists(st.floats(0, 0.999), min_size=1, max_size=30),
    st.floats(0, 5),
)
def test_a_new_rate_holds_within_its_own_interval(
    old: float, new: float, phases: list[float], change_s: float
) -> None:
    schedule = Schedule(old)
    for player, phase in enumerate(phases):
        schedule.start(player, 0.0, phase)
    _drain(schedule, change_s)
    schedule.set_rate(new, change_s)
    due = _drain(schedule, change_s + 10 / new + 1e-6)
    for player in range(len(phases)):
        own = [due_s for due_s, n in due if n == player]
        assert own[0] <= change_s + 1 / new + 1e-6
        assert len(own) in {10, 11}
        assert all(b - a == pytest.approx(1 / new) for a, b in itertools.pairwise(own))


def test_a_faster_rate_keeps_what_was_already_late() -> None:
    schedule = Schedule(1.0)
    schedule.start(1, 0.0, 0.5)
    schedule.set_rate(10.0, 2.0)
    assert schedule.pop(2.0) == (0.5, 1)


def test_rate_zero_pauses_and_phases_survive_it() -> None:
    schedule = Schedule(1.0)
    schedule.start(1, 0.0, 0.25)
    schedule.start(2, 0.0, 0.75)
    schedule.set_rate(0.0, 0.1)
    assert schedule.next_due_s() is None
    assert len(schedule) == 2
    schedule.start(3, 5.0, 0.5)
    schedule.set_rate(2.0, 10.0)
    due = _drain(schedule, 10.5)
    assert [player for _, player in due] == [1, 3, 2]
    assert [due_s for due_s, _ in due] == pytest.approx([10.075, 10.25, 10.325])
