"""What a check is: it reads one thing of the machine, and judges what it read."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from msgspec import Struct

Status = Literal["ok", "warn", "fail"]
Seen = TypeVar("Seen")


class Asked(Struct, frozen=True):
    """What a run would be started with.

    Attributes:
        runs_dir: Folder for capsules; None when there is no home to put it in.
        port_base: As ``--port-base`` takes it; None for the default ports.
    """

    runs_dir: Path | None
    port_base: int | None = None


class Finding(Struct, frozen=True):
    """One line of the self-check.

    Attributes:
        name: What was looked at.
        status: ``fail`` where a run cannot work, ``warn`` where it may suffer.
        found: What was found.
        cure: What to do about it; empty when all is well.
    """

    name: str
    status: Status
    found: str
    cure: str = ""


class AnyCheck(Protocol):
    """A check, whatever it reads."""

    @property
    def name(self) -> str:
        """Unique, and the first word of its findings."""
        ...

    @property
    def place(self) -> int:
        """Where its lines stand; the smallest comes first."""
        ...

    def look(self, asked: Asked) -> list[Finding]:
        """Read and judge."""
        ...


class Check(Struct, Generic[Seen], frozen=True):
    """A check in two halves, so that the second can be tried with anything.

    Attributes:
        name: Unique.
        place: Where its lines stand; the smallest comes first.
        read: Reads the machine; may raise ``OSError``.
        judge: Pure: what was read in, findings out.
    """

    name: str
    place: int
    read: Callable[[Asked], Seen]
    judge: Callable[[Seen], list[Finding]]

    def look(self, asked: Asked) -> list[Finding]:
        """Read and judge."""
        return self.judge(self.read(asked))


def named_size(size_bytes: float) -> str:
    """Return a size for people, such as ``1.5 GB``."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= least:
            return f"{size_bytes / least:.1f} {unit}"
    return f"{size_bytes:.0f} bytes"
