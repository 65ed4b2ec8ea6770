"""Whether this Python is one of those that the program is made for."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from msgspec import Struct

from console.checks._install import Way, way_here, with_python
from console.checks._versions import satisfies
from console.checks.base import Asked, Check, Finding

_GOOD: Final = "3.12"


class Seen(Struct, frozen=True):
    """The interpreter.

    Attributes:
        version: Such as ``3.11.7``.
        wanted: Such as ``>=3.11,<3.14``; empty when the package is not installed.
        where: Its path.
        kind: ``CPython`` or another.
        way: How the program was installed.
    """

    version: str
    wanted: str
    where: str
    kind: str = "CPython"
    way: Way = Way()


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read what runs this."""
    try:
        wanted = metadata("seedstorm")["Requires-Python"]
    except PackageNotFoundError:
        wanted = ""
    version = ".".join(map(str, sys.version_info[:3]))
    kind = platform.python_implementation()
    return Seen(version, wanted, sys.executable, kind, way_here())


def judge(seen: Seen) -> list[Finding]:
    """Compare with what the package asks for."""
    found = f"{seen.version} ({seen.where})"
    if not satisfies(seen.version, seen.wanted):
        cure = f"install it for a Python {seen.wanted}, such as: {with_python(seen.way, _GOOD)}"
        return [Finding("python", "fail", found, cure)]
    if seen.kind != "CPython":
        cure = f"it is only tried with CPython: {with_python(seen.way, _GOOD)}"
        return [Finding("python", "warn", f"{seen.kind} {found}", cure)]
    return [Finding("python", "ok", found)]


CHECK = Check("python", 20, read, judge)
