"""Pictures of the console. ``make snap`` accepts new ones; look at them first."""

from pathlib import Path
from typing import Any

import pytest

from engine.protocol.feed import OutageView
from tests.ui.stage import make, play, ready, text_of

SIZES = [(80, 24), (120, 40), (200, 60)]


def picture(
    snap_compare: Any,
    home: Path,
    size: tuple[int, int],
    theme: str = "dark",
    *keys: str,
    outages: tuple[OutageView, ...] = (),
) -> None:
    app, link = make(home, theme)
    link.engine.outages = outages

    async def run_before(pilot: Any) -> None:
        await ready(pilot)
        play(app, link)
        for key in keys:
            await pilot.press(key)
        await pilot.pause()
        while "asking…" in text_of(app):
            await pilot.pause(0.01)

    assert snap_compare(app, terminal_size=size, run_before=run_before)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_overview(snap_compare: Any, tmp_path: Path, size: tuple[int, int]):
    picture(snap_compare, tmp_path, size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_story(snap_compare: Any, tmp_path: Path, size: tuple[int, int]):
    picture(snap_compare, tmp_path, size, "dark", "7", "up", "up", "up")


def test_light(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (120, 40), "light")


def test_mono(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (120, 40), "mono")


@pytest.mark.parametrize("page", ["2", "3", "4", "5", "6"])
def test_pages(snap_compare: Any, tmp_path: Path, page: str):
    picture(snap_compare, tmp_path, (120, 40), "dark", page)


def test_help(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (120, 40), "dark", "question_mark")


def test_fault_menu(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (80, 24), "dark", "exclamation_mark")


def test_fault_form(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (80, 24), "dark", "exclamation_mark", "d")


def test_filter(snap_compare: Any, tmp_path: Path):
    picture(
        snap_compare,
        tmp_path,
        (80, 24),
        "dark",
        "slash",
        *"kind=npc",
        "space",
        *"hp",
        "less_than_sign",
    )


def test_forty_by_ten(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (40, 10))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_drill(snap_compare: Any, tmp_path: Path, size: tuple[int, int]):
    picture(snap_compare, tmp_path, size, "dark", "j", "j", "enter")


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_chain(snap_compare: Any, tmp_path: Path, size: tuple[int, int]):
    picture(snap_compare, tmp_path, size, "dark", "3", "up", "up", "c")


def test_violations_acknowledged(snap_compare: Any, tmp_path: Path):
    picture(snap_compare, tmp_path, (120, 40), "dark", "4", "v", "x", "v", "v", "x")


@pytest.mark.parametrize("theme", ["dark", "mono"])
def test_a_world_that_is_down(snap_compare: Any, tmp_path: Path, theme: str):
    gone = (OutageView("world", 100.4, "signal 9", 103.0), OutageView("world", 120.2, "signal 9"))
    picture(snap_compare, tmp_path, (120, 40), theme, "5", outages=gone)
