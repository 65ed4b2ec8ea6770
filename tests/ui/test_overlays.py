"""Keys that come in one go with the one that closes an overlay."""

from pathlib import Path

import pytest
from textual import events

from console.app import StormApp
from engine.protocol.command import ArmFault, Mark, Panic
from tests.ui.stage import make, play, ready
from tests.ui.test_console import until

ENTER, ESCAPE = ("enter", "\r"), ("escape", "\x1b")
CTRL_C, CTRL_P, CTRL_G = ("ctrl+c", "\x03"), ("ctrl+p", "\x10"), ("ctrl+g", "\x07")
FAULT, HELP = ("exclamation_mark", "!"), ("question_mark", "?")


def keys(text: str) -> list[tuple[str, str]]:
    return [(letter, letter) for letter in text]


def pour(app: StormApp, *pressed: tuple[str, str]) -> None:
    """Type as a terminal does that gives several keys in one read."""
    for key, character in pressed:
        app.post_message(events.Key(key, character))


@pytest.mark.parametrize(
    "pressed",
    [
        [FAULT, *keys("d"), ENTER, ENTER],
        [FAULT, *keys("k"), ENTER, ENTER],
        [HELP, *keys("qq")],
        [HELP, ESCAPE, ESCAPE, ESCAPE],
        [HELP, CTRL_C, CTRL_C],
        keys("LLL"),
        [FAULT, FAULT, FAULT],
        [("equals_sign", "="), ENTER, ENTER],
        [*keys("mhello"), ENTER, ENTER],
        [("slash", "/"), ENTER, ENTER],
        [CTRL_P, ENTER, ENTER],
        [ENTER, ESCAPE, ESCAPE, ESCAPE],
        [*keys("q"), ESCAPE, ESCAPE, ESCAPE],
        keys("qnn"),
    ],
    ids=lambda pressed: "".join(key for key, _ in pressed),
)
async def test_a_second_closing_key_changes_nothing(tmp_path: Path, pressed):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        pour(app, *pressed)
        await pilot.pause()
        await until(lambda: len(app.screen_stack) == 1 or pressed[0] == CTRL_P, pilot)
        pour(app, *keys("5"))
        await pilot.pause()
        assert app.is_running
        assert sum(isinstance(call, ArmFault) for call in link.calls) <= 1
        assert sum(isinstance(call, Mark) for call in link.calls) <= 1


async def test_panic_behind_a_closing_key_is_heard(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        pour(app, HELP, ESCAPE, CTRL_G)
        await until(lambda: link.calls == [Panic()], pilot)


async def test_a_wheel_and_a_paste_behind_a_closing_key_are_dropped(tmp_path: Path):
    app, link = make(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        play(app, link, 20)
        await pilot.press("m")
        overlay = app.screen
        overlay.post_message(events.Key("escape", "\x1b"))
        overlay.post_message(events.Paste("deploy"))
        await until(lambda: len(app.screen_stack) == 1, pilot)
        await pilot.pause()
        assert app.is_running
