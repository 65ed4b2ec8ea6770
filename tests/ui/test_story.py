"""The story page under keys."""

from pathlib import Path

import pytest

from console.clipboard import copy_path
from console.screens.drill import DrillScreen
from tests.ui.stage import make, play, ready, text_of
from tests.ui.test_console import until


async def test_a_beat_leads_to_the_first_of_its_cast(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("7", "up", "up", "enter")
        await until(lambda: isinstance(app.screen, DrillScreen), pilot)
        await until(lambda: "asking" not in text_of(app), pilot)
        shown = text_of(app)
        for words in ("╭─▸player-871", "tick 1,150", "They are back", "events    2,300, 2,303"):
            assert words in shown
        await pilot.press("escape")
        # The beat before tells of the world, and of nobody in it.
        await pilot.press("down", "enter")
        await until(lambda: "nobody in particular is in this beat" in text_of(app), pilot)
        assert "events    2,400, 2,403" in text_of(app)
        await pilot.press("y", "escape")
        assert len(app.screen_stack) == 1


async def test_a_beat_is_copied_with_its_events(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("7", "y")
        path = copy_path({"HOME": str(tmp_path)})
        await until(path.exists, pilot)
        assert path.read_text().startswith("2:05 tick 1250 fortune: Not everyone fights")
        assert "(events 2500, 2503)" in path.read_text()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_tab_reaches_the_story_on_the_overview(tmp_path: Path, size: tuple[int, int]):
    app, link = make(tmp_path)
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("tab", "tab", "tab")
        assert app.model.view.focus == "story"
        await until(lambda: "Not everyone fights" in text_of(app), pilot)


async def test_a_narrator_that_is_gone_is_told(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        link.engine.narrator = "gone"
        play(app, link)
        await pilot.press("7")
        await until(lambda: "the narrator is gone; the run goes on" in text_of(app), pilot)


async def test_the_story_is_filtered(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        play(app, link)
        await pilot.press("7", "slash", *"kind=feud", "enter")
        await until(lambda: "/kind=feud" in text_of(app), pilot)
        assert "A debt is paid" in text_of(app)
        assert "closed sale" not in text_of(app)
