"""Whether the ports of a run are free, and who holds them when they are not."""

import contextlib
import errno
import os
import re
import socket
import sys
from pathlib import Path
from typing import Final

from msgspec import Struct

from console.checks._read import command_of, text_of, user_name
from console.checks.base import Asked, Check, Finding
from engine.link.places import noted

HOST: Final = "127.0.0.1"
NAMES: Final = ("admin", "STAT7", "gateway")
DEFAULT: Final = (8000, 8765, 8766)
SHOWN_MAX: Final = 8
_LISTENS: Final = "0A"


class Holder(Struct, frozen=True):
    """A process that listens on a port.

    Attributes:
        pid: Its number.
        command: Its command line; empty when it is not to be read.
        stranger: Whose it is when it is not ours; empty when it is.
    """

    pid: int
    command: str = ""
    stranger: str = ""


class Port(Struct, frozen=True):
    """One port.

    Attributes:
        name: What it is for.
        number: Its number.
        problem: Why it cannot be had; empty when it can.
        holders: Who listens there, as far as that can be told; several share an inherited socket.
        run: The run of ours that one of them belongs to; empty for none.
    """

    name: str
    number: int
    problem: str = ""
    holders: tuple[Holder, ...] = ()
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
    if not port.holders:
        return Finding(name, "fail", f"{port.problem}; {port.name} needs it", others)
    found = f"held by {_named(port.holders)}; {port.name} needs it"
    pids = [holder.pid for holder in port.holders]
    # The first process holds ports for those it starts; a stranger's is not ours to end; and of
    # many only the one that started them is to be ended, which cannot be told here.
    if 1 in pids or len(pids) > SHOWN_MAX or any(holder.stranger for holder in port.holders):
        return Finding(name, "fail", found, others)
    return Finding(name, "fail", found, f"kill {' '.join(map(str, pids))}; or {others}")


def _named(holders: tuple[Holder, ...]) -> str:
    said = [
        f"{each.pid} ({each.command or '?'}{each.stranger and f', of user {each.stranger}'})"
        for each in holders[:SHOWN_MAX]
    ]
    more = len(holders) - len(said)
    last = f" and {more} more" if more else ""
    return f"process{'es' if len(holders) > 1 else ''} {', '.join(said)}{last}"


def _look(name: str, port: int) -> Port:
    problem = _problem(port)
    if not problem:
        return Port(name, port)
    pids = _listening(port)
    run = next(filter(None, map(_run_of, pids)), "")
    return Port(name, port, problem, tuple(map(_holder, pids)), run)


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


def inodes(port: int, table: str, table6: str) -> set[str]:
    """Return the sockets that keep ``HOST`` from being listened on at a port.

    Args:
        port: The port.
        table: ``/proc/net/tcp`` (proc(5)).
        table6: ``/proc/net/tcp6``.
    """
    mine, any4 = _number(HOST), _number("0.0.0.0")  # noqa: S104 - looked for, not listened on
    mapped = _number("0.0.0.0") * 2 + f"{socket.htonl(0xFFFF):08X}"  # noqa: S104 - the same
    found = _listeners(port, table, {mine, any4}) | _listeners(
        port, table6, {mapped + mine, mapped + any4}
    )
    # Where somebody has the port for IPv4, a "::" beside it is for IPv6 alone, and in nobody's way.
    return found or _listeners(port, table6, {any4 * 4})


def _number(address: str) -> str:
    """Return an IPv4 address as /proc/net writes it: a number in this machine's order."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"


def _listeners(port: int, table: str, addresses: set[str]) -> set[str]:
    wanted = {f"{address}:{port:04X}" for address in addresses}
    lines = [line.split() for line in table.splitlines()[1:]]
    return {
        fields[9]
        for fields in lines
        if len(fields) > 9 and fields[1] in wanted and fields[3] == _LISTENS
    }


def _listening(port: int) -> list[int]:
    """Return the processes that listen on a port, as far as /proc lets us see them."""
    found = inodes(port, *(text_of(f"/proc/net/{table}") for table in ("tcp", "tcp6")))
    wanted = {f"socket:[{inode}]" for inode in found}
    folders = (folder for folder in Path("/proc").iterdir() if folder.name.isdigit() and wanted)
    return sorted(int(folder.name) for folder in folders if wanted & _open_files(folder / "fd"))


def _holder(pid: int) -> Holder:
    owner = re.search(r"^Uid:\s*([0-9]+)", text_of(f"/proc/{pid}/status"), re.MULTILINE)
    uid = int(owner[1]) if owner else os.getuid()
    return Holder(pid, command_of(pid), "" if uid == os.getuid() else user_name(uid))


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
