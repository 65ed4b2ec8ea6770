"""latency: delays within their bounds, spread and correlated as they are asked for."""

import statistics

import pytest

from engine.faults.base import Way
from engine.faults.latency import FAULT
from engine.protocol.child import SquadFault
from engine.protocol.command import ParamValue, Scope
from tests.unit.faults.test_base import crowd


def _order(ramp_s: float = 0.0, pct: float = 50, **params: ParamValue) -> SquadFault:
    return SquadFault("f", "latency", Scope(players_pct=pct), params, ramp_s, 9, 60.0)


def _delays(way: Way = "in", count: int = 4000, **params: ParamValue) -> list[float]:
    half = FAULT.arm(_order(pct=100, **params), crowd(1), 0.0)
    half.step(0.0)
    return [half.delay_s(0, way) for _ in range(count)]


def _leaning(values: list[float]) -> float:
    return statistics.correlation(values[:-1], values[1:])


def test_half_of_the_players_at_once_by_default() -> None:
    half = FAULT.arm(_order(), crowd(100), 10.0)
    assert half.slowed == set()
    assert list(half.step(10.0)) == []
    assert (half.planned, len(half.slowed)) == (50, 50)


def test_a_ramp_takes_its_time() -> None:
    half = FAULT.arm(_order(10.0), crowd(1000), 100.0)
    counts = []
    for second in range(11):
        half.step(100.0 + second)
        counts.append(len(half.slowed))
    assert counts == [pytest.approx(50 * second, abs=2) for second in range(11)]


def test_delays_are_even_around_the_middle() -> None:
    delays = _delays(ms=100.0, jitter_ms=30.0, correlation=0.0)
    assert all(0.07 <= delay <= 0.13 for delay in delays)
    assert statistics.mean(delays) == pytest.approx(0.1, abs=0.002)
    assert min(delays) < 0.072
    assert max(delays) > 0.128
    assert abs(_leaning(delays)) < 0.1


def test_no_jitter_is_no_jitter() -> None:
    assert set(_delays(ms=50.0, jitter_ms=0.0, count=20)) == {0.05}


def test_a_delay_is_never_negative() -> None:
    assert min(_delays(ms=1.0, jitter_ms=500.0)) == 0.0


def test_correlated_delays_lean_on_the_one_before() -> None:
    # x(n) = c x(n-1) + (1-c) u has a correlation of c from one to the next.
    assert _leaning(_delays(jitter_ms=50.0, correlation=0.6)) == pytest.approx(0.6, abs=0.05)
    assert len(set(_delays(jitter_ms=50.0, correlation=1.0, count=50))) == 1


def test_the_ways_and_the_players_differ() -> None:
    assert _delays("in", 5) != _delays("out", 5)
    half = FAULT.arm(_order(pct=100), crowd(2), 0.0)
    assert half.delay_s(0, "in") != half.delay_s(1, "in")
