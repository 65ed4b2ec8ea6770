"""Copies text out of the terminal: OSC 52 for the terminal, and a file for everyone else."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

COPY_CHARS_MAX: Final = 50_000
"""Terminals cut OSC 52 at about 75,000 bytes of base64."""


def osc52(text: str, inside_tmux: bool) -> str:
    """Return the sequence that asks the terminal to take ``text`` into its clipboard.

    Inside tmux it is sent twice: wrapped for the terminal around tmux (which needs
    ``allow-passthrough``), and as it is for tmux itself (which needs ``set-clipboard``).
    """
    data = base64.b64encode(text[:COPY_CHARS_MAX].encode("utf-8", "replace")).decode("ascii")
    sequence = f"\x1b]52;c;{data}\x07"
    if inside_tmux:
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\{sequence}"
    return sequence


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return ``$XDG_STATE_HOME/seedstorm``, where what outlives a console is kept."""
    state = environ.get("XDG_STATE_HOME") or ""
    if not state.startswith("/"):
        state = str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "state")
    return Path(state) / "seedstorm"


def copy_path(environ: Mapping[str, str]) -> Path:
    """Return the file that holds what was copied last."""
    return state_folder(environ) / "copied.txt"


def write_copy(path: Path, text: str) -> None:
    """Write ``text`` to the file, for its owner's eyes only.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - the mode must be right from the start
        file.write(text[:COPY_CHARS_MAX] + "\n")
