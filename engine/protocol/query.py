"""Questions to the engine and their answers: paged, bounded, with a deadline."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

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
from engine.protocol.policy import PolicyCount, PolicyView
from engine.protocol.story import Beat

PageLimit = Annotated[int, Meta(ge=1, le=PAGE_ROWS_MAX)]
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
    """

    where: FilterText = ""
    sort: Annotated[str, Meta(max_length=32)] = "id"
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    zone: Annotated[int, Meta(ge=0, lt=ZONES)] | None = None
    kind: EntityKind | None = None


class EntityQuery(Struct, frozen=True, tag="entity"):
    """One entity with its recent events."""

    id: int
    events: PageLimit = 20


class EventsQuery(Struct, frozen=True, tag="events"):
    """Recent events that match ``where``, newest last."""

    where: FilterText = ""
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after_seq: Annotated[int, Meta(ge=0)] = 0


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


class PoliciesQuery(Struct, frozen=True, tag="policies"):
    """How the policies stand, in the order in which they judge."""


AuditVerdict = Literal["permit", "deny", "mutate", "resent"]


class AuditQuery(Struct, frozen=True, tag="audit"):
    """What was decided on intents, and who was asked; oldest first.

    Attributes:
        policy: Only what this policy decided; ``world`` for what the world could not give.
        verdict: Only these; without it, the denied and the mutated.
        actor: Only this entity's.
        limit: Rows wanted.
        after: Rows after this number; None: the newest.
    """

    policy: Annotated[str, Meta(max_length=64)] = ""
    verdict: AuditVerdict | None = None
    actor: Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)] | None = None
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after: Annotated[int, Meta(ge=0, le=2**62)] | None = None


class SummaryQuery(Struct, frozen=True, tag="summary"):
    """The summary as it stands now (``summary.json`` as JSON text)."""


Query = (
    EntitiesQuery
    | EntityQuery
    | EventsQuery
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
    """Events, oldest first; ``last_seq`` is the newest event there is."""

    last_seq: int
    rows: tuple[Event, ...]


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


class PolicyRow(Struct, frozen=True):
    """A policy as it stands, and what it did."""

    policy: PolicyView
    count: PolicyCount


class PoliciesAnswer(Struct, frozen=True, tag="policies"):
    """Every policy, in the order in which they judge."""

    rows: tuple[PolicyRow, ...]


class AuditRow(Struct, frozen=True):
    """What was decided on one intent.

    Attributes:
        number: Its place in the log, growing.
        tick: The tick that took it in.
        actor: Who was to act.
        seq: The sender's number of it.
        kind: Of the intent.
        role: Who asked: player, operator, narrator.
        verdict: permit, deny, mutate; resent: it had been taken before.
        policy: Who decided; empty for nobody, ``world`` for what the world could not give.
        reason: ``policy: what was found``, of the denied and the mutated.
        evaluated: The policies that were asked, in their order.
        event: Sequence number of its root event; 0 for one that was sent before.
    """

    number: int
    tick: int
    actor: int
    seq: int
    kind: str
    role: str
    verdict: AuditVerdict
    policy: str
    reason: str
    evaluated: tuple[str, ...]
    event: int


class AuditAnswer(Struct, frozen=True, tag="audit"):
    """Rows of the audit, oldest first.

    ``after``: where to go on; everything up to there was looked at. ``tick``: the newest.
    """

    tick: int
    after: int
    rows: tuple[AuditRow, ...]


class SummaryAnswer(Struct, frozen=True, tag="summary"):
    """The summary, as the JSON that will be written."""

    summary: msgspec.Raw


class Refused(Struct, frozen=True, tag="refused"):
    """A query that was not answered.

    ``code``: bad_request, not_found, busy, deadline, gone.
    """

    code: str
    message: str


Answer = (
    EntitiesAnswer
    | EntityAnswer
    | EventsAnswer
    | TicksAnswer
    | PopulationAnswer
    | StoryAnswer
    | FaultsAnswer
    | PoliciesAnswer
    | AuditAnswer
    | SummaryAnswer
    | Refused
)
