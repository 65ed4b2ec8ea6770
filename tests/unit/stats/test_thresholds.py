"""Thresholds: parsed with a clear word for every mistake, judged by the summary's numbers."""

from typing import Any

import pytest

from engine.protocol.errors import UserError
from engine.stats.thresholds import check_threshold, evaluate, metrics, parse_threshold

SUMMARY: dict[str, Any] = {
    "players": {"lost": 0},
    "commands": {"unanswered": 3, "errors": {"refused": 2}},
    "latency_ms": {
        "count": 10,
        "p99": 143.25,
        "by_command": {"move": {"count": 0, "p99": 0.0}, "say": {"count": 1, "p99": 2.0}},
    },
    "tick": {"count": 0, "overruns": 0, "ms": {"p99": 0.0}},
    "violations": {"by_policy": {"speed": 4}},
    "generator": {"saturated": False, "saturated_at_s": None},
}


@pytest.mark.parametrize(
    ("expression", "held", "found"),
    [
        ("latency_ms.p99 < 150", True, 143.25),
        ("latency_ms.p99<143.25", False, 143.25),
        ("  latency_ms.p99  <=  143.25 ", True, 143.25),
        ("latency_ms.p99 > 1e2", True, 143.25),
        ("commands.unanswered == 0", False, 3),
        ("commands.unanswered != 0", True, 3),
        ("commands.unanswered>=3", True, 3),
        ("commands.errors.refused == 2", True, 2),
        ("commands.errors.timeout == 0", True, 0),
        ("violations.by_policy.gold_conservation == 0", True, 0),
        ("violations.by_policy.speed == 0", False, 4),
        ("generator.saturated == 0", True, 0),
        ("latency_ms.by_command.say.p99 < 3", True, 2),
    ],
)
def test_judged(expression: str, held: bool, found: float) -> None:
    outcome = evaluate(parse_threshold(expression), SUMMARY)
    assert (outcome.held, outcome.found) == (held, found)
    assert f"found {found:g}" in outcome.text


@pytest.mark.parametrize(
    "expression",
    [
        "console.cpu_pct < 100",
        "latency_ms.by_command.move.p99 < 100",
        "latency_ms.by_command.dance.p99 < 100",
        "tick.ms.p99 < 100",
        "tick.phases_ms_p95.hash < 100",
        "generator.saturated_at_s > 0",
        "events.stored >= 0",
    ],
)
def test_what_was_not_measured_has_not_held(expression: str) -> None:
    outcome = evaluate(parse_threshold(expression), SUMMARY)
    assert (outcome.held, outcome.found) == (False, None)
    assert "not measured" in outcome.text


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "allowed: 'METRIC OPERATOR NUMBER'"),
        ("latency_ms.p99", "allowed: 'METRIC OPERATOR NUMBER'"),
        ("latency_ms.p99 < fast", "one of < <="),
        ("latency_ms.p99 = 5", "one of < <="),
        ("latency_ms.p99 < nan", "one of < <="),
        ("latency_ms.p99 <", "one of < <="),
        ("latency_ms.p98 < 5", "no number 'latency_ms.p98'; did you mean 'latency_ms.p9"),
        ("latency_ms < 5", "no number 'latency_ms'"),
        ("run == 5", "no number 'run'"),
        ("\x1b[31m < 5", "no number"),
    ],
)
def test_mistakes_are_told(expression: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_threshold(expression)
    assert says in caught.value.message
    assert caught.value.message.startswith("--threshold")
    assert caught.value.message.isprintable()


def test_a_scenario_names_the_field() -> None:
    with pytest.raises(UserError, match=r"^thresholds\.tick\.overruns: found 'few'"):
        check_threshold("tick.overruns", "few")


def test_every_metric_can_be_asked_for() -> None:
    for metric in metrics():
        assert check_threshold(metric.replace("*", "name"), "< 1").limit == 1
