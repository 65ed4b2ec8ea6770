"""A file system for SQLite that writes down all it is told, and what a power cut leaves of it.

``Tape`` holds every write, truncation and sync in order. ``Disk`` plays a tape: what was
synced is safe; of what came after the newest sync of a file each 512-byte sector may be on
the disk or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Op:
    """One call: ``write``, ``truncate``, ``sync``, ``delete``; or ``acked``, ``at`` a tick."""

    what: str
    file: str = ""
    at: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Tape:
    """Every call in order.

    Attributes:
        ops: The calls.
        fail: Called before each call with its name; may raise.
    """

    ops: list[Op] = field(default_factory=list)
    fail: Any = None

    def take(self, op: Op) -> None:
        if self.fail is not None:
            self.fail(op)
        self.ops.append(op)


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], tape: Tape) -> None:
        super().__init__("", name, flags)
        self._tape = tape
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.take(Op("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.take(Op("truncate", self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._tape.take(Op("sync", self._name))
        super().xSync(flags)


class _Vfs(apsw.VFS):
    def __init__(self, name: str, tape: Tape) -> None:
        super().__init__(name, "")
        self._tape = tape

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(name, flags, self._tape)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        self._tape.take(Op("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


@contextmanager
def taped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    """Have every database that is opened meanwhile write to the tape.

    The lock is exclusive, because a VFS in Python has no shared memory.
    """
    tape = Tape()
    name = f"tape-{id(tape)}"
    vfs = _Vfs(name, tape)
    connect = apsw.Connection

    def connection(filename: str) -> apsw.Connection:
        db = connect(filename, vfs=name)
        db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        return db

    with monkeypatch.context() as patched:
        patched.setattr(apsw, "Connection", connection)
        yield tape
    vfs.unregister()


class Disk:
    """Files as they are after some calls; call by call."""

    def __init__(self) -> None:
        self._safe: dict[str, bytearray] = {}
        self._unsafe: dict[str, list[Op]] = {}
        self.acked = -1

    def play(self, op: Op) -> None:
        """Take in one call."""
        if op.what == "acked":
            self.acked = op.at
        elif op.what == "delete":
            self._safe.pop(op.file, None)
            self._unsafe.pop(op.file, None)
        elif op.what == "sync":
            file = self._safe.setdefault(op.file, bytearray())
            for each in self._unsafe.pop(op.file, []):
                _change(file, each)
        else:
            self._unsafe.setdefault(op.file, []).append(op)

    def after_a_cut(self, random: Random, kept_pct: int) -> dict[str, bytes]:
        """Return the files as the next start finds them.

        Args:
            random: Chooses.
            kept_pct: How many of 100 unsynced sectors are on the disk.
        """
        found = {name: bytearray(data) for name, data in self._safe.items()}
        for name, ops in self._unsafe.items():
            file = found.setdefault(name, bytearray())
            for op in ops:
                for part in _sectors(op):
                    if random.randrange(100) < kept_pct:
                        _change(file, part)
        return {name: bytes(data) for name, data in found.items()}


def _sectors(op: Op) -> Iterator[Op]:
    if op.what != "write":
        yield op
        return
    begin = 0
    while begin < len(op.data):
        end = (op.at + begin) // SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES - op.at
        yield Op("write", op.file, op.at + begin, op.data[begin:end])
        begin = end


def _change(file: bytearray, op: Op) -> None:
    if op.what == "truncate":
        del file[op.at :]
        return
    if len(file) < op.at:
        file.extend(bytes(op.at - len(file)))
    file[op.at : op.at + len(op.data)] = op.data
