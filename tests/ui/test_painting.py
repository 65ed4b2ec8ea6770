"""What reaches the terminal, through compositor, direct painting and diff."""

from pathlib import Path

import pytest
from rich.color import ColorSystem

from console.app import StormApp
from console.items import Clock
from console.paint.painter import BACKLOG_MAX, Painter
from tests.ui.stage import NOON_S, make, play, ready
from tests.ui.terminal import EmulatedDriver, EmulatedTerminal


def painted(home: Path, **options) -> tuple[StormApp, object]:
    app, link = make(home, **options)
    app.driver_class = EmulatedDriver
    return app, link


def terminal_of(app: StormApp) -> EmulatedTerminal:
    assert isinstance(app._driver, EmulatedDriver)
    return app._driver.writer


def repainted(app: StormApp) -> EmulatedTerminal:
    """Return a fresh terminal onto which the whole screen was painted anew."""
    fresh = EmulatedTerminal(app.size.width, app.size.height)
    painter = Painter(fresh, ColorSystem.TRUECOLOR)
    painter.resize(app.size.width, app.size.height)
    painter.update(app.screen._compositor.render_full_update())
    return fresh


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
async def test_the_terminal_shows_what_a_full_repaint_would(tmp_path: Path, size):
    app, link = painted(tmp_path)
    async with app.run_test(headless=False, size=size) as pilot:
        await ready(pilot)
        play(app, link, 60)
        for key in ("j", "3", "k", "1", "tab", "z", "z", "6", "1", "question_mark", "escape"):
            await pilot.press(key)
            app.deliver([link.engine.snapshot(link.engine.at_s + 1)])
        await pilot.press("exclamation_mark", "d", *"55")
        await pilot.pause()
        assert terminal_of(app).cells() == repainted(app).cells()
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert terminal_of(app).cells() == repainted(app).cells()


async def test_a_frame_sends_less_than_a_tenth_of_the_screen_again(tmp_path: Path):
    app, link = painted(tmp_path)
    async with app.run_test(headless=False, size=(160, 45)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        terminal = terminal_of(app)
        whole = repainted(app).bytes_total
        before = terminal.bytes_total
        app.deliver([Clock(NOON_S + 1)])
        assert terminal.bytes_total == before
        snapshot = link.engine.snapshot(link.engine.at_s)
        app.deliver([snapshot])
        sent = terminal.bytes_total - before
        assert 0 < sent < whole / 2
        app.deliver([snapshot])
        assert terminal.bytes_total - before == sent


async def test_frames_are_left_out_while_the_terminal_stalls_and_mended_after(tmp_path: Path):
    app, link = painted(tmp_path, hz=100)
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        terminal = terminal_of(app)
        terminal.queued = BACKLOG_MAX + 1
        before = terminal.cells()
        skipped = app.frames_skipped
        for _ in range(100):
            link.push(link.engine.snapshot(link.engine.at_s + 1))
            await pilot.pause(0.01)
            if app.frames_skipped > skipped + 3:
                break
        await pilot.press("question_mark", "escape", "5")
        assert app.frames_skipped > skipped + 3
        assert terminal.cells() == before, "painted into a terminal that does not read"
        terminal.queued = 0
        for _ in range(200):
            await pilot.pause(0.01)
            if "Timing" in "\n".join(terminal.screen.display) and not app._easel.behind:
                break
        app.deliver([])
        assert terminal.cells() == repainted(app).cells()


async def test_an_overlay_that_opened_while_the_terminal_stalled_is_painted_after(tmp_path: Path):
    app, link = painted(tmp_path, hz=100)
    async with app.run_test(headless=False, size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        terminal = terminal_of(app)
        terminal.queued = BACKLOG_MAX + 1
        await pilot.press("question_mark")
        await pilot.pause()
        assert app._easel.behind
        assert "esc closes" not in "\n".join(terminal.screen.display)
        terminal.queued = 0
        app.deliver([])
        assert "esc closes" in "\n".join(terminal.screen.display)
        assert terminal.cells() == repainted(app).cells()


async def test_a_resize_paints_everything(tmp_path: Path):
    app, link = painted(tmp_path)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        terminal = terminal_of(app)
        terminal.screen.resize(40, 120)
        terminal.screen.reset()
        terminal.screen.reset_mode(7, private=True)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        app.deliver([])
        assert terminal.cells() == repainted(app).cells()


async def test_redraw_sends_every_cell_again(tmp_path: Path):
    app, link = painted(tmp_path)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        terminal = terminal_of(app)
        terminal.screen.reset()
        terminal.screen.reset_mode(7, private=True)
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert terminal.cells() == repainted(app).cells()


async def test_a_theme_change_repaints(tmp_path: Path):
    app, link = painted(tmp_path)
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link, 60)
        await pilot.press("t")
        await pilot.pause()
        assert terminal_of(app).cells() == repainted(app).cells()
