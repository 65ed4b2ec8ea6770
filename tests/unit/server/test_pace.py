"""The rule by which quiet players get fewer updates under load."""

from engine.protocol.limits import UPDATE_STRIDE_MAX
from engine.server.pace import Pace


def _observe(pace: Pace, fan_out_ms: float, ticks: int, cut: bool = False) -> None:
    for _ in range(ticks):
        pace.observe(fan_out_ms, cut)


def test_light_fan_out_leaves_everyone_every_tick():
    pace = Pace(100)
    _observe(pace, 20, 100)
    assert all(pace.is_turn(number, tick) for number in range(5) for tick in range(5))


def test_one_slow_tick_changes_nothing():
    pace = Pace(100)
    _observe(pace, 90, 1)
    _observe(pace, 20, 1)
    _observe(pace, 90, 1)
    assert pace.stride == 1


def test_fan_out_that_does_not_fit_lengthens_the_stride_up_to_its_bound():
    pace = Pace(100)
    _observe(pace, 80, 3)
    assert pace.stride == 2
    _observe(pace, 80, 100)
    assert pace.stride == UPDATE_STRIDE_MAX


def test_fan_out_cut_short_counts_as_too_much():
    pace = Pace(100)
    _observe(pace, 1, 3, cut=True)
    assert pace.stride == 2


def test_every_player_gets_its_turn_once_a_stride():
    pace = Pace(100)
    _observe(pace, 80, 6)
    assert pace.stride == 3
    for number in range(10):
        assert sum(pace.is_turn(number, tick) for tick in range(30)) == 10


def test_the_stride_shortens_only_when_the_faster_pace_would_fit():
    pace = Pace(100)
    _observe(pace, 80, 3)
    assert pace.stride == 2
    _observe(pace, 30, 200)  # 60 ms at stride 1 would not fit
    assert pace.stride == 2
    _observe(pace, 10, 30)
    assert pace.stride == 1
