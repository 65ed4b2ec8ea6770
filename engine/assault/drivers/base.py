"""A target's protocol: what a player's wishes are in bytes. One target a file, as ``DRIVER``.

A driver has no socket: ``engine.assault.wires`` carries its bytes in WebSocket frames.
"""

from typing import Protocol

from engine.assault.behaviours.base import Wish
from engine.protocol.gateway import Ack, Bye, Delta, Notice, Welcome


class BadFrame(ValueError):
    """The server sent what is no message of its protocol."""


class Driver(Protocol):
    """What a protocol's file offers as ``DRIVER``."""

    @property
    def name(self) -> str:
        """The name in a scenario's ``target.driver``."""
        ...

    def hello(self, name: str, resume: str | None) -> bytes:
        """Return the first frame of a connection; ``resume`` is an earlier welcome's token."""
        ...

    def intent(self, seq: int, wish: Wish) -> bytes:
        """Return the frame of a command."""
        ...

    def is_update(self, frame: bytes) -> bool:
        """Return whether a frame is an update of what the player sees, without decoding it."""
        ...

    def read(self, frame: bytes) -> Welcome | Ack | Delta | Notice | Bye:
        """Return what the server said.

        Raises:
            BadFrame: No message of the protocol.
        """
        ...
