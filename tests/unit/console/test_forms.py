"""The fault form, copying, the terminal before Textual."""

import base64
import os
from pathlib import Path

import pytest

from console import faultform
from console.clipboard import COPY_BYTES_MAX, copy_path, osc52, short_enough, write_copy
from console.screens.palette import matches
from console.terminal import ALT_SCREEN, MAIN_SCREEN, prepare, splash
from engine.protocol.command import Scope
from engine.protocol.errors import UserError
from engine.protocol.limits import FAULT_HOLD_S_MAX
from engine.protocol.paramspec import ParamSpec
from engine.protocol.query import FaultSpec
from tests.ui.fake_engine import MENU


def test_the_defaults_are_ready():
    command = faultform.command(faultform.open_form(MENU[0]))
    assert command.scope == Scope(players_pct=30)
    assert command.hold_s == 20
    assert command.params == {"how": "rst", "spread": 0.0}
    assert faultform.sentence(faultform.open_form(MENU[0]), 1000).startswith("300 of 1,000 players")


def test_a_server_fault_has_no_scope():
    form = faultform.open_form(MENU[1])
    assert [entry.name for entry in form.entries] == ["hold", "ms"]
    assert faultform.command(form).params == {"ms": 500}


def test_a_fault_that_a_parameter_ends_asks_for_no_hold():
    param = ParamSpec("restart_after_s", 0.0, "seconds", at_least=0.0, at_most=3600.0)
    spec = FaultSpec("kill", "k", "server", "dies", (param,), hold_param="restart_after_s")
    form = faultform.open_form(spec)
    assert [entry.name for entry in form.entries] == ["restart_after_s"]
    assert faultform.sentence(form, 1000) == "now; over at once"
    form = faultform.press(form, "5")
    assert faultform.sentence(form, 1000) == "now; over after 5s"
    command = faultform.command(form)
    assert (command.hold_s, command.params) == (FAULT_HOLD_S_MAX, {"restart_after_s": 5.0})


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        (0, "x", "scope: found 'x'; allowed is a number"),
        (0, "nan", "scope: found nan"),
        (1, "0", "hold: found '0'"),
        (1, "2h", "hold: found '2h'"),
        (3, "99", "spread: found 99; allowed is 0 to 60"),
    ],
)
def test_what_cannot_be_read_is_named(field, text, says):
    form = faultform.open_form(MENU[0])
    for _ in range(field):
        form = faultform.press(form, "down")
    for key in text:
        form = faultform.press(form, key)
    with pytest.raises(UserError) as caught:
        faultform.command(form)
    assert says in caught.value.message


def test_whole_numbers_stay_whole():
    form = faultform.press(faultform.open_form(MENU[1]), "down")
    for key in "1.5":
        form = faultform.press(form, key)
    with pytest.raises(UserError, match="whole number"):
        faultform.command(form)


def test_choices_turn_and_take_no_typing():
    form = faultform.press(faultform.press(faultform.open_form(MENU[0]), "down"), "down")
    assert faultform.press(form, "x") == form
    assert faultform.press(form, "left").entries[2].edit.text == "silent"


def test_osc52_is_wrapped_for_tmux():
    plain, wrapped = osc52("héllo", False), osc52("héllo", True)
    assert (
        base64.b64decode(plain.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == "héllo"
    )
    # Wrapped for the terminal around tmux, and as it is for tmux itself.
    assert wrapped == f"\x1bPtmux;\x1b{plain}\x1b\\{plain}"


def test_the_copy_is_the_owners_alone(tmp_path: Path):
    path = copy_path({"HOME": str(tmp_path)})
    assert path is not None
    write_copy(path, "“x”\udc80")
    assert path.read_text("utf-8") == "“x”?\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("letter", ["x", "é", "魚", "🐟"])
def test_no_more_is_copied_than_a_terminal_takes_and_no_half_letter(letter: str):
    taken = short_enough(letter * 60_000)
    assert len(osc52(taken, False)) < 75_000
    assert set(taken) == {letter}
    assert len(taken.encode()) > 0.99 * COPY_BYTES_MAX
    assert short_enough(letter * 100) == letter * 100


def test_the_palette_finds_letters_in_order():
    assert matches("fault: disconnect-storm", "dstorm")
    assert not matches("zoom", "mz")


def test_escape_waits_longer_over_ssh_and_the_users_word_counts():
    near: dict[str, str] = {}
    far = {"SSH_CONNECTION": "1"}
    own = {"ESCDELAY": "7"}
    for environ in (near, far, own):
        prepare(environ)
    assert (near["ESCDELAY"], far["ESCDELAY"], own["ESCDELAY"]) == ("25", "100", "7")


def test_the_splash_gives_the_screen_back_when_the_start_fails():
    reader, writer = os.pipe()
    with pytest.raises(RuntimeError), splash(writer):
        raise RuntimeError
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode()
    assert text.startswith(ALT_SCREEN)
    assert "starting" in text
    assert text.endswith(MAIN_SCREEN)
