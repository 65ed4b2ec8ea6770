"""Copies text out of the terminal: OSC 52 for the terminal, and a file for everyone else."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from console.folders import state_folder

COPY_BYTES_MAX: Final = 56_000
"""Terminals drop an OSC 52 of more than about 75,000 bytes of base64, which is 4 for 3."""


def short_enough(text: str) -> str:
    """Return ``text``, or as much of its beginning as a terminal takes."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= COPY_BYTES_MAX else data[:COPY_BYTES_MAX].decode("utf-8", "ignore")


def osc52(text: str, inside_tmux: bool) -> str:
    """Return the sequence that asks the terminal to take ``text`` into its clipboard.

    Inside tmux it is sent twice: wrapped for the terminal around tmux (which needs
    ``allow-passthrough``), and as it is for tmux itself (which needs ``set-clipboard``).
    """
    data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    sequence = f"\x1b]52;c;{data}\x07"
    if inside_tmux:
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\{sequence}"
    return sequence


def copy_path(environ: Mapping[str, str]) -> Path | None:
    """Return the file that holds what was copied last, None where there is no place for it."""
    folder = state_folder(environ)
    return None if folder is None else folder / "copied.txt"


def write_copy(path: Path, text: str) -> None:
    """Write ``text`` to the file, for its owner's eyes only.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - the mode must be right from the start
        file.write(text.encode("utf-8", "replace") + b"\n")
