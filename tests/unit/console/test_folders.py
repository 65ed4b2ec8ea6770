"""The user's folders, also for a user who has no home at all."""

import os
import pwd
from pathlib import Path

import pytest

from console.clipboard import copy_path
from console.folders import config_folder, state_folder
from console.keymap import default_keymap, keys_path, load_keymap
from console.opening import hint_is_due, hint_was_shown
from console.options import default_runs_dir
from engine.protocol.errors import UserError


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("relative", ["", "state"])
def test_home_stands_in_for_what_is_not_set(relative: str):
    environ = {"HOME": "/h", "XDG_STATE_HOME": relative, "XDG_CONFIG_HOME": relative}
    assert state_folder(environ) == Path("/h/.local/state/seedstorm")
    assert config_folder(environ) == Path("/h/.config/seedstorm")


def test_what_is_set_counts():
    assert state_folder({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/seedstorm")
    assert config_folder({"XDG_CONFIG_HOME": "/c"}) == Path("/c/seedstorm")


@pytest.mark.usefixtures("homeless")
def test_without_a_home_the_console_does_without():
    environ = dict(os.environ)
    assert copy_path(environ) is None
    assert keys_path(environ) is None
    assert load_keymap(None).bindings == default_keymap().bindings
    hint_was_shown(environ)
    assert hint_is_due(environ)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_run_wants_a_folder():
    with pytest.raises(UserError, match="--runs-dir"):
        default_runs_dir()
