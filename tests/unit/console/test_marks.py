"""The row of marks under a chart, and gaps in it."""

import pytest

from console.items import Clock, Menu
from console.lines import plain
from console.model import Model
from console.select.banner import banner
from console.select.marks import marks
from console.select.outage import BACK_TOLD_S
from console.select.vitals import state_of
from console.update import update
from console.widgets.spark import Chart, area, highest, spark
from console.widgets.timeline import MARKED_ROWS_MIN, timeline
from engine.protocol.feed import FaultView, OutageView, PlayersView, SeriesView, Snapshot, WorldView
from engine.protocol.query import FaultSpec

STORM = FaultView("f1", "disconnect-storm", "30%", 2.4, 20.0)


def shown(
    *faults: FaultView,
    outages: tuple[OutageView, ...] = (),
    marked_s: tuple[float, ...] = (),
    seconds: int = 10,
    start: int = 0,
    store_error: str = "",
) -> Model:
    series = SeriesView(start, players=tuple(1.0 for _ in range(seconds)))
    snapshot = Snapshot(
        run="r",
        state="running",
        at_s=start + seconds + 0.3,
        faults=faults,
        outages=outages,
        marked_s=marked_s,
        world=WorldView(store_error=store_error, stalled_s=3.2 if store_error else 0.0),
        players=PlayersView(target=10, connected=8),
        series=series,
    )
    model = update(update(Model(), Clock(50.0)), snapshot)
    return update(model, Menu((FaultSpec("disconnect-storm", "d", "players", "x"),)))


def row(model: Model, columns: int = 10) -> str:
    return plain(marks(model, columns))


def ended(cleared_s: float, recovered_s: float | None = None) -> FaultView:
    return FaultView("f1", "disconnect-storm", "", 2.4, 20.0, 1, 1, cleared_s, "hold", recovered_s)


def test_an_armed_fault_runs_from_its_second_to_now():
    assert row(shown(STORM)) == "  ▲d━━━━━━"


def test_a_fault_that_is_over_shows_when_it_was_cleared_and_recovered_from():
    assert row(shown(ended(6.9, 8.0))) == "  ▲d━━▼ ✓ "


def test_a_marked_moment_stands_in_its_second_and_over_a_fault():
    assert row(shown(STORM, marked_s=(0.2, 5.5))) == "◆ ▲d━◆━━━━"
    assert row(shown(marked_s=(3.0,), start=100)) == " " * 10


def test_cleared_and_recovered_within_a_second_are_both_seen():
    assert row(shown(ended(2.5, 2.9))) == "  ▲▼✓     "


def test_a_fault_armed_in_the_second_that_is_not_over_stands_at_the_edge():
    assert row(shown(FaultView("f1", "disconnect-storm", "", 10.2, 20.0))) == " " * 9 + "▲"


def test_what_began_before_the_chart_is_cut_at_its_edge():
    assert row(shown(STORM, start=30)) == "━" * 10
    assert row(shown(ended(6.9, 8.0), start=30)) == " " * 10


def test_an_outage_stands_out_of_a_fault_and_hides_no_end():
    down = OutageView("world", 4.1, "signal 9", 6.5)
    assert row(shown(STORM, outages=(down,))) == "  ▲d✖╍✓━━━"
    assert row(shown(ended(5.0), outages=(down,))) == "  ▲d✖▼✓   "
    assert row(shown(outages=(OutageView("world", 8.0, "signal 9"),))) == " " * 8 + "✖╍"


def test_seconds_ago_are_written_where_nothing_else_stands():
    assert row(shown(), 80) == row(Model(), 80)
    assert row(Model(), 80)[:50].endswith("-30s")
    covered = shown(FaultView("f1", "x", "", 1.0, 9.0, 1, 1, 99.0, "hold"), seconds=100)
    assert "s" not in row(covered, 80)


@pytest.mark.parametrize("columns", [0, 1, 3, 200])
def test_a_row_is_as_wide_as_asked(columns: int):
    assert len(row(shown(STORM, ended(3.0, 4.0)), columns)) == columns


def test_seconds_without_a_value_are_a_gap_and_not_nothing():
    values = (5.0, None, 0.0, 5.0)
    assert plain(spark(values, 4, 5.0, lambda _: "area")) == "█╎ █"
    lines = [plain(line) for line in area(Chart(values, 5.0, lambda _: "area"), 4, 2)]
    assert lines == ["█╎ █", "█╎ █"]
    assert highest(values, 1.0) == 5.0
    assert highest((None, None), 1.0) == 1.0


def test_a_chart_gives_a_row_to_its_marks_where_it_has_room():
    chart = Chart((1.0,) * 10, 1.0, lambda _: "area")
    model = shown(STORM)
    for height in range(8):
        lines = timeline(model, chart, 40, height)
        assert len(lines) == height
        assert "▲" in plain(lines[-1]) if height >= MARKED_ROWS_MIN else True


def said(model: Model) -> str:
    return "\n".join(plain(line) for line in banner(model, "q"))


def test_a_world_that_is_down_is_told_with_the_time_and_so_is_its_return():
    lost = OutageView("world", 6.0, "signal 9")
    model = shown(outages=(lost,))
    assert state_of(model) == ("✖", "world down 4s", "bad")
    assert "The world is down for 4 s" in said(model)
    assert "signal 9" in said(model)
    assert "down for 6 s" in said(update(model, Clock(51.5)))
    back = OutageView("world", 6.0, "signal 9", 8.4)
    model = shown(outages=(back,))
    assert state_of(model)[1] == "running"
    assert "The world is back after 2.4 s" in said(model)
    assert "8 of 10 players" in said(model)
    assert said(shown(outages=(back,), seconds=10 + int(BACK_TOLD_S))) == ""


def test_a_squad_that_is_down_is_told_but_the_world_is_not_down():
    model = shown(outages=(OutageView("squad 1", 6.0, "signal 9"),))
    assert "Squad 1 is down" in said(model)
    assert state_of(model)[1] == "running"


def test_a_world_that_cannot_store_is_told_with_why_and_what_helps():
    model = shown(store_error="events.db: disk is full")
    assert state_of(model) == ("✖", "cannot store 3s", "bad")
    assert "events.db: disk is full" in said(model)
    assert "nothing is acknowledged; with room on the disk it goes on" in said(model)
    assert said(shown()) == ""
