"""The world's state arrays in shared memory, for readers that must not disturb ticks.

A seqlock: the writer makes a counter odd, copies, makes it even; a reader copies and
starts again when the counter was odd or has changed. Nobody waits for anybody.

The block is a file in ``/dev/shm`` that is mapped directly:
``multiprocessing.shared_memory`` would start a tracker process for every reader, and
that tracker removes the block under the others.
"""

import errno
import mmap
import os
import re
import stat
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import ExitCode, UserError
from engine.world.state import COLUMNS, State

_FOLDER = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MAGIC = 0x53454544_53544D31
_HEADER_WORDS = 8
_MAGIC_AT, _CAPACITY_AT, _VERSION_AT, _TICK_AT, _COUNT_AT = range(5)
_READ_TRIES_MAX = 200
_READ_PAUSE_S = 0.0005

Columns = dict[str, NDArray[np.generic]]


class SharedStateBusy(RuntimeError):
    """No consistent copy could be had: the writer died in the middle of one, or never rests."""


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise ValueError(f"not a name for shared memory: {name!r}")
    return _FOLDER / name


def _layout(capacity: int) -> tuple[dict[str, tuple[int, str]], int]:
    """Return where each column begins, and the size of it all in bytes."""
    at = _HEADER_WORDS * 8
    places: dict[str, tuple[int, str]] = {}
    for name, dtype in COLUMNS:
        places[name] = (at, dtype)
        at += -(-capacity * np.dtype(dtype).itemsize // 8) * 8
    return places, at


class SharedState:
    """One end of the block: made by the world with ``create``, read after ``attach``."""

    def __init__(self, name: str, block: mmap.mmap, capacity: int) -> None:
        self.name = name
        self.capacity = capacity
        self._header: NDArray[np.uint64] = np.frombuffer(block, np.uint64, _HEADER_WORDS)
        places, _ = _layout(capacity)
        self._columns: Columns = {
            column: np.frombuffer(block, dtype, capacity, at)
            for column, (at, dtype) in places.items()
        }

    @classmethod
    def create(cls, name: str, capacity: int) -> "SharedState":
        """Make the block, or take over the one a killed world left under this name.

        Readers that are attached to a block of the same size go on reading it.

        Raises:
            UserError: There is no room for it, or the name belongs to someone else.
        """
        path = _path(name)
        _, size = _layout(capacity)
        if os.path.lexists(path) and path.lstat().st_size != size:
            path.unlink()
        try:
            block = _map_new(path, size)
        except OSError as problem:
            raise UserError(
                f"cannot make {size / 1e6:.1f} MB of shared memory at {path}: {problem.strerror}",
                ExitCode.OWN_FAULT,
            ) from problem
        shared = cls(name, block, capacity)
        header = shared._header
        header[_MAGIC_AT], header[_CAPACITY_AT] = _MAGIC, capacity
        header[_VERSION_AT] += header[_VERSION_AT] & np.uint64(1)
        return shared

    @classmethod
    def attach(cls, name: str) -> "SharedState":
        """Open a block for reading.

        Raises:
            FileNotFoundError: There is none of this name.
            ValueError: It is not one of ours.
        """
        descriptor = os.open(_path(name), os.O_RDONLY | os.O_NOFOLLOW)
        try:
            block = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        if len(block) < _HEADER_WORDS * 8:
            raise ValueError(f"shared memory {name!r} is no state of a world")
        header = np.frombuffer(block, np.uint64, _HEADER_WORDS)
        capacity = int(header[_CAPACITY_AT])
        _, size = _layout(min(capacity, len(block)))
        if header[_MAGIC_AT] != _MAGIC or size != len(block):
            raise ValueError(f"shared memory {name!r} is no state of a world of this version")
        return cls(name, block, capacity)

    def publish(self, state: State, tick: int) -> None:
        """Copy the rows in use and the number of the tick that made them."""
        header, count = self._header, state.count
        header[_VERSION_AT] += np.uint64(1)
        for name, column in self._columns.items():
            column[:count] = state.columns[name][:count]
        header[_TICK_AT], header[_COUNT_AT] = tick, count
        header[_VERSION_AT] += np.uint64(1)

    def read(self, columns: Iterable[str] | None = None) -> tuple[int, Columns]:
        """Return the tick and a consistent copy of the rows in use.

        Args:
            columns: Names of the columns wanted; all by default.

        Raises:
            SharedStateBusy: After about 100 ms without a consistent copy.
        """
        names = list(self._columns) if columns is None else list(columns)
        header = self._header
        for _ in range(_READ_TRIES_MAX):
            before = int(header[_VERSION_AT])
            if before % 2 == 0:
                tick, count = int(header[_TICK_AT]), int(header[_COUNT_AT])
                copies = {name: self._columns[name][:count].copy() for name in names}
                if int(header[_VERSION_AT]) == before:
                    return tick, copies
            time.sleep(_READ_PAUSE_S)
        raise SharedStateBusy(f"shared memory {self.name!r}: no consistent copy")

    def close(self) -> None:
        """Let go of the block; it stays for the others, and is not to be used here any more."""
        # The mapping goes with its last array; closing it under one would be an error.
        self._columns = {}
        self._header = np.zeros(_HEADER_WORDS, np.uint64)

    def unlink(self) -> None:
        """Remove the name; the memory goes when the last one lets go."""
        _path(self.name).unlink(missing_ok=True)


def _map_new(path: Path, size: int) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it belongs to someone else")
        # Takes the memory now: a full /dev/shm is an error here and not a SIGBUS in a tick.
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    except OSError:
        if found.st_size == 0:
            path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
