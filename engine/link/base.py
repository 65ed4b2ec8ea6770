"""``EngineLink``: how a console speaks with an engine, wherever the engine runs.

Two lanes come back. Snapshots: the latest wins, a slow reader sees fewer. Notices: a
bounded queue; what did not fit is told as a ``Gap``. ``MemoryLink`` and ``SocketLink``
pass the same contract suite (``tests/contract``).
"""

from typing import Protocol

from engine.protocol.command import Command, Reply
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.query import Answer, Query


class LinkClosed(ConnectionError):
    """The engine at the other end is gone or the link was closed."""


class EngineLink(Protocol):
    """A console's end of the link."""

    @property
    def closed(self) -> bool:
        """Whether the engine is gone or the link was closed."""
        ...

    @property
    def ended(self) -> Ended | None:
        """The feed's last item, once the run is over."""
        ...

    async def call(self, command: Command) -> Reply:
        """Send a command and return the reply.

        Raises:
            LinkClosed: The engine is gone.
        """
        ...

    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        """Ask and return the answer; ``Refused(code="deadline")`` when it takes too long.

        Raises:
            LinkClosed: The engine is gone.
        """
        ...

    def take_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot not yet taken, or None."""
        ...

    def take_notices(self) -> list[Notice | Gap]:
        """Return every notice not yet taken, oldest first, gaps where some were dropped."""
        ...

    async def wait(self) -> None:
        """Return when there is something to take, or the link has closed."""
        ...

    async def aclose(self) -> None:
        """Close this end; pending calls fail with ``LinkClosed``."""
        ...


class EngineService(Protocol):
    """The engine's end: what a link calls."""

    async def command(self, command: Command, console: int) -> Reply:
        """Carry out a command of console number ``console``."""
        ...

    async def answer(self, query: Query) -> Answer:
        """Answer a query; never raises for bad input (``Refused``)."""
        ...

    def console_came(self, console: int) -> None:
        """A console has connected."""
        ...

    def console_left(self, console: int) -> None:
        """A console has gone: closed, died, or its link broke."""
        ...
