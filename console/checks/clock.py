"""Whether time can be measured, and whether the wall clock is to be trusted."""

import ctypes
import os
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

import console
from console.checks._read import text_of
from console.checks.base import Asked, Check, Finding

RESOLUTION_S_MAX: Final = 0.001
"""Latencies are told to a tenth of this."""
_SOURCES: Final = "/sys/devices/system/clocksource/clocksource0"
_SLOW_SOURCES: Final = ("hpet", "acpi_pm", "jiffies", "pit")
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 512
"""More than ``struct timex`` has anywhere; all zeros only asks (adjtimex(2))."""
_SYNCHRONISED: Final = "/run/systemd/timesync/synchronized"
_SYSTEMD: Final = "/run/systemd/system"
_CONTAINER_MARKS: Final = ("/run/systemd/container", "/.dockerenv", "/run/.containerenv")


class Seen(Struct, frozen=True):
    """The clocks.

    Attributes:
        resolution_s: Step of the monotonic clock, as measured.
        source: What the kernel reads, such as ``tsc``; empty when it does not say.
        synchronised: Whether the wall clock follows another; None when it cannot be told.
        behind_s: How far the wall clock stands before the time this program was installed.
        zone: The time zone, such as ``CET +0100``.
        systemd: Whether systemd runs this machine.
        container: Whether this is known to be a container, whose clock is its host's.
    """

    resolution_s: float
    source: str = ""
    synchronised: bool | None = None
    behind_s: float = 0.0
    zone: str = ""
    systemd: bool = False
    container: bool = False


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Measure the step and ask the kernel; no network is used."""
    installed_s = Path(console.__file__).stat().st_mtime
    return Seen(
        min(_step_s() for _ in range(20)),
        text_of(f"{_SOURCES}/current_clocksource").strip(),
        _synchronised(),
        max(0.0, installed_s - time.time()),
        time.strftime("%Z %z"),
        Path(_SYSTEMD).is_dir(),
        "container" in os.environ or any(Path(mark).exists() for mark in _CONTAINER_MARKS),
    )


def judge(seen: Seen) -> list[Finding]:
    """Figures need the monotonic clock; only names and time stamps need the wall clock."""
    return [_monotonic(seen), _wall(seen)]


def _monotonic(seen: Seen) -> Finding:
    source = f", from {seen.source}" if seen.source else ""
    found = f"monotonic in steps of {seen.resolution_s * 1e6:.2g} µs{source}"
    if seen.resolution_s > RESOLUTION_S_MAX:
        cure = "latencies would be told too coarsely: run on a machine with a finer clock"
        return Finding("clock", "fail", found, cure)
    if seen.source in _SLOW_SOURCES:
        cure = f"as root, where {_SOURCES}/available_clocksource has tsc: "
        cure += f"echo tsc > {_SOURCES}/current_clocksource"
        return Finding("clock", "warn", f"{found}, which is slow to read", cure)
    return Finding("clock", "ok", found)


def _wall(seen: Seen) -> Finding:
    zone = f"time zone {seen.zone}" if seen.zone.strip() else "no time zone"
    if seen.behind_s > 60:
        found = f"stands {seen.behind_s:.0f} s before this program was installed; {zone}"
        return Finding("wall clock", "warn", found, _clock_cure(seen))
    if seen.synchronised is None:
        return Finding("wall clock", "ok", f"{zone}; whether it is set by NTP cannot be told here")
    if not seen.synchronised:
        found = f"not synchronised, so that runs and other machines' logs may not match; {zone}"
        return Finding("wall clock", "warn", found, _clock_cure(seen))
    return Finding("wall clock", "ok", f"synchronised; {zone}")


def _clock_cure(seen: Seen) -> str:
    if seen.container:
        return "a container's clock is its host's: have it set there"
    if seen.systemd:
        return (
            "as root: timedatectl set-ntp true (where it says that NTP is not supported: "
            "install systemd-timesyncd or chrony first)"
        )
    return "as root, run a time service such as chronyd; for a container its host does"


def _step_s() -> float:
    began = now = time.perf_counter()
    while now == began:
        now = time.perf_counter()
    return now - began


def _synchronised() -> bool | None:
    if Path(_SYNCHRONISED).exists():
        return True
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


CHECK = Check("clock", 90, read, judge)
