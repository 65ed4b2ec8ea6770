"""Pictures of the console. ``make snap`` accepts new ones; look at them first."""

from pathlib import Path
from typing import Any

import pytest

from tests.ui.stage import make, play, ready

SIZES = [(80, 24), (120, 40), (200, 60)]


def picture(
    snap_compare: Any, home: Path, size: tuple[int, int], theme: str = "dark", *keys: str
) -> None:
    app, link = make(home, theme)

    async def run_before(pilot: Any) -> None:
        await ready(pilot)
        play(app, link)
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

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
