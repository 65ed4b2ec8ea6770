"""What a command says on stdout and stderr; either may be closed, full, or without a reader."""

import os
import sys
from typing import TextIO

from engine.protocol.errors import UserError


def settle_streams() -> None:
    """Make descriptors 0, 1 and 2 safe to own, whichever of them were closed at the start.

    What is opened later would else become this process's stdin, stdout or stderr. ``sys.stdin``
    and ``sys.stdout`` stay None then: nothing can be read or said. ``sys.stderr`` becomes a
    stream to nowhere, because ``print(file=None)`` means stdout.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lasts as long as the process


def put(text: str) -> None:
    """Write to stdout at once; one that is closed or whose reader has left hears nothing.

    Raises:
        UserError: It cannot be written, as on a full disk.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as problem:
        raise unwritable(problem) from problem


def say(text: str) -> bool:
    """Write a line to stderr at once; return whether it has a reader.

    A stderr that cannot be written is led to nowhere: there is no place left to tell it.
    """
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress and complaints are output
    except OSError as problem:
        silence(sys.stderr)
        return not isinstance(problem, BrokenPipeError)
    return True


def unwritable(problem: OSError) -> UserError:
    """Return what to tell when stdout cannot be written; nothing more is written to it."""
    if sys.stdout is not None:
        silence(sys.stdout)
    return UserError(f"stdout cannot be written: {problem.strerror or problem}")


def silence(stream: TextIO) -> None:
    """Lead a stream to nowhere: what it still holds would else fail once more at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
