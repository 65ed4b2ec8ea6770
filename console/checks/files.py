"""Whether as many sockets may be open as players are asked for."""

import resource
from typing import Final

from msgspec import Struct

from console.checks.base import Asked, Check, Finding
from engine.protocol.limits import FILES_SPARE

FEW: Final = 1000
MANY: Final = 10_000


class Seen(Struct, frozen=True):
    """The limit of open files; None for none.

    Attributes:
        soft: What holds now; the engine's processes raise it as far as ``hard`` allows.
        hard: What it can be raised to without asking anybody.
    """

    soft: int | None
    hard: int | None


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read the limit of this process, which a run inherits."""
    soft, hard = (
        None if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return Seen(soft, hard)


def judge(seen: Seen) -> list[Finding]:
    """The hard limit counts: the world holds a socket for each player, a squad as well."""
    found = f"{_said(seen.soft)} (soft), {_said(seen.hard)} (hard)"
    for players, status in ((FEW, "fail"), (MANY, "warn")):
        needed = players + FILES_SPARE
        if seen.hard is not None and seen.hard < needed:
            cure = (
                f"as root: ulimit -n {needed}; for good: a line '* hard nofile {needed}' in "
                f"/etc/security/limits.conf (a container: --ulimit nofile={needed})"
            )
            text = f"{found}: too few for {players:,} players"
            return [Finding("file limit", status, text, cure)]  # type: ignore[arg-type]  # both words are a Status
    return [Finding("file limit", "ok", f"{found}: enough for {MANY:,} players")]


def _said(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


CHECK = Check("file limit", 50, read, judge)
