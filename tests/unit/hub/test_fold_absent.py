"""What was not there: seconds without a tick, spans without a world."""

from pathlib import Path

import apsw
import msgspec
import pytest

from engine.faults.registry import all_faults
from engine.hub.fold import Fold
from engine.hub.plan import first_state
from engine.hub.state import HubState
from engine.hub.telemetry import Telemetry
from engine.protocol.feed import OutageView, SeriesView, Snapshot
from engine.protocol.limits import OUTAGES_SHOWN_MAX
from engine.stats.histogram import bucket_of
from tests.unit.hub.fakes import run_spec, squad_report, tick_row, world_report


@pytest.fixture
def state(tmp_path: Path) -> HubState:
    return first_state(run_spec(tmp_path), tuple(f.spec for f in all_faults().values()))


def _fold() -> Fold:
    fold = Fold("r", 7, 0.0, "/c")
    fold.begin()
    return fold


def _snapshot(fold: Fold, state: HubState) -> Snapshot:
    return fold.snapshot(state, "running", 1.0, ())


def test_a_second_without_ticks_or_answers_has_no_value_and_telemetry_says_null(
    state: HubState, tmp_path: Path
) -> None:
    fold = _fold()
    fold.take_world(world_report(1, (tick_row(1, ms=7.0),)), 0.5)
    fold.take_squad(squad_report(latency_now={bucket_of(50.0): 1}), 0.5)
    telemetry = Telemetry(tmp_path / "telemetry.db", pytest.fail)
    for second in range(2):
        telemetry.second(fold.close_second(second)[0])
    telemetry.close()
    series = _snapshot(fold, state).series
    assert series.tick_ms_p99 == (7.0, None)
    assert series.latency_ms_p99[0] is not None
    assert (series.latency_ms_p50[1], series.latency_ms_p99[1]) == (None, None)
    reader = apsw.Connection(str(tmp_path / "telemetry.db"))
    rows = reader.execute("SELECT tick_ms_p99, latency_ms_p99 FROM seconds").fetchall()
    reader.close()
    assert rows[0][0] == 7.0
    assert rows[1] == (None, None)
    assert msgspec.json.decode(msgspec.json.encode(series), type=SeriesView) == series


def test_outages_are_told_from_their_loss_to_their_end(state: HubState) -> None:
    fold = _fold()
    for number in range(OUTAGES_SHOWN_MAX + 3):
        fold.outages.lost("world", float(number), "signal 9\x1b")
        fold.outages.back("world", number + 0.5)
    fold.outages.lost("squad 0", 99.0, "exit code 1")
    fold.outages.back("world", 99.5)
    told = _snapshot(fold, state).outages
    assert len(told) == OUTAGES_SHOWN_MAX
    assert told[-1] == OutageView("squad 0", 99.0, "exit code 1", None)
    assert told[-2].back_at_s == told[-2].lost_at_s + 0.5
    assert "\x1b" not in told[-2].why
