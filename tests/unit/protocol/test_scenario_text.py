import tomllib

from engine.protocol.policy import PolicyChange, PolicyScope
from engine.protocol.scenario import FaultStep, PolicyStep, Scenario, Stage, Target
from engine.protocol.scenario_file import Known, parse_scenario
from engine.protocol.scenario_text import scenario_toml

KNOWN = Known(
    behaviours=("wanderer", "trader"),
    faults=("disconnect-storm",),
    check_fault=lambda *_: None,
    check_threshold=lambda *_: None,
    policies=("speed", "reach"),
)


def test_a_scenario_reads_back_as_it_was() -> None:
    scenario = Scenario(
        name='market "day"',
        seed=11,
        warm_up_s=2.5,
        players=30,
        mix={"wanderer": 2.0, "trader": 0.5},
        npcs=7,
        stages=(Stage("ramping-players", 30, 4.0), Stage("constant-players", 30, 60.0)),
        faults=(
            FaultStep("disconnect-storm", 5.0, 6.0, 1.0, {"players_pct": 30.0}, {"how": "fin"}),
            FaultStep("disconnect-storm", 9.0, 6.0, 0.0, {"ids": (1, 2)}, {}),
        ),
        policies=(
            PolicyStep(PolicyChange("speed", enabled=False, priority=3)),
            PolicyStep(
                PolicyChange(
                    "dragons",
                    params={"words": 'a "b"', "n": 4},
                    scope=PolicyScope((1, 2), ("attack",), (100_007,), ("player",)),
                ),
                "/my/dragons.py",
            ),
        ),
        thresholds={"latency_ms.p99": "< 150"},
    )
    again = parse_scenario(scenario_toml(scenario), "here", KNOWN)
    for name in ("name", "seed", "warm_up_s", "players", "mix", "npcs", "stages", "thresholds"):
        assert getattr(again, name) == getattr(scenario, name), name
    assert [step.name for step in again.faults] == ["disconnect-storm", "disconnect-storm"]
    assert again.faults[0].params == {"how": "fin"}


def test_hostile_text_stays_text() -> None:
    text = scenario_toml(Scenario(name="a\n[target]\x7f", target=Target(url="ws://h/\"'")))
    found = tomllib.loads(text)
    assert found["name"] == "a\n[target]\x7f"
    assert found["target"]["url"] == "ws://h/\"'"
