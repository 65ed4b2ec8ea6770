"""Whether a run outlives its login: logind may kill what a user leaves behind.

What is read and in which order: logind.conf(5) and ``KillUserProcesses=`` there; what is asked:
org.freedesktop.login1(5).
"""

import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.checks._read import text_of, user_name
from console.checks.base import Asked, Check, Finding

ASK_S_MAX: Final = 5.0
_FOLDERS: Final = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
_KEYS: Final = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")
_MANAGER: Final = (
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
)
_YES: Final = {"yes", "y", "true", "t", "on", "1"}
_SESSION: Final = re.compile(r"/user-([0-9]+)\.slice/session-")


class Seen(Struct, frozen=True):
    """How logind is set up, and where this process stands.

    Attributes:
        systemd: Whether systemd runs this machine.
        settings: ``KillUserProcesses`` and the like, as far as they are known.
        user: Whose login this is; ``sudo`` changes the user, and not the login.
        lingers: Whether the user's services outlive the last session.
        cgroup: ``/proc/self/cgroup``.
    """

    systemd: bool
    settings: Mapping[str, str] = {}
    user: str = ""
    lingers: bool = False
    cgroup: str = ""


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Ask logind, or else read its files."""
    if not Path("/run/systemd/system").is_dir():
        return Seen(systemd=False)
    cgroup = text_of("/proc/self/cgroup")
    session = _SESSION.search(cgroup)
    user = user_name(int(session[1]) if session else None)
    settings = ask() or parse([text_of(path) for path in _files()])
    return Seen(True, settings, user, Path("/var/lib/systemd/linger", user).exists(), cgroup)


def ask() -> dict[str, str]:
    """Return logind's own answer, also when its files were changed since; empty without one."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words
            ["busctl", "--system", "get-property", *_MANAGER, *_KEYS],  # noqa: S607 - as on the user's PATH
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ASK_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {} if answer.returncode else parse_answer(answer.stdout.decode(errors="replace"))


def parse_answer(text: str) -> dict[str, str]:
    """Return what ``busctl get-property`` told of ``_KEYS``, in the words of the files.

    A line is ``b false`` or ``as 2 "root" "ann"``.
    """
    try:
        lines = [shlex.split(line) for line in text.splitlines()]
    except ValueError:
        return {}
    if [line[:1] for line in lines] != [["b"], ["as"], ["as"]] or len(lines[0]) != 2:
        return {}
    kills, only, excluded = lines
    values = (kills[1], " ".join(only[2:]), " ".join(excluded[2:]))
    return dict(zip(_KEYS, values, strict=True))


def parse(texts: list[str]) -> dict[str, str]:
    """Return the settings of ``[Login]``; a later file overrides an earlier one.

    What is not set stands in the main file as a comment that names what was built in: systemd
    itself has "yes" for ``KillUserProcesses``, most distributions make that a "no".
    """
    built_in: dict[str, str] = {}
    found: dict[str, str] = {}
    for text in texts:
        section = ""
        for raw in text.splitlines():
            line = raw.strip()
            if line.startswith("["):
                section = line
            known = built_in if line.startswith("#") else found
            name, sign, value = line.lstrip("#").partition("=")
            if section == "[Login]" and sign and name.strip() in _KEYS:
                known[name.strip()] = value.strip()
    return {**built_in, **found}


def judge(seen: Seen) -> list[Finding]:
    """A session's processes may be killed with it, a user manager's end with the last session."""
    if not seen.systemd:
        return [Finding("logind", "ok", "no systemd here: nothing ends with a login")]
    in_session = "/session-" in seen.cgroup
    kills = _kills(seen)
    linger = "" if seen.lingers else "loginctl enable-linger, then "
    cure = f"{linger}start with: systemd-run --user --scope seedstorm"
    if in_session and kills:
        found = f"KillUserProcesses=yes: a run of {seen.user} is killed when the login ends"
        return [Finding("logind", "warn", found, cure)]
    if in_session and kills is None:
        found = "whether a run is killed when the login ends cannot be told: logind does not answer"
        return [Finding("logind", "warn", found, f"to be safe: {cure}")]
    if "/user@" in seen.cgroup and not seen.lingers:
        found = f"{seen.user} does not linger: a run is killed when the last login ends"
        return [Finding("logind", "warn", found, "loginctl enable-linger")]
    lingers = ", lingers" if seen.lingers else ""
    return [Finding("logind", "ok", f"a run of {seen.user} outlives its login{lingers}")]


def _kills(seen: Seen) -> bool | None:
    """Return whether a login's processes end with it; None when that cannot be told."""
    only = seen.settings.get("KillOnlyUsers", "").split()
    excluded = seen.settings.get("KillExcludeUsers", "root").split()
    if seen.user in excluded or (only and seen.user not in only):
        return False
    value = seen.settings.get("KillUserProcesses", "")
    return value.lower() in _YES if value else None


def _files() -> list[Path]:
    """Return the main file and the drop-ins, in the order in which they are read."""
    mains = [path for folder in _FOLDERS if (path := Path(folder, "systemd/logind.conf")).is_file()]
    drop_ins: dict[str, Path] = {}
    for folder in _FOLDERS:
        for path in Path(folder, "systemd/logind.conf.d").glob("*.conf"):
            drop_ins.setdefault(path.name, path)  # one in /etc hides one of its name in /usr
    return [*mains[:1], *(drop_ins[name] for name in sorted(drop_ins))]


CHECK = Check("logind", 110, read, judge)
