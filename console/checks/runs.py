"""Engines that run, and what dead ones left."""

import os
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.checks.base import Asked, Check, Finding, named_size
from engine.link.places import noted
from engine.protocol.text import printable

SHOWN_MAX: Final = 8
_SHARED: Final = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory, not a file of ours


class Seen(Struct, frozen=True):
    """What is there.

    Attributes:
        running: Names of engines that run.
        dead: Names of engines that died and left a note.
        memory: Blocks of shared memory whose engine is dead: path and size.
    """

    running: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    memory: tuple[tuple[str, int], ...] = ()


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Look, and clear nothing away."""
    alive, dead = noted()
    noted_memory = {entry.shared_memory for entry in dead}
    memory = tuple(
        (str(path), size) for path, size in _abandoned() if path.name not in noted_memory
    )
    return Seen(tuple(entry.run for entry in alive), tuple(entry.run for entry in dead), memory)


def judge(seen: Seen) -> list[Finding]:
    """Engines that run use ports and processor; leftovers only use space."""
    findings = []
    if seen.running:
        found = f"{len(seen.running)} running: {_names(seen.running)}"
        findings.append(Finding("runs", "ok", found))
    else:
        findings.append(Finding("runs", "ok", "nothing runs"))
    if seen.dead:
        found = f"{len(seen.dead)} died without a word: {_names(seen.dead)}"
        findings.append(Finding("leftovers", "warn", found, "seedstorm list (clears it away)"))
    if seen.memory:
        size = named_size(sum(size for _, size in seen.memory))
        found = f"{len(seen.memory)} blocks of shared memory of dead engines, {size}"
        cure = "rm " + " ".join(path for path, _ in seen.memory[:SHOWN_MAX])
        if len(seen.memory) > SHOWN_MAX:
            cure = f"the first {SHOWN_MAX}, then look again: {cure}"
        findings.append(Finding("leftovers", "warn", found, cure))
    return findings


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    return ", ".join(printable(name, 80) for name in names[:SHOWN_MAX]) + more


def _abandoned() -> list[tuple[Path, int]]:
    """Return this user's blocks of shared memory whose hub (named in theirs) is gone."""
    found = []
    for path in sorted(_SHARED.glob("seedstorm-*")):
        pid = path.name.split("-")[1]
        try:
            status = path.lstat()
        except OSError:  # it has just gone
            continue
        gone = pid.isdigit() and not Path("/proc", pid).exists()
        if gone and status.st_uid == os.getuid():
            found.append((path, status.st_size))
    return found


CHECK = Check("runs", 130, read, judge)
