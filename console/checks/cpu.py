"""Whether there is processor time for a world and its players, and who else takes it."""

import os
import re
import time
from typing import Final

from msgspec import Struct

from console.checks._cgroup import quota_cores
from console.checks._read import text_of
from console.checks.base import Asked, Check, Finding

CORES_WANTED: Final = 2
SAMPLE_S: Final = 0.4
STEAL_PCT_MAX: Final = 5.0


class Seen(Struct, frozen=True):
    """The processors.

    Attributes:
        cores: How many this process may use.
        cores_all: How many there are, of which others may use the rest.
        quota: How many a cgroup's limit comes to; None for no limit.
        steal_pct: Share of the time that the host gave to others; None when it cannot be told.
        busy: Processes on all cores that run or want to, on average over a minute.
    """

    cores: int
    cores_all: int
    quota: float | None = None
    steal_pct: float | None = None
    busy: float = 0.0


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read the counters twice, ``SAMPLE_S`` apart."""
    before = text_of("/proc/stat")
    time.sleep(SAMPLE_S)
    cores = len(os.sched_getaffinity(0))
    return Seen(
        cores,
        max(cores, cores_in(before)),
        quota_cores(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"), text_of),
        steal_pct(before, text_of("/proc/stat")),
        os.getloadavg()[0],
    )


def cores_in(text: str) -> int:
    """Return how many processors ``/proc/stat`` tells of."""
    return len(re.findall(r"^cpu[0-9]+ ", text, re.MULTILINE))


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
    of_all = f" of {seen.cores_all}" if seen.cores_all > seen.cores else ""
    limit = "" if seen.quota is None else f", limited to {seen.quota:g} by a cgroup"
    steal = "" if seen.steal_pct is None else f", {seen.steal_pct:.0f} % stolen by the host"
    found = f"{seen.cores}{of_all} cores{limit}{steal}, load {seen.busy:.1f}"
    if have < CORES_WANTED:
        cure = f"give it {CORES_WANTED} cores, or use fewer players: world and squad share one now"
        return [Finding("cpu", "warn", found, cure)]
    if seen.steal_pct is not None and seen.steal_pct > STEAL_PCT_MAX:
        cure = "another guest uses the host: latencies will show it; use a machine of its own"
        return [Finding("cpu", "warn", found, cure)]
    if seen.busy > seen.cores_all:  # the load is the machine's, whatever part of it is ours
        cure = "something else is at work here: look with top; figures will suffer"
        return [Finding("cpu", "warn", found, cure)]
    return [Finding("cpu", "ok", found)]


def _times(text: str) -> list[int]:
    words = text.partition("\n")[0].split()
    if len(words) < 9 or words[0] != "cpu" or not all(word.isdigit() for word in words[1:]):
        return []
    return [int(word) for word in words[1:]]


CHECK = Check("cpu", 100, read, judge)
