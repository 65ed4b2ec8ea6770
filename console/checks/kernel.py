"""Kernel settings that many connections depend on: each only a warning."""

from typing import Final

from msgspec import Struct

from console.checks._read import text_of
from console.checks.base import Asked, Check, Finding

SOMAXCONN_MIN: Final = 1024
PORTS_MIN: Final = 20_000
"""10,000 players, and as many connections that are just being closed."""


class Seen(Struct, frozen=True):
    """Settings; None for one that this kernel does not show.

    Attributes:
        somaxconn: How many connections may wait to be accepted.
        ports: The first and the last port that are given to connections.
        reuse: ``tcp_tw_reuse``: 0 never, 1 always, 2 on loopback.
    """

    somaxconn: int | None = None
    ports: tuple[int, int] | None = None
    reuse: int | None = None


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read them from /proc/sys."""
    somaxconn = _numbers("net/core/somaxconn")
    ports = _numbers("net/ipv4/ip_local_port_range")
    reuse = _numbers("net/ipv4/tcp_tw_reuse")
    return Seen(
        somaxconn[0] if somaxconn else None,
        (ports[0], ports[1]) if len(ports) == 2 else None,
        reuse[0] if reuse else None,
    )


def judge(seen: Seen) -> list[Finding]:
    """Name each setting that is too small for 10,000 players."""
    findings = []
    if seen.somaxconn is not None and seen.somaxconn < SOMAXCONN_MIN:
        found = f"somaxconn is {seen.somaxconn}: connections are lost when many come at once"
        findings.append(_warn(found, f"net.core.somaxconn={4 * SOMAXCONN_MIN}"))
    if seen.ports is not None and (room := seen.ports[1] - seen.ports[0] + 1) < PORTS_MIN:
        found = f"ip_local_port_range gives {room:,} ports: too few for 10,000 players to come back"
        findings.append(_warn(found, "net.ipv4.ip_local_port_range='15000 60999'"))
    if seen.reuse == 0:
        found = "tcp_tw_reuse is 0: ports of closed connections are kept for a minute"
        findings.append(_warn(found, "net.ipv4.tcp_tw_reuse=2"))
    if findings:
        return findings
    shown = [
        f"somaxconn {seen.somaxconn}" if seen.somaxconn is not None else "",
        f"ports {seen.ports[0]}-{seen.ports[1]}" if seen.ports else "",
        f"tcp_tw_reuse {seen.reuse}" if seen.reuse is not None else "",
    ]
    found = ", ".join(filter(None, shown)) or "not shown here"
    return [Finding("kernel", "ok", found)]


def _warn(found: str, setting: str) -> Finding:
    return Finding("kernel", "warn", found, f"as root: sysctl -w {setting}")


def _numbers(name: str) -> list[int]:
    words = text_of(f"/proc/sys/{name}").split()
    return [int(word) for word in words] if all(word.isdigit() for word in words) else []


CHECK = Check("kernel", 120, read, judge)
