"""A scenario: what a run does. Parsed from TOML by ``engine.protocol.scenario_file``."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from engine.protocol.limits import NPCS_MAX, PLAYERS_MAX
from engine.protocol.policy import PolicyChange

ExecutorName = Literal["constant-players", "ramping-players", "manual"]
EXECUTORS: tuple[ExecutorName, ...] = ("constant-players", "ramping-players", "manual")

DEFAULT_MIX: dict[str, float] = {"wanderer": 6.0, "trader": 3.0, "raider": 1.0, "cheater": 0.1}

Players = Annotated[int, Meta(ge=0, le=PLAYERS_MAX)]


class Stage(Struct, frozen=True):
    """One load shape; stages run one after another, the last one holds.

    Attributes:
        executor: Which shape.
        to: Players at the end.
        over_s: How long it takes; 0 with ``constant-players`` means until the end.
    """

    executor: ExecutorName
    to: int
    over_s: float


class Target(Struct, frozen=True):
    """The server under assault; ``url`` empty for the embedded world."""

    url: str = ""
    driver: str = "seed"


class FaultStep(Struct, frozen=True):
    """One fault of the scenario's schedule."""

    name: str
    at_s: float
    hold_s: float
    ramp_s: float
    scope: dict[str, Any]
    params: dict[str, str | int | float | bool]


class PolicyStep(Struct, frozen=True):
    """How a policy stands when the run begins; ``file``: absolute, of one that is a user's own."""

    change: PolicyChange
    file: str = ""


class Scenario(Struct, frozen=True):
    """A parsed scenario: durations in seconds, every name checked."""

    name: str = "storm"
    seed: int = 7
    warm_up_s: float = 10.0
    players: Players = 1000
    mix: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_MIX))
    npcs: Annotated[int, Meta(ge=0, le=NPCS_MAX)] = 200
    target: Target = Target()
    stages: tuple[Stage, ...] = ()
    faults: tuple[FaultStep, ...] = ()
    policies: tuple[PolicyStep, ...] = ()
    thresholds: dict[str, str] = field(default_factory=dict)
