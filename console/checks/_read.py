"""Reads small files of the system: bounded, and empty where there is nothing to read."""

import os
import pwd
from pathlib import Path
from typing import Final

TEXT_BYTES_MAX: Final = 1024 * 1024


def text_of(path: str | Path) -> str:
    """Return a file's text, cut to ``TEXT_BYTES_MAX``; empty when it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(TEXT_BYTES_MAX).decode(errors="replace")
    except OSError:
        return ""


def environment() -> dict[str, str]:
    """Return the environment that this process was started with.

    Python itself changes LC_CTYPE at its start where it finds the C locale (PEP 538).
    """
    pairs = (pair.partition("=") for pair in text_of("/proc/self/environ").split("\0") if pair)
    return {name: value for name, _, value in pairs} or dict(os.environ)


def user_name(uid: int | None = None) -> str:
    """Return a user's name, or the number of one that has none, as in containers.

    Args:
        uid: Who; whoever asks when None.
    """
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def command_of(pid: int, chars_max: int = 60) -> str:
    """Return a process's command line, cut; empty when it is not to be read."""
    words = text_of(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    return words if len(words) <= chars_max else words[: chars_max - 1] + "…"


def nearest_folder(path: Path) -> Path:
    """Return ``path`` or the nearest folder above it that exists."""
    for folder in (path, *path.parents):
        try:
            folder.stat()
        except OSError:
            continue
        return folder
    return Path("/")
