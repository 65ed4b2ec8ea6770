"""What a console begins with: its first view, and the hint for who has never seen one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from console.folders import state_folder
from console.keymap import Keymap
from console.model import View

HINT_S: Final = 45.0
"""The first-run hint goes by itself after this long."""
_HINT_WORDS: Final = (
    ("fault", "fault"),
    ("load_up", "load"),
    ("filter", "filter"),
    ("freeze", "freeze"),
    ("zoom", "zoom"),
    ("help", "help"),
    ("quit", "quit"),
)


def first_view(keymap: Keymap, theme: str, mono: bool) -> View:
    """Return the view a console opens with; the strip's hints name the keys as they are bound."""
    hints = []
    for action, word in _HINT_WORDS:
        key = keymap.key(action)
        if action == "load_up":
            key = f"{key} {keymap.key('load_down')}"
        hints.append((key, word))
    return View(
        theme=theme,
        mono=mono,
        hints=tuple(hints),
        quit_key=keymap.key("quit"),
        mouse_key=keymap.key("mouse"),
        follow_key=keymap.key("follow"),
    )


def hint_path(environ: Mapping[str, str]) -> Path | None:
    """Return the file that says that the first-run hint was shown; None without a home."""
    folder = state_folder(environ)
    return None if folder is None else folder / "hint-shown"


def hint_is_due(environ: Mapping[str, str]) -> bool:
    """Whether the first-run hint was never shown; also where that cannot be found out."""
    path = hint_path(environ)
    try:
        return path is None or not path.exists()
    except OSError:
        return True


def hint_was_shown(environ: Mapping[str, str]) -> None:
    """Remember it; where nothing can be written, the hint comes again another time."""
    path = hint_path(environ)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:
        return
