"""What goes in and out of the doors as JSON."""

from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from engine.protocol.audit import AuditRow, PolicyRow
from engine.protocol.command import ParamValue, Scope
from engine.protocol.events import Event, entity_name
from engine.protocol.feed import FaultView
from engine.protocol.gateway import IntentKind, VerdictKind
from engine.protocol.limits import (
    BEATS_PER_POST_MAX,
    COMMANDS_PER_S_PER_PLAYER_MAX,
    FAULT_HOLD_S_DEFAULT,
    FAULT_HOLD_S_MAX,
    MAP_TILES,
    MARK_CHARS_MAX,
    PLAYERS_MAX,
    SAY_CHARS_MAX,
    SEED_MAX,
)
from engine.protocol.paramspec import ParamSpec
from engine.protocol.policy import PolicyParams, PolicyScope, Priority
from engine.protocol.query import EntityRow, FaultSpec, PlayerView
from engine.protocol.story import NewBeat

EntityName = Annotated[
    str | int, Meta(description="An entity: its number, or its name such as player-12 or npc-7.")
]
Tile = Annotated[
    float, Meta(ge=0, lt=MAP_TILES, description="Tiles from the north-west corner, as in /entities")
]


class EntityView(Struct, frozen=True):
    """``EntityRow`` as an object, with a name. Positions in tiles from the north-west corner."""

    id: int
    name: str
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

    @classmethod
    def of(cls, row: EntityRow) -> "EntityView":
        """Return the view of a row."""
        return cls(name=entity_name(row.id), **asdict(row))


class EntitiesPage(Struct, frozen=True):
    """A page of entities, as they were at ``tick``; ``total`` counts every match.

    ``after``: what to ask for to get the next page; None on the last one.
    """

    tick: int
    total: int
    after: int | None
    entities: tuple[EntityView, ...]


class EntityDetail(Struct, frozen=True):
    """One entity and its newest events; ``player`` is a virtual player's own side."""

    tick: int
    entity: EntityView
    events: tuple[Event, ...]
    player: PlayerView | None = None


class EventsPage(Struct, frozen=True):
    """Events, oldest first.

    Attributes:
        last_seq: The newest event there is.
        after_seq: Where to go on: everything up to here was looked at.
        lost: Events among those looked at that cannot be had any more.
        events: The events that were asked for.
        before_seq: Of the newest ones, where to go on: everything from here on was looked at;
            None when there is no more.
    """

    last_seq: int
    after_seq: int
    lost: int
    events: tuple[Event, ...]
    before_seq: int | None = None


class ChainView(Struct, frozen=True):
    """One event with its causes and effects.

    Attributes:
        causes: Its causes, the root first, its direct cause last.
        event: The event.
        effects: What followed from it, breadth first: in the order of their causes, those of
            one cause in the order of the log.
        cut: Why this is not all, empty when it is.
    """

    causes: tuple[Event, ...]
    event: Event
    effects: tuple[Event, ...]
    cut: str


class FaultsPage(Struct, frozen=True):
    """The newest faults, oldest first, and those there are."""

    faults: tuple[FaultView, ...]
    menu: tuple[FaultSpec, ...]


class NewFault(Struct, frozen=True, forbid_unknown_fields=True):
    """A fault to arm. It reverts by itself after ``hold_s``."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="As in GET /faults.")]
    params: dict[str, ParamValue] = field(default_factory=dict)
    scope: Annotated[Scope, Meta(description="Whom it concerns; none of its fields: all.")] = (
        Scope()
    )
    hold_s: Annotated[float, Meta(gt=0, le=FAULT_HOLD_S_MAX)] = FAULT_HOLD_S_DEFAULT
    ramp_s: Annotated[float, Meta(ge=0, le=FAULT_HOLD_S_MAX)] = 0.0
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] | None = None


class NewLoad(Struct, frozen=True, forbid_unknown_fields=True):
    """The load from now on; what is left out stays as it is."""

    players: Annotated[int, Meta(ge=0, le=PLAYERS_MAX)] | None = None
    rate: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=COMMANDS_PER_S_PER_PLAYER_MAX,
                description="Commands a second for each player.",
            ),
        ]
        | None
    ) = None


class NewMark(Struct, frozen=True, forbid_unknown_fields=True):
    """A note on the time line."""

    text: Annotated[str, Meta(min_length=1, max_length=MARK_CHARS_MAX)]


class _NewIntent(Struct, frozen=True, forbid_unknown_fields=True):
    kind: IntentKind
    x: Tile = 0.0
    y: Tile = 0.0
    target: EntityName = 0
    amount: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    text: Annotated[str, Meta(max_length=SAY_CHARS_MAX)] = ""


class NewCommand(_NewIntent, frozen=True, kw_only=True):
    """An intent for any player or NPC. Which fields count depends on ``kind``.

    move: x and y. attack, gather: target. trade: target and amount (goods; above 0 buys
    from the target, below sells to it). say: text. rest: nothing.
    """

    entity: EntityName


class NewDirective(_NewIntent, frozen=True):
    """What an NPC is to do. Which fields count depends on ``kind``, as in a command."""


class NewPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What changes in a policy; what is left out stays as it is.

    Attributes:
        enabled: Whether it judges.
        priority: Lower ones judge first.
        params: Values by name.
        scope: The whole new scope; an empty one judges everything.
    """

    enabled: bool | None = None
    priority: Priority | None = None
    params: PolicyParams | None = None
    scope: PolicyScope | None = None


class PolicyShown(Struct, frozen=True):
    """A policy as it stands, and what it did since the run began.

    Attributes:
        name: Unique.
        help: What it forbids or changes.
        priority: Lower ones judge first.
        enabled: Whether it judges.
        built_in: False for one from a user's file.
        failed: Why the world disabled it; empty when it did not.
        scope: Which intents it judges; what is empty does not narrow it.
        params: Values now.
        specs: What each parameter is, and its bounds.
        evaluated: Intents it was asked about.
        denied: Of those.
        mutated: Of those.
    """

    name: str
    help: str
    priority: int
    enabled: bool
    built_in: bool
    failed: str
    scope: dict[str, list[int | str]]
    params: dict[str, ParamValue]
    specs: tuple[ParamSpec, ...]
    evaluated: int
    denied: int
    mutated: int

    @classmethod
    def of(cls, row: PolicyRow) -> "PolicyShown":
        """Return the view of a row."""
        policy, count = row.policy, row.count
        return cls(
            name=policy.name,
            help=policy.help,
            priority=policy.priority,
            enabled=policy.enabled,
            built_in=policy.built_in,
            failed=policy.failed,
            scope={name: list(values) for name, values in asdict(policy.scope).items()},
            params=policy.params,
            specs=policy.specs,
            evaluated=count.evaluated,
            denied=count.denied,
            mutated=count.mutated,
        )


class PoliciesPage(Struct, frozen=True):
    """Every policy, in the order in which they judge."""

    policies: tuple[PolicyShown, ...]


class AuditPage(Struct, frozen=True):
    """What was decided on intents, oldest first.

    Attributes:
        tick: The newest tick in the log.
        after: Where the oldest ones go on, and what is newer than the newest ones.
        rows: Those that were asked for.
        complete: Whether all of the log was looked at that was asked for; else go on.
        before: Where the newest ones go on: every row from this number on was looked at.
    """

    tick: int
    after: int
    rows: tuple[AuditRow, ...]
    complete: bool = True
    before: int = 0


class NewBeats(Struct, frozen=True, forbid_unknown_fields=True):
    """Beats that the narrator tells, oldest first."""

    beats: Annotated[tuple[NewBeat, ...], Meta(min_length=1, max_length=BEATS_PER_POST_MAX)]


class Done(Struct, frozen=True, omit_defaults=True):
    """What was done, in words; ``id`` of the fault that was armed."""

    text: str
    id: str = ""


class CommandDone(Struct, frozen=True):
    """What became of a command, told once its events are durable.

    Attributes:
        entity: The entity's number.
        verdict: permit, deny or mutate.
        reason: Why it was denied or mutated: ``policy: what was found``.
        tick: The tick that took it in.
        event: Sequence number of its first event.
        correlation: Stands in every event that follows from it.
    """

    entity: int
    verdict: VerdictKind
    reason: str
    tick: int
    event: int
    correlation: int
