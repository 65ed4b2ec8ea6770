"""Whether as many sockets may be open as players are asked for."""

import os
import re
import resource
from typing import Final

from msgspec import Struct

from console.checks._read import text_of, user_name
from console.checks.base import Asked, Check, Finding
from engine.protocol.limits import FILES_SPARE

FEW: Final = 1000
MANY: Final = 10_000
_CAP_SYS_RESOURCE: Final = 24


class Seen(Struct, frozen=True):
    """The limit of open files; None for none.

    Attributes:
        soft: What holds now; the engine's processes raise it as far as ``hard`` allows.
        hard: What it can be raised to without asking anybody.
        uid: Whose limit it is.
        user: That user's name; the number again where it has none.
        may_raise: Whether this process may raise the hard limit, as root mostly may.
    """

    soft: int | None
    hard: int | None
    uid: int = 0
    user: str = "root"
    may_raise: bool = True


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read the limit of this process, which a run inherits."""
    soft, hard = (
        None if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    may_raise = may_raise_limits(text_of("/proc/self/status"))
    return Seen(soft, hard, os.getuid(), user_name(), may_raise)


def may_raise_limits(status: str) -> bool:
    """Return whether ``/proc/self/status`` shows the right to raise limits (capabilities(7))."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    return bool(found and int(found[1], 16) >> _CAP_SYS_RESOURCE & 1)


def judge(seen: Seen) -> list[Finding]:
    """The hard limit counts: the world holds a socket for each player, a squad as well."""
    found = f"{_said(seen.soft)} (soft), {_said(seen.hard)} (hard)"
    for players, status in ((FEW, "fail"), (MANY, "warn")):
        needed = players + FILES_SPARE
        if seen.hard is not None and seen.hard < needed:
            text = f"{found}: too few for {players:,} players"
            return [Finding("file limit", status, text, _cure(seen, needed))]  # type: ignore[arg-type]  # both words are a Status
    return [Finding("file limit", "ok", f"{found}: enough for {MANY:,} players")]


def _cure(seen: Seen, needed: int) -> str:
    """Say how to raise the limit; lines for ``*`` are not for root (limits.conf(5))."""
    elsewhere = f"a container: --ulimit nofile={needed}; a service: LimitNOFILE={needed}"
    if not seen.uid and not seen.may_raise:
        return f"root may not raise it here; where this is started it may be: {elsewhere}"
    now = f"ulimit -n {needed}" if seen.may_raise else f"sudo prlimit --pid $$ --nofile={needed}"
    who = seen.user if seen.user != str(seen.uid) else f":{seen.uid}"
    return (
        f"in this shell: {now}; for good: a line '{who} hard nofile {needed}' in "
        f"/etc/security/limits.conf and a new login ({elsewhere})"
    )


def _said(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


CHECK = Check("file limit", 50, read, judge)
