"""Whether there is a place for what a person keeps, and what is said when there is none."""

import os
import pwd
from pathlib import Path

import pytest

from console.checks import disk, home
from console.checks._read import user_name
from console.checks.base import Asked, Finding

NONE = home.Seen("54321")


def judged(seen: home.Seen) -> Finding:
    (found,) = home.judge(seen)
    assert bool(found.cure) == (found.status != "ok")
    return found


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (home.Seen("ann", "/home/ann", "/home/ann"), "/home/ann, from HOME"),
        (home.Seen("ann", None, "/home/ann"), "/home/ann, from the user database"),
        (home.Seen("ann", "/h", "", "", ""), "/h, from HOME"),
        (home.Seen("54321", config="/c", state="/s"), "user 54321 is not in the user database;"),
    ],
)
def test_a_home_and_what_is_as_good(seen: home.Seen, said: str) -> None:
    found = judged(seen)
    assert found.status == "ok"
    assert said in found.found


@pytest.mark.parametrize(
    ("seen", "missing", "so", "cure"),
    [
        (
            home.Seen("54321", state="/s"),
            "nor is XDG_CONFIG_HOME:",
            "no keys.toml is read",
            "export HOME=/a/folder/of/yours; or: export XDG_CONFIG_HOME=/a/folder/of/yours",
        ),
        (
            home.Seen("54321", config="/c"),
            "nor is XDG_STATE_HOME:",
            "runs need --runs-dir",
            "export HOME=/a/folder/of/yours; or: export XDG_STATE_HOME=/a/folder/of/yours",
        ),
        (
            NONE,
            "nor is XDG_CONFIG_HOME or XDG_STATE_HOME:",
            "no keys.toml is read; runs need --runs-dir",
            "export HOME=/a/folder/of/yours; or: export XDG_CONFIG_HOME=/a/folder/of/yours "
            "XDG_STATE_HOME=/a/folder/of/yours",
        ),
    ],
)
def test_without_a_home_each_missing_variable_is_named(
    seen: home.Seen, missing: str, so: str, cure: str
) -> None:
    found = judged(seen)
    assert found.status == "warn"
    assert "HOME is not set, and user 54321 is not in the user database" in found.found
    assert missing in found.found
    assert so in found.found
    assert found.cure == cure


@pytest.mark.parametrize(
    ("seen", "said", "cure"),
    [
        (home.Seen("ann", "", "/home/ann"), "HOME is ''", "export HOME=/home/ann"),
        (home.Seen("ann", "ann"), "HOME is 'ann'", "export HOME=/a/folder/of/yours"),
        (
            home.Seen("ann", "/home/ann", "/home/ann", state="state"),
            "XDG_STATE_HOME is 'state'",
            "export XDG_STATE_HOME=/a/folder/of/yours",
        ),
    ],
)
def test_a_path_must_be_absolute(seen: home.Seen, said: str, cure: str) -> None:
    found = judged(seen)
    assert (found.status, found.cure) == ("warn", cure)
    assert said in found.found


def test_nobody_listed_and_nothing_set_is_told_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert user_name() == str(os.getuid())
    found = judged(home.read(Asked(Path("/s/seedstorm/runs"))))
    assert found.status == "warn"
    assert "nor is XDG_CONFIG_HOME:" in found.found
    monkeypatch.delenv("XDG_STATE_HOME")
    assert "nor is XDG_CONFIG_HOME or XDG_STATE_HOME:" in judged(home.read(Asked(None))).found
    runs, *_ = disk.judge(disk.read(Asked(None)))
    assert (runs.name, runs.status) == ("runs folder", "fail")
    assert "export XDG_STATE_HOME=" in runs.cure
