"""Questions to the engine and their answers: paged, bounded, with a deadline."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from engine.protocol.audit import AuditAnswer, AuditQuery, PoliciesAnswer, PoliciesQuery
from engine.protocol.events import Event
from engine.protocol.filters import EntityKind
from engine.protocol.limits import (
    ENTITY_ID_MAX,
    FILTER_CHARS_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
    ZONES,
)
from engine.protocol.paramspec import ParamSpec
from engine.protocol.story import Beat

PageLimit = Annotated[int, Meta(ge=1, le=PAGE_ROWS_MAX)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
EntityId = Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)]
FilterText = Annotated[str, Meta(max_length=FILTER_CHARS_MAX)]


class EntitiesQuery(Struct, frozen=True, tag="entities"):
    """Entities that match ``where`` (see ``filters``), sorted, a page at a time.

    Attributes:
        where: Filter text, empty for all.
        zone: Only those in this zone.
        kind: Only those of this kind.
        sort: Column, ``-`` before it for descending.
        limit: Rows wanted.
        after: Rows to skip (position in the sorted list).
        at_tick: As they were after that tick, which is stepped again; None for now.
    """

    where: FilterText = ""
    sort: Annotated[str, Meta(max_length=32)] = "id"
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    zone: Annotated[int, Meta(ge=0, lt=ZONES)] | None = None
    kind: EntityKind | None = None
    at_tick: Count | None = None


class EntityQuery(Struct, frozen=True, tag="entity"):
    """One entity with its recent events; ``at_tick``: as it was after that tick, None for now."""

    id: int
    events: PageLimit = 20
    at_tick: Count | None = None


class EventsQuery(Struct, frozen=True, tag="events"):
    """Events of the whole log that match ``where``, oldest first.

    Attributes:
        where: Filter text, empty for all.
        limit: Events wanted.
        after_seq: The oldest ones after this event; None for the newest ones.
        before_seq: Only those before this event.
        kinds: Only these kinds, empty for all.
        about: Only those in the stream of an entity, done by it, or done to it.
    """

    where: FilterText = ""
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after_seq: Count | None = None
    before_seq: Count | None = None
    kinds: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    about: EntityId | None = None


class ChainQuery(Struct, frozen=True, tag="chain"):
    """Why an event happened, and everything that came of it."""

    seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class TicksQuery(Struct, frozen=True, tag="ticks"):
    """Figures of the newest ticks, newest last."""

    last: PageLimit = PAGE_ROWS_DEFAULT


class PopulationQuery(Struct, frozen=True, tag="population"):
    """How many are alive where."""


class StoryQuery(Struct, frozen=True, tag="story"):
    """Beats with a number above ``after``, oldest first; with 0 the newest ``limit``."""

    after: Annotated[int, Meta(ge=0)] = 0
    limit: PageLimit = PAGE_ROWS_DEFAULT


class FaultsQuery(Struct, frozen=True, tag="faults"):
    """The faults there are, for the menu."""


class SummaryQuery(Struct, frozen=True, tag="summary"):
    """The summary as it stands now (``summary.json`` as JSON text)."""


Query = (
    EntitiesQuery
    | EntityQuery
    | EventsQuery
    | ChainQuery
    | TicksQuery
    | PopulationQuery
    | StoryQuery
    | FaultsQuery
    | PoliciesQuery
    | AuditQuery
    | SummaryQuery
)


class EntityRow(Struct, frozen=True, array_like=True):
    """One entity, for lists. Positions in tiles."""

    id: int
    kind: str
    alive: bool
    connected: bool
    zone: int
    x: float
    y: float
    hp: int
    hp_max: int
    gold: int
    goods: int
    level: int
    faction: int
    stage: str
    lives: int


class EntitiesAnswer(Struct, frozen=True, tag="entities"):
    """A page of entities; ``total`` counts every match, ``tick`` says when it was true."""

    tick: int
    total: int
    rows: tuple[EntityRow, ...]


class AckRow(Struct, frozen=True, array_like=True):
    """One answer that a virtual player got; ``at_s`` on the run's clock."""

    seq: int
    kind: str
    verdict: str
    reason: str
    latency_ms: float
    at_s: float


class PlayerView(Struct, frozen=True):
    """A virtual player's own side: its socket and what it was told.

    Attributes:
        squad: The squad that carries it.
        archetype: Its place in the mix.
        phase: out, waiting, connecting, playing, leaving or held.
        connected_s: For how long it has been in; 0 when it is not.
        attempts: Attempts to connect since it was last in.
        in_flight: Commands without an answer yet.
        oldest_in_flight_s: For how long the oldest of them has been due.
        sent: Commands sent since it first came.
        acknowledged: Answers it got.
        faults: Ids of the armed faults that touch it.
        acks: The newest answers, oldest first.
    """

    squad: int
    archetype: str
    phase: str
    connected_s: float
    attempts: int
    in_flight: int
    oldest_in_flight_s: float
    sent: int
    acknowledged: int
    faults: tuple[str, ...] = ()
    acks: tuple[AckRow, ...] = ()


class EntityAnswer(Struct, frozen=True, tag="entity"):
    """One entity and its recent events, oldest first; ``player`` for a virtual player."""

    tick: int
    row: EntityRow
    events: tuple[Event, ...]
    player: PlayerView | None = None


class EventsAnswer(Struct, frozen=True, tag="events"):
    """Events, oldest first. A question is answered from a bounded stretch of the log.

    Attributes:
        last_seq: The newest event there is.
        rows: The events.
        searched: Of the oldest ones, every event up to this one was looked at; of the newest
            ones, every event from this one on. That is where to go on.
        complete: Whether there is nothing to go on with.
        lost: Events among those looked at that cannot be had any more.
    """

    last_seq: int
    rows: tuple[Event, ...]
    searched: int = 0
    complete: bool = True
    lost: int = 0


class ChainAnswer(Struct, frozen=True, tag="chain"):
    """One event with its causes and effects.

    Attributes:
        causes: Its causes, the root first, its direct cause last.
        event: The event.
        effects: What followed from it, breadth first: effects come in the order of their
            causes, those of one cause in the order of the log.
        cut: Why this is not all, empty when it is.
    """

    causes: tuple[Event, ...]
    event: Event
    effects: tuple[Event, ...]
    cut: str = ""


class TickFigures(Struct, frozen=True):
    """One tick: milliseconds of each phase and in all, and what came and went.

    ``ms`` is all the work, slices of fan-out included.
    """

    tick: int
    ms: float
    govern_ms: float
    step_ms: float
    react_ms: float
    hash_ms: float
    append_ms: float
    fan_out_ms: float
    late_ms: float
    overrun: bool
    intents: int
    events: int
    denied: int


class TicksAnswer(Struct, frozen=True, tag="ticks"):
    """The newest ticks, oldest first."""

    interval_ms: int
    rows: tuple[TickFigures, ...]


class PopulationAnswer(Struct, frozen=True, tag="population"):
    """Players connected and NPCs alive.

    Attributes:
        tick: When it was true.
        side: Squares on each side of the map.
        squares: ``side`` rows of ``side`` counts, from the north-west corner.
        zones: Counts by zone number.
    """

    tick: int
    side: int
    squares: tuple[tuple[int, ...], ...]
    zones: tuple[int, ...]


class StoryAnswer(Struct, frozen=True, tag="story"):
    """Beats, oldest first; ``beats`` counts all that were told."""

    beats: int
    rows: tuple[Beat, ...]


class FaultSpec(Struct, frozen=True):
    """One fault of the menu: the key that picks it, what it does, what it takes.

    Attributes:
        side: ``players``: it takes a scope; ``server``: it concerns the whole server.
        hold_param: The parameter, in seconds, after which it is over in any case; empty:
            only the hold says so.
        available: Whether it is possible in this run; ``why_not`` says why it is not.
    """

    name: str
    key: str
    side: Literal["players", "server"]
    help: str
    params: tuple[ParamSpec, ...] = ()
    available: bool = True
    why_not: str = ""
    hold_param: str = ""


class FaultsAnswer(Struct, frozen=True, tag="faults"):
    """The fault menu."""

    faults: tuple[FaultSpec, ...]


class SummaryAnswer(Struct, frozen=True, tag="summary"):
    """The summary, as the JSON that will be written."""

    summary: msgspec.Raw


class Refused(Struct, frozen=True, tag="refused"):
    """A query that was not answered.

    ``code``: bad_request, invalid, not_found, busy, deadline, gone.
    """

    code: str
    message: str


Answer = (
    EntitiesAnswer
    | EntityAnswer
    | EventsAnswer
    | ChainAnswer
    | TicksAnswer
    | PopulationAnswer
    | StoryAnswer
    | FaultsAnswer
    | PoliciesAnswer
    | AuditAnswer
    | SummaryAnswer
    | Refused
)
