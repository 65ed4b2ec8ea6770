"""What every load shape in the folder promises."""

import math

import pytest

from engine.assault import executors
from engine.assault.executors.base import Executor
from engine.protocol.registry import scan
from engine.protocol.scenario import EXECUTORS, Stage

SHAPES = scan(executors, "EXECUTOR")


def test_the_folder_and_the_scenarios_names_are_the_same() -> None:
    assert set(SHAPES) == set(EXECUTORS)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("over_s", [0.0, 0.5, 30.0])
@pytest.mark.parametrize(("start", "to"), [(0, 1000), (1000, 0), (5, 5), (0, 100_000)])
def test_players_stay_between_the_ends_and_end_at_the_goal(
    name: str, over_s: float, start: int, to: int
) -> None:
    shape: Executor = SHAPES[name]
    stage = Stage(name, to, over_s)  # type: ignore[arg-type]  # every name of the folder is one
    lasts_s = shape.lasts_s(stage)
    assert lasts_s >= 0
    end_s = lasts_s if math.isfinite(lasts_s) else 1e6
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        players = shape.players(stage, start, share * end_s)
        assert isinstance(players, int)
        assert min(start, to) <= players <= max(start, to)
        text = shape.describe(stage, share * end_s)
        assert 0 < len(text) <= 40
        assert text.isprintable()
    assert shape.players(stage, start, end_s) == to


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_moment_is_the_same_number(name: str) -> None:
    shape: Executor = SHAPES[name]
    stage = Stage(name, 77, 10.0)  # type: ignore[arg-type]  # every name of the folder is one
    assert [shape.players(stage, 3, t / 10) for t in range(100)] == [
        shape.players(stage, 3, t / 10) for t in range(100)
    ]
