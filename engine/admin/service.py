"""``AdminService``: all that the doors may ask of the engine. The hub implements it.

Nothing here waits for the world but ``order``: reading looks into shared arrays, the
hub's memory and, for what is older, the log on disk.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from engine.protocol.child import WorldOrderDone
from engine.protocol.command import Command, Reply
from engine.protocol.feed import Ended, FaultPhase, FaultView, Snapshot
from engine.protocol.gateway import Intent, Role
from engine.protocol.query import Answer, Query, Refused, TickFigures
from engine.protocol.story import Beat, Judged, NewBeat
from engine.world.events import TickEvents

Status = Literal["starting", "running", "world down", "world stalled", "draining", "ended"]


class Health(Struct, frozen=True):
    """How the run is.

    Attributes:
        status: starting, running, world down, world stalled, draining or ended.
        run: The run's name.
        tick: Newest tick that is known here.
        players: Players connected now.
        pid: The world's process, 0 while there is none.
    """

    status: Status
    run: str
    tick: int
    players: int
    pid: int


class FaultNews(Struct, frozen=True):
    """A fault was armed, cleared or recovered from.

    Attributes:
        number: Counts from 1 without gaps.
        what: What happened.
        tick: The newest tick when it was told, shortly after it happened.
        fault: The fault, as it was then.
    """

    number: int
    what: FaultPhase
    tick: int
    fault: FaultView


class ArmedFault(Struct, frozen=True):
    """A fault that is armed; ``tick``: the newest one when that was first told."""

    tick: int
    fault: FaultView


class AdminService(Protocol):
    """The engine behind the doors."""

    @property
    def run(self) -> str:
        """The run's name."""
        ...

    @property
    def token(self) -> str:
        """What a change must carry."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot, an empty one before the first."""
        ...

    @property
    def ended(self) -> Ended | None:
        """The run's last word, None while it goes on."""
        ...

    @property
    def last_seq(self) -> int:
        """The newest event that is known here."""
        ...

    def health(self) -> Health:
        """Return how the run is."""
        ...

    async def answer(self, query: Query) -> Answer:
        """Answer a query; ``Refused`` for what cannot be answered."""
        ...

    async def command(self, command: Command) -> Reply:
        """Carry out what an operator tells the engine."""
        ...

    async def order(
        self, entity: int, intent: Intent, role: Role = "operator"
    ) -> WorldOrderDone | Refused:
        """Have the world take an intent into its next tick; answered once it is durable.

        Refused with ``not_found`` (no such entity), ``gone`` (no world, or it died
        meanwhile), ``deadline`` (no answer in time) or ``busy`` (too many in flight).
        """
        ...

    def tell_beats(self, beats: tuple[NewBeat, ...]) -> Judged | Refused:
        """Take in what the narrator tells; refused when nothing of it was looked at."""
        ...

    async def ticks_after(self, seq: int) -> Sequence[TickEvents]:
        """Return some ticks with events after ``seq``, whole and oldest first.

        From the hub's memory, and what is older from the log. Empty when nothing newer
        is known. A first event later than ``seq + 1``: those between cannot be had.
        """
        ...

    def figures_after(self, tick: int) -> list[TickFigures]:
        """Return the figures that are kept of ticks after ``tick``, oldest first."""
        ...

    def beats_after(self, number: int) -> list[Beat]:
        """Return the beats that are kept with a number above ``number``, oldest first."""
        ...

    def faults_after(self, number: int) -> list[FaultNews]:
        """Return what is kept of faults' news above ``number``, oldest first."""
        ...

    @property
    def faults_told(self) -> int:
        """Number of the newest news of a fault, 0 before the first."""
        ...

    @property
    def faults_armed(self) -> tuple[ArmedFault, ...]:
        """Every fault that is armed now, according to the news told so far."""
        ...

    def next_change(self) -> asyncio.Event:
        """Return what is set as soon as there may be something new for those that follow."""
        ...

    def note(self, event: str, text: str) -> None:
        """Write a line into the engine's log."""
        ...
