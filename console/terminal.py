"""The terminal before Textual is there: its import takes most of the first paint's budget."""

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Final

ALT_SCREEN: Final = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
MAIN_SCREEN: Final = "\x1b[?25h\x1b[?1049l"
FALLBACK_SIZE: Final = (80, 24)
ESCAPE_MS_LOCAL: Final = 25
ESCAPE_MS_REMOTE: Final = 100
"""Over SSH an escape sequence may arrive in pieces; a piece must not become a key."""


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what Textual reads from the environment when it is imported."""
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    environ.setdefault("ESCDELAY", str(ESCAPE_MS_REMOTE if remote else ESCAPE_MS_LOCAL))


def size_of(fd: int) -> tuple[int, int]:
    """Return a terminal's columns and rows as it tells them.

    ``COLUMNS`` and ``LINES`` are not asked: they are frozen when something exported them
    (GNU readline does, in every program that loads it) and hide a change of the size.
    """
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        return FALLBACK_SIZE
    return columns or FALLBACK_SIZE[0], rows or FALLBACK_SIZE[1]


@contextmanager
def splash(fd: int = 1) -> Iterator[None]:
    """Show at once that something starts, while the body imports the rest.

    Textual takes the screen over as it is. When the body fails, the user's screen
    comes back.

    Args:
        fd: The terminal.
    """
    columns, rows = size_of(fd)
    word = "○ seedstorm is starting"[: max(0, columns)]
    at = f"\x1b[{max(1, rows // 2)};{max(1, (columns - len(word)) // 2 + 1)}H"
    os.write(fd, f"{ALT_SCREEN}{at}{word}".encode())
    with given_back(fd):
        yield


@contextmanager
def given_back(fd: int = 1) -> Iterator[None]:
    """Give the user's screen back when the body fails.

    Args:
        fd: The terminal.
    """
    try:
        yield
    except BaseException:  # whatever it is goes on; the screen is given back first
        os.write(fd, MAIN_SCREEN.encode())
        raise
