"""Whether runs can be written down: the folder, its free space, and shared memory."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from console.checks._read import nearest_folder
from console.checks.base import Asked, Check, Finding, named_size
from engine.protocol.limits import FREE_BYTES_MIN

LITTLE_BYTES: Final = 1024**3
"""About an hour of 1,000 players, at 60 bytes an event."""
SHARED_BYTES_MIN: Final = 4 * 1024**2
"""The state of 10,000 players with room for as many more takes half of this."""
SHARED_BYTES_LITTLE: Final = 16 * 1024**2
SHARED_MB_MORE: Final = 256
SHARED: Final = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory, not a file of ours


class Seen(Struct, frozen=True):
    """Where runs are kept.

    Attributes:
        runs_dir: The folder for capsules; empty when there is no home to put it in.
        nearest: That folder, or the nearest above it that exists.
        problem: Why nothing can be written there; empty when it can.
        free_bytes: Free space there; None when it cannot be told.
        shared_free_bytes: Free space for shared memory; None when there is no place for it.
        shared_problem: Why nothing can be written there; empty when it can.
        shared_bytes: How large that place is, free or not.
    """

    runs_dir: str
    nearest: str = ""
    problem: str = ""
    free_bytes: int | None = None
    shared_free_bytes: int | None = None
    shared_problem: str = ""
    shared_bytes: int = 0


def read(asked: Asked) -> Seen:
    """Look at the folder, or where it would be made; nothing is left there."""
    seen = Seen(
        "",
        shared_free_bytes=_free_bytes(SHARED),
        shared_problem=_problem(SHARED),
        shared_bytes=_bytes(SHARED),
    )
    if asked.runs_dir is None:
        return seen
    folder = nearest_folder(asked.runs_dir)
    return structs.replace(
        seen,
        runs_dir=str(asked.runs_dir),
        nearest=str(folder),
        problem=_problem(folder),
        free_bytes=_free_bytes(folder),
    )


def judge(seen: Seen) -> list[Finding]:
    """A run needs a folder and ``FREE_BYTES_MIN``, and tells when less is left."""
    return [_folder(seen), *_space(seen), _shared(seen)]


def _folder(seen: Seen) -> Finding:
    cure = "name another folder: --runs-dir DIR; for all runs: export XDG_STATE_HOME=DIR"
    if not seen.runs_dir:
        found = "there is no place for it: neither XDG_STATE_HOME nor HOME is set"
        return Finding("runs folder", "fail", found, cure)
    if seen.problem:
        found = f"{seen.runs_dir}: cannot be written ({seen.nearest}: {seen.problem})"
        return Finding("runs folder", "fail", found, cure)
    made = "" if seen.nearest == seen.runs_dir else " (the first run makes it)"
    return Finding("runs folder", "ok", f"{seen.runs_dir}{made}")


def _space(seen: Seen) -> list[Finding]:
    if seen.free_bytes is None or seen.problem:
        return []
    found = f"{named_size(seen.free_bytes)} free for runs"
    cure = f"make room on the disk of {seen.nearest}, or name another: --runs-dir DIR"
    if seen.free_bytes < FREE_BYTES_MIN:
        found = f"{found}; a run does not begin with less than {named_size(FREE_BYTES_MIN)}"
        return [Finding("disk", "fail", found, cure)]
    if seen.free_bytes < LITTLE_BYTES:
        found = f"{found}; 1,000 players write about {named_size(LITTLE_BYTES)} an hour"
        return [Finding("disk", "warn", found, cure)]
    return [Finding("disk", "ok", found)]


def _shared(seen: Seen) -> Finding:
    name, free = "shared memory", seen.shared_free_bytes
    # Another mount on top would hide what other programs have there: it grows instead.
    size = f"size={seen.shared_bytes // 1024**2 + SHARED_MB_MORE}m"
    cure = f"as root: mount -o remount,{size} {SHARED} (a container: --shm-size=256m)"
    if free is None:
        cure = f"as root: mkdir -p {SHARED} && mount -t tmpfs -o mode=1777 tmpfs {SHARED}"
        return Finding(name, "fail", f"{SHARED}: cannot be written (it is not there)", cure)
    if seen.shared_problem:
        found = f"{SHARED}: cannot be written ({seen.shared_problem})"
        cure = f"as root: mount -o remount,rw,{size} {SHARED} && chmod 1777 {SHARED}"
        return Finding(name, "fail", found, cure)
    found = f"{named_size(free)} free in {SHARED}"
    if free < SHARED_BYTES_MIN:
        found = f"{found}; 10,000 players take up to {named_size(SHARED_BYTES_MIN)}"
        return Finding(name, "fail", found, cure)
    if free < SHARED_BYTES_LITTLE:
        return Finding(name, "warn", f"{found}: enough for one run", cure)
    return Finding(name, "ok", found)


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).total
    except OSError:
        return 0


def _problem(folder: Path) -> str:
    """Return why no file can be made in a folder; empty when one can, which is gone at once."""
    if not folder.is_dir():
        return os.strerror(errno.ENOTDIR if folder.exists() else errno.ENOENT)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as problem:
        return os.strerror(problem.errno or errno.EIO)


CHECK = Check("disk", 60, read, judge)
