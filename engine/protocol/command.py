"""What an operator tells the engine, and what it replies."""

from typing import Annotated

from msgspec import Meta, Struct, field

from engine.protocol.limits import (
    COMMANDS_PER_S_PER_PLAYER_MAX,
    ENTITY_ID_MAX,
    FAULT_HOLD_S_DEFAULT,
    FAULT_HOLD_S_MAX,
    MARK_CHARS_MAX,
    PLAYERS_MAX,
    SEED_MAX,
)
from engine.protocol.policy import PolicyChange
from engine.protocol.summary import ConsoleSummary

ParamValue = str | int | float | bool


class Scope(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whom a fault concerns; chosen by hash of (seed, player), so repeatable.

    Exactly one of the fields is given; none means everybody.
    """

    players_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    count: Annotated[int, Meta(ge=0, le=PLAYERS_MAX)] | None = None
    zone: Annotated[int, Meta(ge=0, le=63)] | None = None
    archetype: Annotated[str, Meta(max_length=32)] | None = None
    ids: (
        Annotated[
            tuple[Annotated[int, Meta(ge=0, le=ENTITY_ID_MAX)], ...], Meta(max_length=PLAYERS_MAX)
        ]
        | None
    ) = None


class SetPlayers(Struct, frozen=True, tag="set_players"):
    """Hold exactly this many players; suspends the running stage."""

    players: Annotated[int, Meta(ge=0, le=PLAYERS_MAX)]


class ScalePlayers(Struct, frozen=True, tag="scale_players"):
    """Change the number of players by a percentage of the present target."""

    pct: Annotated[float, Meta(ge=-100, le=1000)]


class SetRate(Struct, frozen=True, tag="set_rate"):
    """Commands a second for each player."""

    commands_per_s: Annotated[float, Meta(ge=0, le=COMMANDS_PER_S_PER_PLAYER_MAX)]


class ScaleRate(Struct, frozen=True, tag="scale_rate"):
    """Change the command rate by a percentage of the present one."""

    pct: Annotated[float, Meta(ge=-100, le=1000)]


class ArmFault(Struct, frozen=True, tag="arm_fault"):
    """Arm a fault; it reverts by itself after ``hold_s``."""

    name: Annotated[str, Meta(max_length=64)]
    scope: Scope = Scope()
    params: dict[str, ParamValue] = field(default_factory=dict)
    hold_s: Annotated[float, Meta(gt=0, le=FAULT_HOLD_S_MAX)] = FAULT_HOLD_S_DEFAULT
    ramp_s: Annotated[float, Meta(ge=0, le=FAULT_HOLD_S_MAX)] = 0.0
    seed: Annotated[int, Meta(ge=0, le=SEED_MAX)] | None = None


class ClearFault(Struct, frozen=True, tag="clear_fault"):
    """Revert one fault by id; an empty id means the one armed last (undo)."""

    fault: Annotated[str, Meta(max_length=64)] = ""


class Panic(Struct, frozen=True, tag="panic"):
    """Revert every armed fault."""


class SetPolicy(Struct, frozen=True, tag="set_policy"):
    """Change how a policy stands; answered once the world has taken it in."""

    change: PolicyChange


class Mark(Struct, frozen=True, tag="mark"):
    """A note on the time line."""

    text: Annotated[str, Meta(max_length=MARK_CHARS_MAX)]


class Stop(Struct, frozen=True, tag="stop"):
    """End the run: drain, write the summary, stop every process of the engine."""


class Lease(Struct, frozen=True, tag="lease"):
    """A console's sign of life, once a second; without it armed faults revert.

    ``cost``: what the console itself costs now; None when nothing is painted.
    """

    cost: ConsoleSummary | None = None


class Detach(Struct, frozen=True, tag="detach"):
    """This console leaves on purpose: the run and its faults go on until their hold ends."""


Command = (
    SetPlayers
    | ScalePlayers
    | SetRate
    | ScaleRate
    | ArmFault
    | ClearFault
    | Panic
    | SetPolicy
    | Mark
    | Stop
    | Lease
    | Detach
)


class Reply(Struct, frozen=True, tag="reply", omit_defaults=True):
    """Answer to a command: ``text`` says what was done, or why not.

    ``code`` on failure: bad_request, not_found, conflict, too_often, busy, gone.
    ``id``: of the fault that was armed.
    """

    ok: bool
    text: str = ""
    code: str = ""
    id: str = ""
