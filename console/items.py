"""What changes the model: the engine's news, the clock, the terminal, the operator. Pure."""

from typing import Literal

from msgspec import Struct

from console.seen import Seen
from engine.protocol.events import Event
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.query import EntitiesAnswer, FaultSpec

Phase = Literal["starting", "live", "draining", "ended", "lost"]
ListName = Literal["entities", "events", "violations", "story"]


class Cost(Struct, frozen=True):
    """What the console itself costs."""

    cpu_pct: float = 0.0
    kb_per_s: float = 0.0
    frames_skipped: int = 0


class Message(Struct, frozen=True):
    """A line for the strip."""

    text: str
    bad: bool = False
    until_s: float = 0.0


class Clock(Struct, frozen=True):
    """The time, on any monotonic clock."""

    now_s: float


class Size(Struct, frozen=True):
    """The terminal's size."""

    width: int
    height: int


class Page(Struct, frozen=True):
    """An answer to the entities query, or why there is none."""

    after: int
    answer: EntitiesAnswer | None
    problem: str = ""


class Found(Struct, frozen=True):
    """What the engine's log has for the filter of the events, or why nothing came.

    Attributes:
        where: The filter it is for.
        rows: The newest events that pass it, oldest first.
        last_seq: The newest event there was; the rows hold all that pass up to it.
        searched: Every event from this one on was looked at, ...
        complete: ... and there is nothing before it to look at; else it is searched on.
        lost: Events before that which cannot be had any more.
        problem: Why there is no newer answer, empty when there is none.
    """

    where: str = ""
    rows: tuple[Event, ...] = ()
    last_seq: int = 0
    searched: int = 0
    complete: bool = True
    lost: int = 0
    problem: str = ""


class Say(Struct, frozen=True):
    """Something to tell the operator."""

    text: str
    bad: bool = False


class Turn(Struct, frozen=True):
    """A new phase of the console's life; ``why`` is for a lost link."""

    phase: Phase
    why: str = ""


class Look(Struct, frozen=True):
    """A theme that was put on."""

    theme: str
    mono: bool


class Menu(Struct, frozen=True):
    """The faults there are."""

    faults: tuple[FaultSpec, ...]


class Press(Struct, frozen=True):
    """An action that changes the view."""

    action: str


class SetFilter(Struct, frozen=True):
    """A filter that was typed for a list."""

    name: ListName
    text: str


class Pick(Struct, frozen=True):
    """A panel to go to, and the row of it to pick by its key, if any."""

    panel: str
    key: int | None = None


class Scroll(Struct, frozen=True):
    """A list to move by so many rows, whichever panel has the keys."""

    name: str
    by: int


class Acknowledge(Struct, frozen=True):
    """The violations that are acknowledged from now on."""

    seen: Seen


class Hint(Struct, frozen=True):
    """Show the first-run hint for so long; 0 takes it away."""

    for_s: float


class Mouse(Struct, frozen=True):
    """The mouse is ours, or the terminal's again."""

    on: bool


Item = (
    Snapshot | Notice | Gap | Ended | Clock | Size | Cost | Page | Found | Say | Turn | Look | Menu
    | Press | SetFilter | Pick | Scroll | Acknowledge | Hint | Mouse
)  # fmt: skip
