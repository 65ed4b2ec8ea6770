"""The processor time that a cgroup leaves a process, of both versions (cgroups(7))."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from msgspec import Struct


class _Mount(Struct, frozen=True):
    version: int
    root: PurePosixPath
    place: PurePosixPath


def quota_cores(mountinfo: str, membership: str, read: Callable[[str], str]) -> float | None:
    """Return the cores that the tightest limit on the way up comes to; None for no limit.

    Args:
        mountinfo: ``/proc/self/mountinfo`` (proc(5)).
        membership: ``/proc/self/cgroup``.
        read: Returns a file's text, empty when there is none.
    """
    limits = []
    for mount in _mounts(mountinfo):
        group = _group(membership, mount.version)
        for folder in _upwards(mount, group):
            limit = _limit(mount.version, folder, read)
            if limit is not None:
                limits.append(limit)
    return min(limits, default=None)


def _limit(version: int, folder: PurePosixPath, read: Callable[[str], str]) -> float | None:
    if version == 2:
        return _cores(read(f"{folder}/cpu.max").split())
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    return _cores([word for name in names for word in read(f"{folder}/{name}").split()])


def _cores(words: list[str]) -> float | None:
    """Return a quota over its period, both in µs; ``max`` and ``-1`` are none."""
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])


def _mounts(mountinfo: str) -> Iterator[_Mount]:
    """Find where cgroups that count processor time are mounted."""
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        ours, theirs = fields.split(), rest.split()
        if len(ours) < 5 or len(theirs) < 3:
            continue
        version = {"cgroup": 1, "cgroup2": 2}.get(theirs[0], 0)
        if version == 2 or (version == 1 and "cpu" in theirs[2].split(",")):
            yield _Mount(version, _path(ours[3]), _path(ours[4]))


def _group(membership: str, version: int) -> PurePosixPath:
    """Return the group that a process is in, as seen from the top of its cgroup namespace."""
    for line in membership.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "cpu" in controllers.split(",") if version == 1 else (number, controllers) == ("0", ""):
            return PurePosixPath(path or "/")
    return PurePosixPath("/")


def _upwards(mount: _Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Name the group's folder and each above it, as far as the mount shows them."""
    inside = group.is_relative_to(mount.root) and ".." not in group.parts
    below = group.relative_to(mount.root) if inside else PurePosixPath()
    yield from (mount.place / each for each in (below, *below.parents))


def _path(text: str) -> PurePosixPath:
    """Return a path of mountinfo, where blanks stand as octal numbers."""
    return PurePosixPath(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text))
