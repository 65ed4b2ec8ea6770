"""``HubState``: what the reducer decides upon. Frozen; time comes in as ``at_s``."""

from typing import Literal

from msgspec import Struct, field

from engine.protocol.command import ParamValue, Scope
from engine.protocol.policy import PolicyView
from engine.protocol.query import FaultSpec
from engine.protocol.scenario import FaultStep

OnDisconnect = Literal["revert", "keep", "stop"]


class Rules(Struct, frozen=True):
    """What stays the same for a whole run.

    Attributes:
        players_max: Never more players than this.
        duration_s: End after this long; None until told to stop.
        on_disconnect: What happens when the last console vanishes.
        unattended_s_max: A run without a console ends after this long.
        seed: The run's seed; faults without one of their own get theirs from it.
        archetypes: Names in the mix.
        faults: The faults there are, by name.
    """

    players_max: int
    duration_s: float | None
    on_disconnect: OnDisconnect
    unattended_s_max: float
    seed: int
    archetypes: tuple[str, ...]
    faults: dict[str, FaultSpec]


class Armed(Struct, frozen=True):
    """One fault, armed or (with ``cleared_at_s``) over.

    ``by_console``: armed by an operator and not by the scenario's schedule.
    """

    id: str
    name: str
    scope: Scope
    params: dict[str, ParamValue]
    hold_s: float
    ramp_s: float
    seed: int
    armed_at_s: float
    by_console: bool
    side: Literal["players", "server"] = "players"
    cleared_at_s: float | None = None
    cleared_why: str = ""


class Seated(Struct, frozen=True):
    """One console: when it was last heard of, and whether it said that it leaves."""

    heard_s: float
    detached: bool = False


class HubState(Struct, frozen=True):
    """Everything the reducer knows.

    Attributes:
        rules: See ``Rules``.
        target: Players wanted now, as the squads' schedule or the operator has it.
        manual: The operator has taken the load.
        commands_per_s: For each player.
        load_changed_s: Times of the latest load changes.
        armed: Armed faults, oldest first.
        schedule: The scenario's faults that are still to come, by time.
        consoles: By number.
        leases: Console to its latest sign of life; stays when its link breaks, goes when
            it detaches.
        attended_s: When a console was last there.
        faults_made: Faults armed so far; numbers the next.
        marked_s: When the newest moments were marked, oldest first.
        finishing: The run is about to end.
        policies: How the world's policies stand, as it told last; empty without a world.
    """

    rules: Rules
    target: int
    commands_per_s: float
    schedule: tuple[FaultStep, ...] = ()
    manual: bool = False
    load_changed_s: tuple[float, ...] = ()
    marked_s: tuple[float, ...] = ()
    armed: tuple[Armed, ...] = ()
    consoles: dict[int, Seated] = field(default_factory=dict)
    leases: dict[int, float] = field(default_factory=dict)
    attended_s: float = 0.0
    faults_made: int = 0
    finishing: bool = False
    policies: tuple[PolicyView, ...] = ()
