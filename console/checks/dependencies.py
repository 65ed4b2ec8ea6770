"""Whether every package that a run needs is there, in a version that it is made for."""

from importlib.metadata import PackageNotFoundError, requires, version

from msgspec import Struct

from console.checks._install import Way, anew, way_here, with_packages
from console.checks._versions import requirement, satisfies
from console.checks.base import Asked, Check, Finding


class Seen(Struct, frozen=True):
    """What is asked for, and what is there.

    Attributes:
        packages: Name, versions asked for, version found (empty when missing).
        installed: Whether the package itself is known to Python.
        way: How it was installed.
    """

    packages: tuple[tuple[str, str, str], ...]
    installed: bool = True
    way: Way = Way()


def read(asked: Asked) -> Seen:  # noqa: ARG001 - every check is asked the same
    """Read what the package's metadata asks for."""
    try:
        lines = requires("seedstorm") or []
    except PackageNotFoundError:
        return Seen((), installed=False, way=way_here())
    wanted = [found for line in lines if (found := requirement(line)) is not None]
    packages = tuple((name, versions, _version(name)) for name, versions in wanted)
    return Seen(packages, way=way_here())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def judge(seen: Seen) -> list[Finding]:
    """Name every package that is missing or of another version."""
    if not seen.installed:
        found = "seedstorm itself is not installed, so what it needs is not known"
        return [Finding("dependencies", "warn", found, anew(seen.way))]
    wrong = [each for each in seen.packages if not each[2] or not satisfies(each[2], each[1])]
    if wrong:
        found = "; ".join(
            f"{name} {have or 'is missing'} (needed: {wanted or 'any'})"
            for name, wanted, have in wrong
        )
        cure = with_packages(seen.way, [f"{name}{wanted}" for name, wanted, _ in wrong])
        return [Finding("dependencies", "fail", found, cure)]
    return [Finding("dependencies", "ok", f"{len(seen.packages)} packages, all as needed")]


CHECK = Check("dependencies", 30, read, judge)
