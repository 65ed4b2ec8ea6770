from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.faults.registry import all_faults
from engine.hub.fold import Fold
from engine.hub.plan import first_state
from engine.hub.state import Armed, HubState
from engine.protocol.command import Scope
from engine.protocol.feed import Snapshot
from engine.protocol.limits import (
    EVENTS_PER_SNAPSHOT_MAX,
    EVENTS_RING_MAX,
    FAULTS_KEPT_MAX,
    HEATMAP_SIDE,
    SATURATED_CONSECUTIVE_S,
    SERIES_SECONDS_MAX,
    VIOLATION_TAIL_MAX,
)
from engine.report.summary import build_summary
from engine.stats.histogram import bucket_of
from tests.unit.hub.fakes import event_batch, run_spec, squad_report, tick_row, world_report


@pytest.fixture
def state(tmp_path: Path) -> HubState:
    return first_state(run_spec(tmp_path), tuple(f.spec for f in all_faults().values()))


def _fold(warm_up_s: float = 0.0) -> Fold:
    fold = Fold("r", 7, warm_up_s, "/c")
    fold.begin()
    return fold


def _snapshot(fold: Fold, state: HubState) -> Snapshot:
    return fold.snapshot(state, "running", 1.0, ())


def _fault(at_s: float, fault_id: str = "f1", cleared_at_s: float | None = None) -> Armed:
    return Armed(
        fault_id,
        "disconnect-storm",
        Scope(),
        {},
        5.0,
        0.0,
        1,
        at_s,
        True,
        "players",
        cleared_at_s,
        "",
    )


def test_counters_never_go_back_when_a_squad_starts_again(state: HubState) -> None:
    fold = _fold()
    fold.take_squad(
        squad_report(0, due=100, connected=10, errors={"reset": 2}, cpu_s=4.0), at_s=1.0
    )
    fold.take_squad(squad_report(1, due=50, connected=9), at_s=1.0)
    fold.tally.gone(0)
    assert _snapshot(fold, state).commands.due == 150
    assert _snapshot(fold, state).players.connected == 9
    fold.take_squad(squad_report(0, pid=999, due=7, connected=3, errors={"reset": 1}), at_s=2.0)
    view = _snapshot(fold, state)
    assert (view.commands.due, view.commands.errors, view.players.lost) == (157, 3, 10)
    assert fold.tally.cpu_s() == 4.0


def test_a_new_process_is_noticed_even_when_the_old_ones_end_was_not(state: HubState) -> None:
    fold = _fold()
    fold.take_squad(squad_report(0, pid=1, due=100), at_s=1.0)
    fold.take_squad(squad_report(0, pid=2, due=1), at_s=1.5)
    assert _snapshot(fold, state).commands.due == 101


def test_the_warm_up_is_not_measured() -> None:
    fold = Fold("r", 7, 1.0, "/c")
    fold.take_world(world_report(5), 0.0)
    fold.begin()
    rows = tuple(tick_row(tick, 100.0 + tick, overrun=True) for tick in range(6, 16))
    fold.take_world(world_report(15, rows, skipped=3), 1.0)
    rows = tuple(tick_row(tick, 5.0, overrun=tick == 20) for tick in range(16, 36))
    fold.take_world(world_report(35, rows, skipped=5), 3.0)
    fold.take_squad(squad_report(latency_uncorrected={bucket_of(900.0): 5}), 0.5)
    fold.take_squad(squad_report(latency_uncorrected={bucket_of(9.0): 1}), 1.5)
    fold.world_is(1, 0, 0, 0.0)
    figures = fold.figures(3.0, (), planned=False)
    tick = figures.tick
    assert tick is not None
    assert (tick.count, tick.overruns, tick.overruns_warm_up, tick.skipped) == (20, 1, 10, 2)
    assert tick.ms.max == 5.0
    assert figures.latency_uncorrected.count == 1


def test_a_world_that_starts_again_adds_up() -> None:
    fold = _fold()
    fold.take_world(world_report(5, skipped=4), 1.0)
    fold.world_gone(1.0)
    fold.take_world(world_report(9, skipped=1), 2.0)
    assert fold.ticks.skipped == 5


def test_what_comes_after_the_end_is_no_part_of_the_figures() -> None:
    fold = _fold()
    fold.world_is(1, 0, 0, 0.0)
    fold.take_squad(squad_report(target=5, connected=5), 1.0)
    fold.take_world(world_report(9), 1.0)
    fold.close(2.0)
    fold.take_squad(squad_report(target=0, connected=0, acknowledged=9), 2.5)
    fold.take_world(world_report(30, (tick_row(30, 500.0, overrun=True),)), 2.5)
    figures = fold.figures(9.0, (), planned=False)
    assert figures.duration_s == 2.0
    assert figures.players.connected_end == 5
    assert figures.commands.acknowledged == 9
    assert figures.tick is not None
    assert figures.tick.overruns == 0


def test_the_tail_prefers_what_happened_to_who_walked(state: HubState) -> None:
    fold = _fold()
    walks: list[dict[str, Any]] = [{"kind": "moved", "stream": 1}] * 100
    fold.take_events(event_batch(1, 1, [*walks, {"kind": "died", "stream": 2}, *walks]))
    fold.take_events(event_batch(2, 202, [{"kind": "looted", "stream": 3}]))
    events = _snapshot(fold, state).events
    assert len(events.tail) == EVENTS_PER_SNAPSHOT_MAX
    assert {"died", "looted"} <= {event.kind for event in events.tail}
    assert [event.seq for event in events.tail] == sorted(event.seq for event in events.tail)
    assert events.left_out == 202 - EVENTS_PER_SNAPSHOT_MAX
    assert events.stored == 202
    assert _snapshot(fold, state).events.tail == ()


def test_a_flood_of_events_leaves_the_newest(state: HubState) -> None:
    fold = _fold()
    fold.take_events(event_batch(1, 1, [{"kind": "died", "stream": 2}] * 500))
    events = _snapshot(fold, state).events
    assert [event.seq for event in events.tail] == list(range(441, 501))
    assert events.left_out == 440


def test_the_ring_of_events_is_bounded(state: HubState) -> None:
    fold = _fold()
    many: list[dict[str, Any]] = [{"kind": "moved"}] * (EVENTS_RING_MAX // 4)
    for tick in range(6):
        fold.take_events(event_batch(tick, 1 + tick * len(many), many))
    assert sum(len(batch.rows) for batch in fold.log.ring) <= EVENTS_RING_MAX
    events = _snapshot(fold, state).events
    assert len(events.tail) + events.left_out == 6 * len(many)


def test_violations_by_policy_with_the_critical_ones_told(state: HubState) -> None:
    fold = _fold()
    batch = event_batch(
        3,
        1,
        [
            {"kind": "denied", "actor": 9, "text": "reach: 7 tiles away"},
            {"kind": "denied", "actor": 9, "text": "reach: 8 tiles away"},
            {"kind": "moved", "actor": 4, "text": "speed: cut short"},
            {"kind": "invariant_broken", "text": "gold_conservation: 7 too many"},
            {"kind": "moved", "actor": 4},
        ],
    )
    remarks = fold.take_events(batch)
    assert [(remark.kind, remark.bad) for remark in remarks] == [("violation", True)]
    view = _snapshot(fold, state).violations
    assert (view.total, view.critical) == (4, 1)
    assert view.by_policy == {"reach": 2, "speed": 1, "gold_conservation": 1}
    assert fold.log.broken == {"gold_conservation": 1}
    assert (view.tail[0].policy, view.tail[0].reason) == ("reach", "7 tiles away")
    for tick in range(3):
        more: list[dict[str, Any]] = [{"kind": "denied", "text": f"p{n}: x"} for n in range(100)]
        fold.take_events(event_batch(tick, 10 + 100 * tick, more))
    view = _snapshot(fold, state).violations
    assert len(view.tail) == VIOLATION_TAIL_MAX
    assert sum(view.by_policy.values()) == view.total == 304


def test_the_series_has_a_value_a_second_and_a_bound(state: HubState) -> None:
    fold = _fold()
    for second in range(SERIES_SECONDS_MAX + 5):
        fold.take_squad(
            squad_report(acknowledged=10 * (second + 1), latency_now={bucket_of(50.0): 10}),
            second + 0.5,
        )
        fold.close_second(second)
    series = _snapshot(fold, state).series
    assert series.start_s == 5
    assert len(series.players) == SERIES_SECONDS_MAX
    assert set(series.commands_per_s) == {10.0}
    assert series.latency_ms_p99[-1] == pytest.approx(50.0, rel=0.01)


def test_latency_is_of_the_last_seconds_and_of_the_run(state: HubState) -> None:
    fold = _fold()
    fold.take_squad(squad_report(latency_now={bucket_of(900.0): 1}), 0.5)
    for second in range(10):
        fold.close_second(second)
    fold.take_squad(squad_report(latency_now={bucket_of(50.0): 9}), 10.5)
    view = _snapshot(fold, state)
    assert (view.latency_ms.count, view.latency_total_ms.count) == (9, 10)
    assert view.latency_ms.max == pytest.approx(50.0, rel=0.01)


def _late(fold: Fold, second: int, late_ms: float) -> list[str]:
    fold.take_squad(squad_report(lateness={bucket_of(late_ms): 100}), second + 0.5)
    return [remark.kind for remark in fold.close_second(second)[1]]


def test_saturated_takes_consecutive_seconds(state: HubState) -> None:
    fold = _fold()
    kinds: list[str] = []
    for second, late_ms in enumerate([50, 50, 1, 50, 50]):
        kinds += _late(fold, second, late_ms)
    assert kinds == []
    assert not _snapshot(fold, state).generator.saturated
    assert _late(fold, 5, 50) == ["saturated"]
    assert _late(fold, 6, 50) == []
    summary = fold.figures(7.0, (), planned=False).generator
    assert (summary.saturated, summary.saturated_at_s) == (True, 3.0)


def test_a_generator_saturated_in_the_warm_up_alone_is_not_held_against_the_run() -> None:
    fold = _fold(warm_up_s=5.0)
    for second in range(4):
        _late(fold, second, 50)
    for second in range(4, 10):
        _late(fold, second, 1)
    assert not fold.figures(10.0, (), planned=False).generator.saturated


def test_seconds_of_the_warm_up_do_not_count_towards_saturation_after_it() -> None:
    fold = _fold(warm_up_s=2.0)
    for second in range(4):
        _late(fold, second, 50)
    assert not fold.figures(4.0, (), planned=False).generator.saturated
    _late(fold, 4, 50)
    assert fold.figures(5.0, (), planned=False).generator.saturated_at_s == 2.0


def test_a_squad_that_says_nothing_for_seconds_is_saturated() -> None:
    fold = _fold()
    _late(fold, 0, 1)
    kinds: list[str] = []
    for second in range(1, 1 + SATURATED_CONSECUTIVE_S):
        kinds += [remark.kind for remark in fold.close_second(second)[1]]
    assert kinds == ["saturated"]


def test_a_fault_from_arming_to_recovery(state: HubState) -> None:
    fold = _fold()
    fold.take_squad(squad_report(target=100, connected=100, acknowledged=10), 1.0)
    fold.armed(_fault(1.0))
    fold.take_squad(
        squad_report(
            target=100, connected=70, acknowledged=11, planned={"f1": 30}, affected={"f1": 30}
        ),
        1.5,
    )
    fold.look(2.0)
    fold.faults.cleared(_fault(1.0, cleared_at_s=6.0))
    fold.look(7.0)
    assert _snapshot(fold, state).faults[0].recovered_at_s is None
    fold.take_squad(
        squad_report(target=100, connected=100, acknowledged=12, affected={"f1": 30}), 8.0
    )
    fold.look(9.0)
    fold.take_squad(
        squad_report(target=100, connected=100, acknowledged=13, affected={"f1": 30}), 9.0
    )
    remarks = fold.look(10.0)
    assert any("recovered" in remark.text for remark in remarks)
    view = _snapshot(fold, state).faults[0]
    assert (view.planned, view.affected, view.recovered_at_s) == (30, 30, 10.0)
    (summary,) = fold.figures(11.0, (), planned=False).faults
    assert (summary.verdict, summary.detect_s, summary.recover_s) == ("held", 1.0, 4.0)


def test_faults_that_did_not_recover_or_touched_nobody() -> None:
    fold = _fold()
    fold.take_squad(squad_report(target=10, connected=10, acknowledged=1), 1.0)
    fold.armed(_fault(1.0))
    fold.armed(_fault(1.0, "f2"))
    fold.take_squad(squad_report(target=10, connected=4, affected={"f1": 6}), 2.0)
    fold.faults.cleared(_fault(1.0, cleared_at_s=3.0))
    fold.look(4.0)
    verdicts = [fault.verdict for fault in fold.figures(9.0, (), planned=False).faults]
    assert verdicts == ["not recovered", "invalid"]


def test_the_heat_grid_counts_who_is_alive_and_here(state: HubState) -> None:
    fold = _fold()
    size = 65536 // HEATMAP_SIDE
    x = [0, 5, size, 65535, 0, 0] + [0] * 300
    columns = {
        "x": np.array(x, np.int32),
        "y": np.array([0, 5, 0, 65535, 0, 0] + [size] * 300, np.int32),
        "kind": np.array([2, 1, 2, 2, 2, 0] + [1] * 300, np.uint8),
        "alive": np.array([1, 1, 1, 1, 0, 1] + [1] * 300, np.uint8),
        "connected": np.array([1, 0, 1, 1, 1, 0] + [0] * 300, np.uint8),
    }
    fold.take_field(columns)
    view = _snapshot(fold, state)
    assert len(view.heat) == HEATMAP_SIDE * HEATMAP_SIDE
    assert (view.heat[0], view.heat[1], view.heat[-1]) == (2, 1, 1)
    assert view.heat[HEATMAP_SIDE] == 255
    assert view.world.alive == 304


def test_bad_ticks_and_a_full_store_are_told_once(state: HubState) -> None:
    fold = _fold()
    remarks = fold.take_world(
        world_report(1, stalls=("tick 1: append took 120 ms",), store_error="disk full"), 1.0
    )
    assert [remark.kind for remark in remarks] == ["slow_tick", "problem"]
    assert "disk full: ticks wait, nothing is acknowledged" in remarks[1].text
    assert _snapshot(fold, state).world.store_error == "disk full"
    assert fold.take_world(world_report(1, store_error="disk full, still"), 1.2) == []
    (trouble,) = fold.figures(9.0, (), planned=False).trouble
    assert "disk full" in trouble.text
    fold.take_world(world_report(2), 8.0)
    assert fold.figures(9.0, (), planned=False).trouble == ()


def test_a_world_that_stalls_to_the_end_makes_the_run_invalid() -> None:
    fold = _fold()
    fold.take_world(world_report(1), 1.0)
    fold.look(9.0)
    fold.close(9.0)
    (trouble,) = fold.figures(9.0, (), planned=True).trouble
    told = "the world stalled: it lived and did not tick for 8 s from 1 s on, to the end"
    assert (trouble.text, trouble.exit_code) == (told, 4)


def test_bad_ticks_are_told_once_a_second_with_their_number() -> None:
    fold = _fold()
    told = []
    for beat in range(8):
        bad = tick_row(beat, 150.0, overrun=True)
        report = world_report(beat, (bad,), stalls=(f"tick {beat}: append took 120 ms",))
        told += fold.take_world(report, beat * 0.25)
    assert [remark.text for remark in told] == [
        "1 tick overran, up to tick 0: tick 0: append took 120 ms",
        "4 ticks overran, up to tick 4: tick 4: append took 120 ms, 3 more like it",
    ]


def test_maxima_are_exact(state: HubState) -> None:
    fold = _fold()
    counts = {bucket_of(50.2): 1}
    fold.take_squad(
        squad_report(
            latency={"move": counts},
            latency_max_ms={"move": 50.2},
            latency_now=counts,
            latency_now_max_ms=50.2,
            latency_uncorrected=counts,
            latency_uncorrected_max_ms=50.2,
        ),
        1.0,
    )
    view = _snapshot(fold, state)
    assert (view.latency_ms.max, view.latency_total_ms.max) == (50.2, 50.2)
    assert fold.figures(2.0, (), planned=False).latency_uncorrected.max_ms == 50.2


def test_what_a_dead_squad_had_in_flight_is_unanswered_and_the_run_invalid() -> None:
    fold = _fold()
    fold.take_squad(squad_report(target=9, connected=9, sent=10, acknowledged=6, unanswered=1), 1.0)
    fold.tally.gone(0)
    figures = fold.figures(2.0, (), planned=False)
    assert figures.commands.sent == figures.commands.acknowledged + figures.commands.unanswered
    assert figures.squads_lost == 1
    summary = build_summary(figures, ())
    assert (summary.verdict, summary.exit_code) == ("invalid", 4)


def test_faults_remembered_are_bounded_and_armed_ones_stay(state: HubState) -> None:
    fold = _fold()
    fold.armed(_fault(0.0, "f0"))
    for number in range(1, FAULTS_KEPT_MAX + 20):
        name = f"f{number}"
        fold.armed(_fault(1.0, name))
        fold.take_squad(squad_report(planned={name: 1}, affected={name: 1}), 1.0)
        fold.faults.cleared(_fault(1.0, name, cleared_at_s=2.0))
        fold.look(number)
    kept = [fault.id for fault in fold.figures(9.0, (), planned=False).faults]
    assert len(kept) == FAULTS_KEPT_MAX
    assert (kept[0], kept[-1]) == ("f0", f"f{FAULTS_KEPT_MAX + 19}")
    assert len(fold.tally._planned) <= FAULTS_KEPT_MAX
