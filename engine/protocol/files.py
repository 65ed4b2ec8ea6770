"""Reads the files that a user names: bounded, never waiting, and what is no file told in a line."""

import os
import stat
from pathlib import Path
from typing import Final

from engine.protocol.errors import UserError
from engine.protocol.limits import PATH_CHARS_MAX
from engine.protocol.text import printable

_HANDED_OVER: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Where a shell's ``cat F |`` and ``<(cat F)`` are found."""


def read_file(
    path: Path, bytes_max: int, where: str, wanted: str, *, may_be_pipe: bool = False
) -> bytes:
    """Return what is in a file.

    Args:
        path: The file.
        bytes_max: How large it may be.
        where: What it is called in an error.
        wanted: What to name instead, as in ``a TOML file``.
        may_be_pipe: A pipe is read, too, when whoever started this has opened it for that.

    Raises:
        UserError: It cannot be read, is no file, or is too large.
    """
    where = printable(where, PATH_CHARS_MAX + 100)
    try:
        # Nobody may ever write to a pipe: opening one must not wait for that.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = _no_file(descriptor, may_be_pipe and is_handed_over(path))
            if found:
                raise UserError(f"{where}: cannot be read: it is {found}; name {wanted}")
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(bytes_max + 1)
        finally:
            os.close(descriptor)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise UserError(f"{where}: cannot be read: {reason}; name {wanted}") from problem
    except ValueError as problem:
        raise UserError(f"{where}: no file has such a name; name {wanted}") from problem
    if len(content) > bytes_max:
        raise UserError(f"{where}: larger than {bytes_max} bytes, the most allowed")
    return content


def check_path(path: str, where: str) -> None:
    """Refuse the path of a file that cannot be shown, nor kept in a manifest.

    Raises:
        UserError: It holds what is not printable, as NUL or an escape, or is too long.
    """
    shown = printable(path, PATH_CHARS_MAX)
    if shown != path:
        raise UserError(
            f"{where}: found {printable(shown, 200)!r}; allowed: a path of at most "
            f"{PATH_CHARS_MAX} printable characters"
        )


def is_handed_over(path: Path) -> bool:
    """Whether a path is of what another process has opened for this one."""
    return str(path).startswith(_HANDED_OVER)


def _no_file(descriptor: int, may_be_pipe: bool) -> str:
    """Return what it is in place of a file, empty for one, or for a pipe that may be read."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISFIFO(mode) and may_be_pipe:
        os.set_blocking(descriptor, True)
        return ""
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"))
    return next((word for holds, word in kinds if holds(mode)), "a device")
