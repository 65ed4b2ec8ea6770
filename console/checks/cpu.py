"""Whether there is processor time for a world and its players, and who else takes it."""

import os
import time
from typing import Final

from msgspec import Struct

from console.checks._read import text_of
from console.checks.base import Asked, Check, Finding

CORES_WANTED: Final = 2
SAMPLE_S: Final = 0.4
STEAL_PCT_MAX: Final = 5.0


class Seen(Struct, frozen=True):
    """The processors.

    Attributes:
        cores: How many this process may use.
        quota: How many a container's limit comes to; None for no limit.
        steal_pct: Share of the time that the host gave to others; None when it cannot be told.
        busy: Processes that run or want to, on average over a minute.
    """

    cores: int
    quota: float | None = None
    steal_pct: float | None = None
    busy: float = 0.0


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read the counters twice, ``SAMPLE_S`` apart."""
    before = text_of("/proc/stat")
    time.sleep(SAMPLE_S)
    return Seen(
        len(os.sched_getaffinity(0)),
        quota_of(text_of("/sys/fs/cgroup/cpu.max")),
        steal_pct(before, text_of("/proc/stat")),
        os.getloadavg()[0],
    )


def quota_of(text: str) -> float | None:
    """Return the cores of a cgroup's ``cpu.max`` (``200000 100000`` is 2); None for no limit."""
    words = text.split()
    if len(words) != 2 or not all(word.isdigit() for word in words) or words[1] == "0":
        return None
    return int(words[0]) / int(words[1])


def steal_pct(before: str, after: str) -> float | None:
    """Return the steal between two readings of ``/proc/stat`` in percent (proc(5))."""
    first, last = _times(before), _times(after)
    if not first or not last:
        return None
    spent = [end - start for start, end in zip(first, last, strict=False)]
    total = sum(spent[:8])  # user to steal; guests are in user already
    return 100.0 * spent[7] / total if total > 0 else None


def judge(seen: Seen) -> list[Finding]:
    """What is missing makes figures worse, and the run says so: a warning."""
    have = seen.cores if seen.quota is None else min(seen.cores, seen.quota)
    limit = "" if seen.quota is None else f", limited to {seen.quota:g} by a cgroup"
    steal = "" if seen.steal_pct is None else f", {seen.steal_pct:.0f} % stolen by the host"
    found = f"{seen.cores} cores{limit}{steal}, load {seen.busy:.1f}"
    if have < CORES_WANTED:
        cure = f"give it {CORES_WANTED} cores, or use fewer players: world and squad share one now"
        return [Finding("cpu", "warn", found, cure)]
    if seen.steal_pct is not None and seen.steal_pct > STEAL_PCT_MAX:
        cure = "another guest uses the host: latencies will show it; use a machine of its own"
        return [Finding("cpu", "warn", found, cure)]
    if seen.busy > have:
        cure = "something else is at work here: look with top; figures will suffer"
        return [Finding("cpu", "warn", found, cure)]
    return [Finding("cpu", "ok", found)]


def _times(text: str) -> list[int]:
    words = text.partition("\n")[0].split()
    if len(words) < 9 or words[0] != "cpu" or not all(word.isdigit() for word in words[1:]):
        return []
    return [int(word) for word in words[1:]]


CHECK = Check("cpu", 100, read, judge)
