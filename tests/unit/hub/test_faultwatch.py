"""What is known of a fault: at the server, and by latency alone."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.hub.faultwatch import FaultWatch
from engine.hub.state import Armed
from engine.hub.tally import Tally
from engine.protocol.command import Scope
from engine.protocol.feed import FaultView
from engine.protocol.limits import FAULTS_SHOWN_MAX
from engine.protocol.phases import PhasesTold
from tests.unit.hub.fakes import squad_report


def _armed(name: str, side: Any, at_s: float, hold_s: float = 5.0) -> Armed:
    return Armed("f1", name, Scope(), {}, hold_s, 0.0, 1, at_s, True, side)


class _Run:
    """A hundred players, a fault watch and a clock."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.watch = FaultWatch()
        self.acknowledged = 0
        self.now(connected=100)

    def now(self, connected: int, lost: int = 0, affected: int = 0) -> None:
        self.acknowledged += 1
        self.tally.take(
            squad_report(
                target=100,
                connected=connected,
                lost=lost,
                acknowledged=self.acknowledged,
                planned={"f1": 50},
                affected={"f1": affected},
            )
        )

    @property
    def view(self) -> Any:
        return self.watch.views(self.tally)[0]

    @property
    def summary(self) -> Any:
        return self.watch.summaries(self.tally, saturated=False)[0]


def test_a_kill_from_the_blow_to_the_last_player() -> None:
    run = _Run()
    kill = _armed("kill", "server", 10.0, 0.0)
    run.watch.armed(kill, run.tally)
    run.watch.cleared(replace(kill, cleared_at_s=10.0, cleared_why="hold over"))
    run.watch.world_gone(10.0)
    assert run.watch.look(run.tally, 10.1) == []
    run.now(connected=0, lost=100)
    assert run.watch.look(run.tally, 10.25) == []
    assert (run.view.planned, run.view.affected, run.view.detected_at_s) == (100, 100, 10.25)
    run.watch.world_back(10.75)
    run.now(connected=40, lost=100)
    assert run.watch.look(run.tally, 11.0) == []
    for at_s in (12.0, 12.25):
        run.now(connected=100, lost=100)
        run.watch.look(run.tally, at_s)
    summary = run.summary
    assert (summary.scope, summary.verdict) == ("the world", "held")
    assert (summary.detect_s, summary.recover_s, summary.down_s) == (0.25, 2.25, 0.75)


def test_a_world_that_is_down_has_not_recovered_though_nobody_has_noticed() -> None:
    run = _Run()
    kill = _armed("kill", "server", 10.0, 0.0)
    run.watch.armed(kill, run.tally)
    run.watch.cleared(replace(kill, cleared_at_s=10.0))
    run.watch.world_gone(10.0)
    for tenth in range(1, 30):
        run.now(connected=100)
        assert run.watch.look(run.tally, 10.0 + tenth / 10) == []
    assert run.summary.verdict == "not recovered"


def test_players_lost_later_are_not_the_kills() -> None:
    run = _Run()
    kill = _armed("kill", "server", 10.0, 0.0)
    run.watch.armed(kill, run.tally)
    run.watch.cleared(replace(kill, cleared_at_s=10.0))
    for at_s in (11.0, 12.0):
        run.now(connected=100, lost=20)
        run.watch.look(run.tally, at_s)
    run.now(connected=50, lost=70)
    run.watch.look(run.tally, 20.0)
    assert (run.summary.affected, run.summary.recover_s) == (20, 2.0)


@pytest.mark.parametrize(("slow_ms", "noticed"), [(300.0, True), (120.0, False)])
def test_latency_is_noticed_and_recovered_from_by_latency(slow_ms: float, noticed: bool) -> None:
    run = _Run()
    for second in (1.0, 2.0, 3.0):
        run.watch.second(run.tally, 105.0, second)
    slow = _armed("latency", "players", 3.5)
    run.watch.armed(slow, run.tally)
    run.now(connected=100, affected=50)
    run.watch.second(run.tally, slow_ms, 4.0)
    run.watch.look(run.tally, 4.1)
    assert run.view.detected_at_s == (4.0 if noticed else None)
    run.watch.cleared(replace(slow, cleared_at_s=8.5))
    recovered = []
    for second, ms in ((9.0, slow_ms), (10.0, slow_ms), (11.0, 104.0)):
        run.now(connected=100, affected=50)
        run.watch.second(run.tally, ms, second)
        recovered += [(second, fault.id) for fault in run.watch.look(run.tally, second)]
    assert recovered == [(11.0 if noticed else 10.0, "f1")]
    assert run.summary.verdict == "held"


def test_a_silent_second_is_no_calm_one() -> None:
    run = _Run()
    run.watch.second(run.tally, 100.0, 1.0)
    slow = _armed("latency", "players", 1.5)
    run.watch.armed(slow, run.tally)
    run.now(connected=100, affected=50)
    run.watch.second(run.tally, 900.0, 2.0)
    run.watch.cleared(replace(slow, cleared_at_s=2.0))
    for second in (3.0, 4.0, 5.0):
        run.watch.second(run.tally, None, second)
        run.now(connected=100, affected=50)
        run.watch.look(run.tally, second)
    assert run.view.recovered_at_s is None


def test_an_armed_fault_is_shown_however_many_came_and_went_after_it() -> None:
    run = _Run()
    run.watch.armed(_armed("latency", "players", 1.0, 3600.0), run.tally)
    told = PhasesTold()
    for number in range(2, FAULTS_SHOWN_MAX + 20):
        at_s = float(number)
        kill = replace(_armed("kill", "server", at_s), id=f"f{number}")
        run.watch.armed(kill, run.tally)
        run.watch.cleared(replace(kill, cleared_at_s=at_s))
        run.now(connected=100)
        run.watch.look(run.tally, at_s)
        told.news(run.watch.views(run.tally))
    views = run.watch.views(run.tally)
    assert views[0].id == "f1"
    assert len(views) == FAULTS_SHOWN_MAX + 1
    run.watch.cleared(replace(_armed("latency", "players", 1.0), cleared_at_s=900.0))
    news = told.news(run.watch.views(run.tally))
    assert [(view.id, phase) for view, phase, _ in news] == [("f1", "cleared")]


def test_a_fault_that_comes_back_into_view_is_not_told_again() -> None:
    told = PhasesTold()
    armed = FaultView("f1", "latency", "everybody", 1.0, 60.0)
    assert [phase for _, phase, _ in told.news([armed])] == ["armed"]
    assert told.news([]) == []
    cleared = replace(armed, cleared_at_s=3.0, recovered_at_s=4.0)
    assert told.news([cleared]) == [(cleared, "cleared", 3.0), (cleared, "recovered", 4.0)]
    assert told.news([cleared]) == []


def test_what_harmed_nobody_is_not_recovered_from_and_spoils_no_later_fault() -> None:
    run = _Run()
    run.now(connected=0)
    idle = _armed("latency", "players", 1.0)
    run.watch.armed(idle, run.tally)
    run.watch.cleared(replace(idle, cleared_at_s=2.0))
    for at_s in (3.0, 3.25, 3.5):
        run.now(connected=100)
        assert run.watch.look(run.tally, at_s) == []
    assert (run.summary.verdict, run.summary.recover_s, run.view.recovered_at_s) == (
        "invalid",
        None,
        None,
    )
    kill = replace(_armed("kill", "server", 4.0, 0.0), id="f2")
    run.watch.armed(kill, run.tally)
    run.watch.cleared(replace(kill, cleared_at_s=4.0))
    run.watch.world_gone(4.0)
    run.watch.world_back(4.5)
    run.now(connected=40, lost=60)
    assert run.watch.look(run.tally, 5.0) == []
    run.now(connected=100, lost=60)
    run.watch.look(run.tally, 6.0)
    run.now(connected=100, lost=60)
    assert [fault.id for fault in run.watch.look(run.tally, 6.25)] == ["f2"]
