"""Whether a run outlives its login: logind may kill what a user leaves behind.

What is read and in which order: logind.conf(5) and ``KillUserProcesses=`` there.
"""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.checks._read import text_of
from console.checks.base import Asked, Check, Finding

_FOLDERS: Final = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
_KEYS: Final = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")


class Seen(Struct, frozen=True):
    """How logind is set up, and where this process stands.

    Attributes:
        systemd: Whether systemd runs this machine.
        settings: ``KillUserProcesses`` and the like, where set.
        user: The user's name.
        lingers: Whether the user's services outlive the last session.
        cgroup: ``/proc/self/cgroup``.
    """

    systemd: bool
    settings: Mapping[str, str] = {}
    user: str = ""
    lingers: bool = False
    cgroup: str = ""


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read logind's files; logind itself is not asked."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user that has no name here, as in containers
        user = str(os.getuid())
    return Seen(
        Path("/run/systemd/system").is_dir(),
        parse([text_of(path) for path in _files()]),
        user,
        Path("/var/lib/systemd/linger", user).exists(),
        text_of("/proc/self/cgroup"),
    )


def parse(texts: list[str]) -> dict[str, str]:
    """Return the settings of ``[Login]``; a later file overrides an earlier one."""
    found: dict[str, str] = {}
    for text in texts:
        section = ""
        for raw in text.splitlines():
            line = raw.strip()
            if line.startswith("["):
                section = line
            name, sign, value = line.partition("=")
            if section == "[Login]" and sign and name.strip() in _KEYS:
                found[name.strip()] = value.strip()
    return found


def judge(seen: Seen) -> list[Finding]:
    """A session's processes may be killed with it, a user manager's end with the last session."""
    if not seen.systemd:
        return [Finding("logind", "ok", "no systemd here: nothing ends with a login")]
    in_session = "/session-" in seen.cgroup
    linger = "" if seen.lingers else "loginctl enable-linger, then "
    if in_session and _kills(seen):
        found = f"KillUserProcesses=yes: a run of {seen.user} is killed when the login ends"
        cure = f"{linger}start with: systemd-run --user --scope seedstorm"
        return [Finding("logind", "warn", found, cure)]
    if "/user@" in seen.cgroup and not seen.lingers:
        found = f"{seen.user} does not linger: a run is killed when the last login ends"
        return [Finding("logind", "warn", found, "loginctl enable-linger")]
    lingers = ", lingers" if seen.lingers else ""
    return [Finding("logind", "ok", f"a run of {seen.user} outlives its login{lingers}")]


def _kills(seen: Seen) -> bool:
    if seen.settings.get("KillUserProcesses", "no").lower() not in {"yes", "true", "on", "1"}:
        return False
    only = seen.settings.get("KillOnlyUsers", "").split()
    excluded = seen.settings.get("KillExcludeUsers", "root").split()
    return seen.user not in excluded and (not only or seen.user in only)


def _files() -> list[Path]:
    """Return the main file and the drop-ins, in the order in which they are read."""
    mains = [path for folder in _FOLDERS if (path := Path(folder, "systemd/logind.conf")).is_file()]
    drop_ins: dict[str, Path] = {}
    for folder in _FOLDERS:
        for path in Path(folder, "systemd/logind.conf.d").glob("*.conf"):
            drop_ins.setdefault(path.name, path)  # one in /etc hides one of its name in /usr
    return [*mains[:1], *(drop_ins[name] for name in sorted(drop_ins))]


CHECK = Check("logind", 110, read, judge)
