"""The user's folders, by the XDG Base Directory Specification; None where there is no home.

A process without ``HOME`` whose user is in no passwd file (a container's arbitrary uid) has no
home at all.
"""

from collections.abc import Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """Return ``$XDG_STATE_HOME/seedstorm``, where what outlives a console is kept."""
    return _folder(environ, "XDG_STATE_HOME", Path(".local", "state"))


def config_folder(environ: Mapping[str, str]) -> Path | None:
    """Return ``$XDG_CONFIG_HOME/seedstorm``, where what the user chose is kept."""
    return _folder(environ, "XDG_CONFIG_HOME", Path(".config"))


def _folder(environ: Mapping[str, str], name: str, below_home: Path) -> Path | None:
    base = environ.get(name) or ""
    # The specification: a relative path is to be ignored.
    if base.startswith("/"):
        return Path(base) / "seedstorm"
    try:
        home = Path(environ.get("HOME") or "~").expanduser()
    except RuntimeError:
        return None
    return home / below_home / "seedstorm"
