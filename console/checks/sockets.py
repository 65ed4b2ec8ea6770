"""Whether the folder for sockets is ours alone, and its path short enough."""

import os
import stat
import tempfile
from pathlib import Path

from msgspec import Struct

from console.checks.base import Asked, Check, Finding
from engine.link.places import SOCKET_PATH_BYTES_MAX

_CURE = "name another place: TMPDIR=/short/path seedstorm …"
_NAME_BYTES = len("/0123456789ab.events")
"""The longest name in it that cannot be made shorter."""


class Seen(Struct, frozen=True):
    """``$TMPDIR/seedstorm-UID`` as it is.

    Attributes:
        folder: Its path; empty when there is no temporary folder at all.
        user: Whoever asks.
        owner: Whose it is; None when it is not there yet.
        mode: Its permissions.
        is_folder: Whether it is a folder and not, say, a link to one.
        can_be_made: Whether there is a place to make it in, when it is not there yet.
    """

    folder: str
    user: int = 0
    owner: int | None = None
    mode: int = 0o700
    is_folder: bool = True
    can_be_made: bool = True


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Look at the folder without making it."""
    user = os.getuid()
    try:
        folder = Path(tempfile.gettempdir(), f"seedstorm-{user}")
    except FileNotFoundError:
        return Seen("", user)
    try:
        found = folder.lstat()
    except FileNotFoundError:
        writable = os.access(folder.parent, os.W_OK | os.X_OK)
        return Seen(str(folder), user, can_be_made=writable)
    is_folder = stat.S_ISDIR(found.st_mode)
    return Seen(str(folder), user, found.st_uid, stat.S_IMODE(found.st_mode), is_folder)


def judge(seen: Seen) -> list[Finding]:
    """What ``engine.link.places`` would refuse, before it does."""
    return [Finding("sockets folder", *_judged(seen))]  # type: ignore[arg-type]  # the rest of a Finding


def _judged(seen: Seen) -> tuple[str, str, str]:
    if not seen.folder:
        return "fail", "there is no temporary folder that can be written", _CURE
    length = len(os.fsencode(seen.folder)) + _NAME_BYTES
    if length > SOCKET_PATH_BYTES_MAX:
        most = SOCKET_PATH_BYTES_MAX - _NAME_BYTES
        found = f"{seen.folder} has {length - _NAME_BYTES} bytes; {most} is the most for a socket"
        return "fail", found, _CURE
    if not seen.is_folder:
        return "fail", f"{seen.folder} is not a folder", f"rm {seen.folder}; or {_CURE}"
    if seen.owner is None:
        if not seen.can_be_made:
            return "fail", f"{seen.folder} cannot be made: its place is not to be written", _CURE
        return "ok", f"{seen.folder} (the first run makes it)", ""
    if seen.owner != seen.user:
        return "fail", f"{seen.folder} belongs to user {seen.owner}, not to {seen.user}", _CURE
    if seen.mode & 0o077:
        cure = f"look at what is in it, then: chmod 700 {seen.folder}"
        return "fail", f"{seen.folder} is open to others (mode {seen.mode:04o})", cure
    if seen.mode & 0o700 != 0o700:
        return "fail", f"{seen.folder} has mode {seen.mode:04o}", f"chmod 700 {seen.folder}"
    return "ok", f"{seen.folder}, yours alone", ""


CHECK = Check("sockets folder", 70, read, judge)
