"""The plan: stages one after another, the last one holds, the operator's hand overrides."""

from typing import Any

import pytest

from engine.assault import executors
from engine.assault.plan import Plan
from engine.protocol.errors import UserError
from engine.protocol.registry import scan
from engine.protocol.scenario import Stage


def _plan(*stages: Stage, players_max: int = 10_000) -> Plan:
    return Plan(stages, scan(executors, "EXECUTOR"), players_max)


def test_one_ramp_then_hold() -> None:
    plan = _plan(Stage("ramping-players", 1000, 10.0))
    assert [plan.players(t) for t in (0, 2.5, 5, 9.999, 10, 500)] == [0, 250, 500, 1000, 1000, 1000]
    assert plan.describe(0) == "ramp to 1000, 10s left"
    assert plan.describe(7.5) == "ramp to 1000, 3s left"
    assert plan.describe(10) == plan.describe(99) == "hold"
    assert plan.settled_s == 10
    assert plan.players_most == 1000


def test_stages_begin_where_the_last_one_ended() -> None:
    plan = _plan(
        Stage("constant-players", 100, 10.0),
        Stage("ramping-players", 300, 20.0),
        Stage("ramping-players", 0, 10.0),
        Stage("manual", 50, 0.0),
        Stage("constant-players", 9000, 10.0),
    )
    assert [plan.players(t) for t in (0, 10, 20, 30, 35, 40, 4000)] == [
        100,
        100,
        200,
        300,
        150,
        50,
        50,
    ]
    assert plan.describe(3.2) == "hold 100, 7s left"
    assert plan.describe(41) == "manual"


def test_a_ramp_of_no_time_is_a_step() -> None:
    assert _plan(Stage("ramping-players", 70, 0.0)).players(0.0) == 70


def test_the_ceiling_holds_for_stages_and_for_the_hand() -> None:
    plan = _plan(Stage("constant-players", 500, 0.0), players_max=200)
    assert plan.players(1) == plan.players_most == 200
    plan.take_by_hand(900)
    assert plan.players(1) == 200


def test_by_hand_the_stages_are_suspended() -> None:
    plan = _plan(Stage("ramping-players", 1000, 10.0))
    plan.take_by_hand(42)
    assert plan.players(5) == plan.players(50) == 42
    assert plan.describe(5) == "manual"


def test_without_stages_the_operator_decides() -> None:
    plan = _plan()
    assert (plan.players(100), plan.players_most, plan.describe(0)) == (0, 0, "manual")
    plan.take_by_hand(5)
    assert plan.players(0) == 5


def test_an_unknown_shape_is_refused() -> None:
    wrong: Any = "ramping-player"
    with pytest.raises(UserError, match="did you mean 'ramping-players'"):
        _plan(Stage(wrong, 1, 1.0))
