"""Whether the ports of a run are free, and who holds them when they are not."""

import contextlib
import errno
import os
import re
import socket
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.checks._read import command_of, text_of
from console.checks.base import Asked, Check, Finding
from engine.link.places import noted

HOST: Final = "127.0.0.1"
NAMES: Final = ("admin", "STAT7", "gateway")
DEFAULT: Final = (8000, 8765, 8766)
_LISTENS: Final = "0A"


class Port(Struct, frozen=True):
    """One port.

    Attributes:
        name: What it is for.
        number: Its number.
        problem: Why it cannot be had; empty when it can.
        pid: Who listens there; 0 when that cannot be told.
        command: That process's command line.
        run: The run of ours that it belongs to; empty for none.
    """

    name: str
    number: int
    problem: str = ""
    pid: int = 0
    command: str = ""
    run: str = ""


class Seen(Struct, frozen=True):
    """The ports of a run; none when free ones are picked.

    Attributes:
        ports: Each of the three.
        free_base: A base whose three ports are free; 0 when none was found.
    """

    ports: tuple[Port, ...]
    free_base: int = 0


def numbers(base: int | None) -> tuple[int, ...]:
    """Return the three ports of ``--port-base``; none for 0."""
    if base is None:
        return DEFAULT
    return (base, base + 1, base + 2) if base else ()


def read(asked: Asked) -> Seen:
    """Try to listen on each port, and let go of it at once."""
    ports = tuple(
        _look(name, port) for name, port in zip(NAMES, numbers(asked.port_base), strict=False)
    )
    if not any(port.problem for port in ports):
        return Seen(ports)
    free = (base for base in range(9000, 9990, 10) if not any(map(_problem, numbers(base))))
    return Seen(ports, next(free, 0))


def judge(seen: Seen) -> list[Finding]:
    """A port that somebody else holds keeps a run from starting."""
    if not seen.ports:
        return [Finding("ports", "ok", "free ones are picked (--port-base 0)")]
    return [_judged(port, seen.free_base) for port in seen.ports]


def _judged(port: Port, free_base: int) -> Finding:
    name = f"port {port.number}"
    others = f"name others: --port-base {free_base or 0}"
    if not port.problem:
        return Finding(name, "ok", f"free, for {port.name}")
    if port.run:
        found = f"held by your run {port.run}, for {port.name}"
        return Finding(name, "warn", found, f"seedstorm stop {port.run}; or {others}")
    if not port.pid:
        return Finding(name, "fail", f"{port.problem}; {port.name} needs it", others)
    found = f"held by process {port.pid} ({port.command or '?'}); {port.name} needs it"
    return Finding(name, "fail", found, f"kill {port.pid}; or {others}")


def _look(name: str, port: int) -> Port:
    problem = _problem(port)
    if not problem:
        return Port(name, port)
    pid = _holder(port)
    return Port(name, port, problem, pid, command_of(pid) if pid else "", _run_of(pid))


def _problem(port: int) -> str:
    with socket.socket() as trial:
        # As servers do: what a closed connection left behind is no obstacle.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
            trial.listen(1)
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return "in use"
            return os.strerror(problem.errno or errno.EIO)
    return ""


def _holder(port: int) -> int:
    """Return the process that listens on a port, where /proc lets us see it; else 0."""
    ending = f":{port:04X}"
    inodes = {
        fields[9]
        for table in ("tcp", "tcp6")
        for line in text_of(f"/proc/net/{table}").splitlines()[1:]
        if len(fields := line.split()) > 9 and fields[1].endswith(ending) and fields[3] == _LISTENS
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in Path("/proc").iterdir() if wanted else ():
        if folder.name.isdigit() and wanted & _open_files(folder / "fd"):
            return int(folder.name)
    return 0


def _open_files(folder: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):  # somebody else's process, or one that has just ended
        for file in folder.iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile, as the one of this listing is
                found.add(str(file.readlink()))
    return found


def _run_of(pid: int) -> str:
    """Return the running engine that a process belongs to, as its hub or a child of it."""
    hubs = {entry.pid: entry.run for entry in noted()[0]}
    for _ in range(4):
        if pid in hubs:
            return hubs[pid]
        status = re.search(r"^PPid:\s*([0-9]+)", text_of(f"/proc/{pid}/status"), re.MULTILINE)
        pid = int(status[1]) if status else 0
        if pid <= 1:
            break
    return ""


CHECK = Check("ports", 40, read, judge)
