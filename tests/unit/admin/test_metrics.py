"""The text that Prometheus reads."""

import re

from engine.admin.metrics import metrics_text
from engine.admin.service import Health
from engine.protocol.feed import (
    CommandsView,
    FaultView,
    Snapshot,
    TickView,
    ViolationsView,
)

SAMPLE = re.compile(r'[a-z_0-9]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? -?[0-9.e+-]+')


def _text() -> str:
    snapshot = Snapshot(
        "r",
        commands=CommandsView(
            due=12_345_688,
            sent=12_345_687,
            acknowledged=12_345_678,
            denied=30,
            mutated=4,
            unanswered=2,
            missed=1,
            errors=9,
            errors_by_kind={"closed": 3, 'bye:"slow"\\\n': 6},
        ),
        tick=TickView(tick=5, ms_p50=1.5, phases_ms_p95={"govern": 0.25, "append": 2.0}),
        violations=ViolationsView(total=3, by_policy={'a"b\\c\nd': 2, "speed": 1}),
        faults=(
            FaultView("f1", "kill", "world", 1.0, 5.0),
            FaultView("f2", "kill", "world", 1.0, 5.0, cleared_at_s=3.0),
            FaultView("f3", "latency", "all", 1.0, 5.0, cleared_at_s=3.0),
        ),
    )
    return metrics_text(Health("running", "r", 7, 9, 0), snapshot)


def test_every_line_is_a_comment_or_a_sample():
    text = _text()
    assert text.endswith("\n")
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line


def test_each_figure_has_one_help_and_one_type_before_its_samples():
    seen: set[str] = set()
    current = ""
    for line in _text().splitlines():
        if line.startswith("# HELP "):
            current = line.split()[2]
            assert current not in seen
            seen.add(current)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == current
            assert line.endswith("counter") == current.endswith("_total")
        else:
            assert re.split(r"[{ ]", line)[0] == current


def test_figures():
    lines = _text().splitlines()
    assert 'seedstorm_commands_total{outcome="permitted"} 12345644' in lines
    assert 'seedstorm_commands_total{outcome="mutated"} 4' in lines
    assert 'seedstorm_commands_total{outcome="denied"} 30' in lines
    assert 'seedstorm_commands_total{outcome="missed"} 1' in lines
    assert 'seedstorm_errors_total{kind="closed"} 3' in lines
    assert 'seedstorm_errors_total{kind="bye:\\"slow\\"\\\\\\n"} 6' in lines
    assert 'seedstorm_tick_phase_ms_p95{phase="append"} 2' in lines
    assert 'seedstorm_violations_total{policy="a\\"b\\\\c\\nd"} 2' in lines
    assert 'seedstorm_faults_armed{fault="kill"} 1' in lines
    assert 'seedstorm_faults_armed{fault="latency"} 0' in lines
    assert "seedstorm_world_up 0" in lines
    assert "seedstorm_tick 7" in lines


def test_a_command_has_one_outcome_at_most():
    """Prometheus adds the samples of a family up: what is due, less what is in flight."""
    outcomes = [line for line in _text().splitlines() if line.startswith("seedstorm_commands_tot")]
    assert sum(float(line.rpartition(" ")[2]) for line in outcomes) == 12_345_678 + 2 + 1
