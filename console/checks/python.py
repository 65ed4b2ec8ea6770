"""Whether this Python is one of those that the program is made for."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, metadata

from msgspec import Struct

from console.checks._versions import satisfies
from console.checks.base import Asked, Check, Finding


class Seen(Struct, frozen=True):
    """The interpreter.

    Attributes:
        version: Such as ``3.11.7``.
        wanted: Such as ``>=3.11,<3.14``; empty when the package is not installed.
        where: Its path.
        kind: ``CPython`` or another.
    """

    version: str
    wanted: str
    where: str
    kind: str = "CPython"


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read what runs this."""
    try:
        wanted = metadata("seedstorm")["Requires-Python"]
    except PackageNotFoundError:
        wanted = ""
    version = ".".join(map(str, sys.version_info[:3]))
    return Seen(version, wanted, sys.executable, platform.python_implementation())


def judge(seen: Seen) -> list[Finding]:
    """Compare with what the package asks for."""
    found = f"{seen.version} ({seen.where})"
    cure = f"install it with a Python {seen.wanted}, such as: python3.12 -m pip install seedstorm"
    if not satisfies(seen.version, seen.wanted):
        return [Finding("python", "fail", found, cure)]
    if seen.kind != "CPython":
        return [Finding("python", "warn", f"{seen.kind} {found}", "it is only tried with CPython")]
    return [Finding("python", "ok", found)]


CHECK = Check("python", 20, read, judge)
