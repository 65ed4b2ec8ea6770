"""Where there is room, nothing is cut; where there is none, what matters stays."""

from pathlib import Path

import pytest

from console.items import Mouse, Say
from console.lines import plain
from console.model import Model, View
from console.panels import strip, timing
from console.update import update
from console.widgets.sheet import Sheet
from engine.protocol.command import ArmFault
from engine.protocol.feed import Snapshot, TickView
from tests.ui.stage import make, play, ready, text_of
from tests.ui.test_console import until

HINTS = (("!", "fault"), ("+", "load"), ("/", "filter"), ("space", "freeze"), ("z", "zoom"))
HINTS = (*HINTS, ("?", "help"), ("q", "quit"))
LONG = "f1: disconnect-storm on 30 % of players for 20s, then it reverts"


def drawn(model: Model, width: int) -> str:
    return plain(strip.PANEL.draw(model, width, 1, False)[0])


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
def test_quit_stays_in_the_strip_with_the_mouse_on_and_the_mouse_is_told(width: int):
    model = update(Model(view=View(width=width, hints=HINTS)), Mouse(True))
    shown = drawn(model, width)
    for words in ("! fault", "? help", "q quit", "M mouse on"):
        assert words in shown


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_tabs_make_room_for_a_long_message(width: int):
    model = update(Model(view=View(width=width, hints=HINTS)), Say(LONG))
    shown = drawn(model, width)
    assert LONG in shown
    assert "1 Overview" in shown
    at = shown.index("1 Overview")
    assert strip.page_at(model, width, at) == 1


@pytest.mark.parametrize("inner", range(12, 80))
def test_a_figure_of_the_tick_is_whole_or_missing(inner: int):
    tick = TickView(ms_p50=8.4, ms_p99=21.2, ms_max=99.1, overruns=1234, skipped=567)
    shown = plain(timing.PANEL.draw(_ticking(tick), inner + 4, 12, False)[1])
    assert "…" not in shown
    if "skipped" in shown:
        assert "skipped 567" in shown
    assert ("overruns 1,234" in shown) == (inner >= 37)


def _ticking(tick: TickView) -> Model:
    return update(Model(), Snapshot(run="r", tick=tick))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_fault_that_is_picked_is_told_in_full(tmp_path: Path, size: tuple[int, int]):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("exclamation_mark")
        assert app.model.menu[0].help in text_of(app)
        await pilot.press("d", "down", *"1d")
        lines = app.screen.query_one(Sheet).lines
        shown = " ".join("".join(map(plain, lines)).replace("│", " ").split())
        assert "hold: found '1d'; allowed is more than 0 and up to 1h, such as 30s or 2m" in shown
        assert "silent" in shown


@pytest.mark.parametrize("size", [(20, 5), (20, 4), (40, 8), (80, 24)])
async def test_the_row_that_has_the_keys_always_shows(tmp_path: Path, size: tuple[int, int]):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("exclamation_mark")
        for spec in app.model.menu:
            assert f"▸ {spec.key}" in text_of(app)
            await pilot.press("down")
        await pilot.press("d")
        for name in ("scope", "hold", "how", "spread"):
            assert f"▸ {name}" in text_of(app)
            await pilot.press("down")
        await pilot.press("enter")
        await until(lambda: any(isinstance(call, ArmFault) for call in link.calls), pilot)


@pytest.mark.parametrize("key", ["exclamation_mark", "question_mark", "q", "slash", "L", "enter"])
async def test_an_overlay_keeps_away_from_the_panels_around_it(tmp_path: Path, key: str):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press(key)
        await until(lambda: "asking" not in text_of(app), pilot)
        rows = text_of(app).split("\n")
        region = app.screen.query_one(Sheet).region
        top, bottom = rows[region.y], rows[region.bottom - 1]
        for row in (top, bottom):
            assert not row[region.x : region.right].strip()
        for row in rows[region.y : region.bottom]:
            assert (row[region.x], row[region.right - 1]) == (" ", " ")


async def test_where_a_copy_went_is_told_from_home(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("y")
        words = "copied the row, also to ~/.local/state/seedstorm/copied.txt"
        await until(lambda: words in text_of(app), pilot)
