"""Figures, lines, charts, themes, and every panel at odd sizes."""

import functools

import pytest
from msgspec.structs import replace

from console import panels
from console.figures import ceiling, clock, count, ms, short
from console.items import Clock, Cost, Page
from console.lines import cell_width, clean, cut, fit, left, line_width, plain, right, spread
from console.model import Model, View
from console.panels import health
from console.panels.base import Panel
from console.panels.latency import PANEL as LATENCY
from console.panels.policies import PANEL as POLICIES
from console.panels.violations import PANEL as VIOLATIONS
from console.panels.vitals import PANEL as VITALS
from console.select.vitals import state_of
from console.select.zones import busiest
from console.themes import choose_depth, choose_theme, load_theme, theme_names
from console.update import update
from console.widgets.gauge import bar, gauge, parts
from console.widgets.heat import heat, steps
from console.widgets.spark import Chart, area, spark, typical_top
from engine.protocol.cheats import CheatsSummary
from engine.protocol.command import ArmFault, Scope
from engine.protocol.errors import UserError
from engine.protocol.feed import (
    Ended,
    GeneratorView,
    OutageView,
    Snapshot,
    ViolationsView,
    WorldView,
)
from engine.protocol.query import EntitiesAnswer
from engine.protocol.registry import scan
from tests.ui.fake_engine import FakeEngine


@functools.cache  # a frozen model, made in a third of a second
def lively(mono: bool = False) -> Model:
    engine = FakeEngine()
    model = Model(view=View(mono=mono))
    for second in range(40):
        if second == 30:
            engine.arm(ArmFault("disconnect-storm", Scope(players_pct=30), {}, 20.0))
        model = update(model, engine.snapshot(float(second)))
    page = EntitiesAnswer(1, 500, tuple(engine.entities()[:80]))
    return update(update(model, Page(0, page)), Cost(2.1, 13.4, 0))


@pytest.mark.parametrize("mono", [False, True])
@pytest.mark.parametrize("size", [(120, 40), (60, 12), (36, 18), (24, 6), (9, 3), (5, 2), (1, 1)])
@pytest.mark.parametrize("name", sorted(scan(panels, "PANEL")))
def test_every_panel_fills_its_box_exactly_and_in_known_roles(name, size, mono):
    panel: Panel = scan(panels, "PANEL")[name]
    theme = load_theme("mono" if mono else "dark")
    for model in (Model(view=View(mono=mono)), lively(mono)):
        lines = panel.draw(model, *size, True)
        assert len(lines) == (
            size[1] if name not in {"vitals", "strip"} else min(size[1], len(lines))
        )
        for line in lines:
            assert line_width(line) == size[0], plain(line)
            for _, role in line:
                assert theme[role] is not None
        assert panel.inputs(model) == panel.inputs(model)


@pytest.mark.parametrize("width", [200, 120, 80])
def test_the_status_line_shows_every_vital(width):
    labels, values = map(plain, VITALS.draw(lively(), width, 2, False))
    for word in ("players", "s", "tick", "ms", "viol", "faults", "console", "market-day"):
        assert word in labels
    assert "running 0:39" in values
    assert "700/1,000" in values
    assert "↯" in values
    assert "10s" in values


def test_narrow_status_lines_keep_the_state():
    assert "running" in plain(VITALS.draw(lively(), 24, 1, False)[0])


def test_silence_is_told():
    model = update(Model(), FakeEngine().snapshot(20.0))
    silent = update(model, Clock(9.0))
    assert state_of(silent)[1] == "silent 9s"
    assert state_of(update(model, Ended(0, "held")))[1] == "ended"


def test_figures():
    assert [count(v) for v in (0, 999, 1213, 1_250_000, 12_000_000)] == [
        "0", "999", "1,213", "1.2M", "12M",
    ]  # fmt: skip
    assert [short(v) for v in (7, 1213, 12_345, 3.4e6)] == ["7", "1.2k", "12k", "3.4M"]
    assert [ms(v) for v in (0.44, 12.14, 104.4, 2310)] == ["0.4", "12.1", "104", "2,310"]
    assert count(float("nan")) == ms(float("inf")) == short(float("nan")) == "?"
    assert [clock(v) for v in (7, 754, 3723)] == ["0:07", "12:34", "1:02:03"]
    assert [ceiling(v) for v in (0, 0.7, 101, 140, 1020)] == [1.0, 0.8, 120, 150, 1200]


def test_lines_are_cut_and_padded_by_cells():
    assert cut("player-12", 6) == "playe…"
    assert left("ab", 4) == "ab  "
    assert right("日本", 5) == " 日本"
    assert cut("日本語", 4) == "日…"
    assert line_width(fit((("日本語", "text"), ("x", "dim")), 4)) == 4
    assert plain(spread((("a", "text"),), (("b", "text"),), 5)) == "a   b"
    assert plain(spread((("abcd", "text"),), (("b", "text"),), 5)) == "abcd "
    assert cell_width("├─┤") == 3


def test_strangers_text_is_cleaned():
    assert clean("a\x1b[31mb\u202ec\u0301") == "a\ufffd[31mb\ufffdc"
    assert len(clean("x" * 500)) == 200


def test_charts():
    assert plain(spark([0, 4, 8], 5, 8, lambda _: "area")) == "   ▄█"
    rows = area(Chart([2, 16], 16, lambda _: "area", limit=16), 4, 2)
    assert [plain(row) for row in rows] == ["┄┄┄█", "  ▂█"]
    both = area(Chart([16, 16], 16, lambda _: "area", low=[4, 8]), 2, 2)
    assert both[1] == (("▄", "area_low/area"), ("█", "area_low"))
    tall = area(Chart([40] * 6, 40, lambda _: "area"), 8, 5)
    assert [plain(row) for row in tall] == ["  ██████"] * 5


def test_a_bar_is_as_long_as_its_value_to_an_eighth():
    shown = [plain(bar(share, 10, "warn")) for share in (0, 1 / 8442, 0.5, 0.775, 1)]
    assert shown == [" " * 10, "▏" + " " * 9, "█" * 5 + " " * 5, "█" * 7 + "▊  ", "█" * 10]


def test_policies_far_apart_differ_without_colour():
    found = ViolationsView(total=8442, by_policy={"speed": 8441, "reach": 1})
    model = update(Model(), Snapshot(run="r", violations=found))
    lines = [plain(line) for line in POLICIES.draw(model, 60, 12, False)]
    bars = [next(line for line in lines if name in line)[27:] for name in ("speed", "reach")]
    assert bars[0].count("█") > 20
    assert bars[1].strip("│ ") == "▏"


def test_bars():
    assert plain(gauge(0.5, 4, "good")) == "━━━━"
    assert gauge(0.001, 4, "good")[0] == ("━", "good")
    assert [len(text) for text, _ in parts([("step", 1), ("hash", 3)], 8, False)] == [2, 6]
    assert (
        len({glyph for text, _ in parts([("step", 1), ("hash", 1)], 8, True) for glyph in text})
        == 2
    )


def test_heat():
    assert steps([0, 1, 100], 100) == [0, 1, 9]
    assert steps([0, 0], 0) == [0, 0]
    counts = bytes(range(16))
    assert [line_width(line) for line in heat(counts, 4, 4, 2, False)] == [4, 4]
    assert [line_width(line) for line in heat(counts, 4, 8, 4, False)] == [8] * 4
    assert plain(heat(counts, 4, 8, 4, True)[0])[:2] == "  "
    assert heat(b"", 4, 8, 4, True) == []


def test_busiest_zones():
    grid = bytearray(32 * 32)
    grid[5 * 32 + 9] = 7
    zone = busiest(bytes(grid))[0]
    assert (zone.zone, zone.west, zone.north, zone.people) == (10, 64, 32, 7)
    assert busiest(b"") == ()


@pytest.mark.parametrize("name", theme_names())
@pytest.mark.parametrize("depth", ["true", "256", "16"])
def test_every_theme_has_every_role(name, depth):
    theme = load_theme(name, depth)
    for role in load_theme("dark")._roles:
        if not role.startswith("heat") or not theme.mono:
            assert theme[role] is not None
        if theme.mono:
            assert (
                theme[f"{role.split('/')[0]}" if not role.startswith("heat") else "text"].color
                is None
            )


def test_choosing_a_theme_and_its_depth():
    assert choose_theme("", {"NO_COLOR": "1"}) == "mono"
    assert choose_theme("light", {"NO_COLOR": "1"}) == "light"
    assert choose_theme("", {}) == "dark"
    assert choose_depth({"COLORTERM": "truecolor"}) == "true"
    assert choose_depth({"COLORTERM": "truecolor", "SSH_TTY": "/dev/pts/1"}) == "256"
    with pytest.raises(UserError, match="did you mean 'dark'"):
        load_theme("drak")


@pytest.mark.parametrize("width", range(34, 60))
def test_open_violations_are_counted_however_narrow_the_panel(width: int):
    view = ViolationsView(total=12_345, per_s=16.0)
    made = update(Model(), Snapshot("r", violations=view))
    head = plain(VIOLATIONS.draw(made, width, 8, False)[0])
    assert len(head) == width
    assert "12,345 open" in head
    assert ("of 12,345" in head) == (width >= 40)
    assert ("16.0/s" in head) == (width >= 48)


@pytest.mark.parametrize(
    ("generator", "outages", "thresholds", "says"),
    [
        (GeneratorView(), (), (), "● ok"),
        (GeneratorView(saturated=True), (), (), "✖ SATURATED"),
        (GeneratorView(saturated=True), (OutageView("world", 9.0, "x"),), (), "✖ world down"),
        (GeneratorView(), (OutageView("world", 9.0, "x", 10.0),), (), "● ok"),
        (GeneratorView(), (), (("a < 1", False), ("b < 1", True)), "✖ 1 threshold failing"),
    ],
)
def test_the_health_panel_says_what_the_header_says(generator, outages, thresholds, says):
    snapshot = Snapshot(
        run="r", at_s=12.0, generator=generator, outages=outages, thresholds=thresholds
    )
    model = update(Model(), snapshot)
    assert says in plain(health.PANEL.draw(model, 60, 14, False)[0])


@pytest.mark.parametrize(
    ("world", "says"),
    [
        (WorldView(stalled_s=3.2), "✖ world stalled 3s"),
        (WorldView(stalled_s=3.2, store_error="disk is full"), "✖ cannot store"),
    ],
)
def test_the_health_panel_names_the_world_that_stands_still(world: WorldView, says: str):
    snapshot = Snapshot(run="r", generator=GeneratorView(saturated=True), world=world)
    made = update(Model(), snapshot)
    assert says in plain(health.PANEL.draw(made, 60, 14, False)[0])


@pytest.mark.parametrize(("width", "height"), [(80, 9), (36, 50), (36, 20), (60, 12)])
def test_what_became_of_cheats_stands_beside_the_policies(width: int, height: int) -> None:
    model = lively()
    assert model.snapshot is not None
    lines = [plain(line) for line in POLICIES.draw(model, width, height, False)]
    whole = "\n".join(lines)
    for name, figures in (
        ("cooldown", ["30", "2", "9"]),
        ("reach", ["171", "9", "0"]),
        ("speed", ["205", "4", "1"]),
    ):
        # Where there is no room beside the bars they stand below.
        told = [line.strip("│ ").split() for line in lines if name in line]
        assert any(words[-3:] == figures for words in told), name
    assert "caught others missed" in whole
    assert "missed" in whole
    assert "honest hit 35 of 6.2k" in whole
    honest = replace(model.snapshot, cheats=CheatsSummary())
    assert "honest" not in "".join(
        plain(line) for line in POLICIES.draw(update(model, honest), width, height, False)
    )


def test_a_second_of_timeouts_does_not_flatten_the_chart():
    usual: list[float | None] = [95.0] * 40 + [None]
    assert typical_top(usual, 10.0) == 95.0
    assert typical_top([*usual, 10_000.0], 10.0) == 190.0
    assert typical_top([*usual, *[2_000.0] * 5], 10.0) == 2_000.0
    assert typical_top([None], 10.0) == 10.0
    assert typical_top([], 10.0) == 10.0


def test_a_latency_beyond_the_chart_is_told_in_figures():
    model = lively()
    snapshot = model.snapshot
    assert snapshot is not None
    high = (*snapshot.series.latency_ms_p99[:-1], 10_000.0)
    tall = replace(snapshot, series=replace(snapshot.series, latency_ms_p99=high))
    lines = [
        "".join(text for text, _ in line)
        for line in LATENCY.draw(update(model, tall), 80, 12, False)
    ]
    assert "peak 10,000" in lines[0] or "peak 10,000" in lines[-1]
    lines = ["".join(text for text, _ in line) for line in LATENCY.draw(model, 80, 12, False)]
    assert "peak" not in "".join(lines)
