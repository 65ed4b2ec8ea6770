"""The ticker's decisions, with a clock that is only a number."""

import pytest

from engine.protocol.limits import TICKS_CATCH_UP_MAX
from engine.server.schedule import FAN_OUT_SLICES, Schedule

INTERVAL_S = 0.1


def test_a_tick_that_ends_in_time_is_no_overrun():
    schedule = Schedule(INTERVAL_S, first_due_s=5.0)
    assert schedule.begin(5.0).late_s == 0.0
    assert not schedule.end(5.09)
    assert schedule.due_s == pytest.approx(5.1)


def test_a_tick_that_ends_after_the_next_was_due_is_an_overrun_and_the_next_is_due_at_once():
    schedule = Schedule(INTERVAL_S, first_due_s=5.0)
    schedule.begin(5.0)
    assert schedule.end(5.11)
    assert schedule.due_s < 5.11


def test_a_tick_that_began_late_but_ended_in_time_is_no_overrun():
    schedule = Schedule(INTERVAL_S, first_due_s=5.0)
    assert schedule.begin(5.06).late_s == pytest.approx(0.06)
    assert not schedule.end(5.08)


def test_late_ticks_up_to_the_bound_are_all_caught_up():
    schedule = Schedule(INTERVAL_S, first_due_s=0.0)
    now_s = TICKS_CATCH_UP_MAX * INTERVAL_S + 0.001
    ran = 0
    while schedule.due_s <= now_s:
        assert schedule.begin(now_s).skipped == 0
        schedule.end(now_s)
        ran += 1
    assert ran == TICKS_CATCH_UP_MAX + 1
    assert now_s < schedule.due_s <= now_s + INTERVAL_S


def test_more_late_ticks_than_the_bound_are_skipped_and_told():
    schedule = Schedule(INTERVAL_S, first_due_s=0.0)
    begin = schedule.begin(2.55)
    assert begin.skipped == 25 - TICKS_CATCH_UP_MAX
    assert begin.late_s == pytest.approx(TICKS_CATCH_UP_MAX * INTERVAL_S + 0.05)


def test_being_early_is_not_being_late():
    schedule = Schedule(INTERVAL_S, first_due_s=5.0)
    begin = schedule.begin(4.9995)
    assert (begin.late_s, begin.skipped) == (0.0, 0)


def test_every_slice_is_due_before_the_next_tick():
    schedule = Schedule(INTERVAL_S, first_due_s=5.0)
    due = [schedule.slice_due_s(index) for index in range(FAN_OUT_SLICES)]
    assert due[0] == 5.0
    assert due == sorted(due)
    assert due[-1] < schedule.next_due_s - 0.02
