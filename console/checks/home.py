"""Whether there is a place for what a person keeps: settings, runs, what was copied."""

import os
import pwd
from typing import Final

from msgspec import Struct

from console.checks._read import user_name
from console.checks.base import Asked, Check, Finding

_KEPT: Final = {
    "XDG_CONFIG_HOME": "no keys.toml is read",
    "XDG_STATE_HOME": "runs need --runs-dir, and what is copied goes to the terminal alone",
}
_ELSEWHERE: Final = "/a/folder/of/yours"


class Seen(Struct, frozen=True):
    """Where a home is named; None for a variable that is not set.

    Attributes:
        user: Whose home it would be.
        home: ``HOME``.
        listed: The home that the user database names; empty for none.
        config: ``XDG_CONFIG_HOME``.
        state: ``XDG_STATE_HOME``.
    """

    user: str
    home: str | None = None
    listed: str = ""
    config: str | None = None
    state: str | None = None


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read the environment and the user database."""
    try:
        listed = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        listed = ""
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")
    environ = os.environ
    return Seen(user_name(), environ.get("HOME"), listed, *(environ.get(name) for name in names))


def judge(seen: Seen) -> list[Finding]:
    """Name each variable that is wrong, or that is missing where there is no home."""
    own = {"XDG_CONFIG_HOME": seen.config, "XDG_STATE_HOME": seen.state}
    wrong = [
        (name, value)
        for name, value in {"HOME": seen.home, **own}.items()
        # Empty is unset for the XDG variables by their specification, and not for HOME.
        if value is not None and not value.startswith("/") and (value or name == "HOME")
    ]
    if wrong:
        found = ", ".join(f"{name} is {value!r}" for name, value in wrong)
        place = seen.listed or _ELSEWHERE
        cure = " ".join(f"{name}={place if name == 'HOME' else _ELSEWHERE}" for name, _ in wrong)
        return [Finding("home", "warn", f"{found}: no absolute path", f"export {cure}")]
    if seen.home:
        return [Finding("home", "ok", f"{seen.home}, from HOME")]
    if seen.listed:
        return [Finding("home", "ok", f"{seen.listed}, from the user database; HOME is not set")]
    return [_none(seen.user, [name for name, value in own.items() if not value])]


def _none(user: str, missing: list[str]) -> Finding:
    found = f"none: HOME is not set, and user {user} is not in the user database"
    if not missing:
        both = "XDG_CONFIG_HOME and XDG_STATE_HOME"
        return Finding("home", "ok", f"{found}; {both} name what is needed")
    so = "; ".join(_KEPT[name] for name in missing)
    found = f"{found}; nor is {' or '.join(missing)}: {so}"
    names = " ".join(f"{name}={_ELSEWHERE}" for name in missing)
    return Finding("home", "warn", found, f"export HOME={_ELSEWHERE}; or: export {names}")


CHECK = Check("home", 55, read, judge)
