"""What a fault is, and who it concerns. One fault a file beside this one, as ``FAULT``.

A fault has a player half (it runs in every squad, on the squad's own players) or a server
half (it acts on the server's process, from the hub). A player half is sans-IO: time comes
in, ``Cut``s and delays come out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from msgspec import Struct

from engine.protocol.child import SquadFault
from engine.protocol.command import ParamValue, Scope
from engine.protocol.errors import UserError
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.params import given_params
from engine.protocol.query import FaultSpec
from engine.stats.chance import draw_many

How = Literal["rst", "fin", "silent"]
Way = Literal["in", "out"]
"""A frame's direction, seen from the player."""

_CHOICE: Final = 101
"""Purpose of the draw that ranks players, so that no other draw correlates with it."""


class Cut(NamedTuple):
    """Take this player's connection away now, in this way."""

    player: int
    how: How


class Crowd(Struct, frozen=True):
    """The players a squad can see, for a fault to choose among.

    Attributes:
        population: Players the whole run wants now: numbers 0 to ``population - 1``.
        squad: This squad.
        squads: Of how many; a player number ``n`` belongs to squad ``n % squads``.
        archetype_of: Player number to archetype, known for every number.
        zone_of: Player number to zone, None when the player knows no position.
    """

    population: int
    squad: int
    squads: int
    archetype_of: Callable[[int], str]
    zone_of: Callable[[int], int | None]


class PlayerHalf:
    """An armed fault in one squad. What a fault does not do stays as it is here.

    Attributes:
        planned: Players of this squad that were chosen.
        slowed: Players whose frames it delays now.
        touched: Players whose frames it has delayed so far.
    """

    def __init__(self, planned: int = 0) -> None:
        self.planned = planned
        self.slowed: set[int] = set()
        self.touched: set[int] = set()

    def step(self, now_s: float) -> Sequence[Cut]:  # noqa: ARG002 - for those that override it
        """Return what is to be done by now; each cut is returned once."""
        return ()

    def holds(self, player: int, now_s: float) -> bool:  # noqa: ARG002 - see step
        """Whether this player must stay away now, in spite of wanting to connect."""
        return False

    def back_after_s(self, player: int) -> float:  # noqa: ARG002 - see step
        """Return how long after the revert the player tries to come back."""
        return 0.0

    def delay_s(self, player: int, way: Way) -> float:  # noqa: ARG002 - see step
        """Return for how long the next frame of a slowed player is held back."""
        return 0.0


class ServerProcess(Protocol):
    """The server's process, as far as a fault may touch it."""

    def kill(self) -> None:
        """End it by SIGKILL; it stays down until ``start``."""
        ...

    def start(self) -> None:
        """Start it again from what it has stored; nothing happens while it runs."""
        ...


class ServerHalf(Protocol):
    """An armed fault at the server."""

    def begin(self, process: ServerProcess) -> None:
        """Do the harm."""
        ...

    def revert(self, process: ServerProcess) -> None:
        """Undo it."""
        ...


class Fault(Protocol):
    """What a fault's file offers as ``FAULT``: a ``PlayerFault`` or a ``ServerFault``."""

    @property
    def name(self) -> str:
        """The name in the menu, in scenarios and in reports."""
        ...

    @property
    def spec(self) -> FaultSpec:
        """What the menu shows."""
        ...


@runtime_checkable
class PlayerFault(Fault, Protocol):
    """A fault with a player half."""

    def arm(self, order: SquadFault, crowd: Crowd, now_s: float) -> PlayerHalf:
        """Start the fault's player half.

        Raises:
            UserError: A parameter does not fit.
        """
        ...


@runtime_checkable
class ServerFault(Fault, Protocol):
    """A fault with a server half."""

    def strike(self, params: Mapping[str, ParamValue], seed: int) -> ServerHalf:
        """Return the fault's server half; ``params`` are checked and whole."""
        ...


def chosen(scope: Scope, seed: int, crowd: Crowd) -> list[int]:
    """Return this squad's chosen players, in the order of their draw.

    Every squad ranks the players of the whole run by the same draw, so that shares and
    counts are exact over all squads and the same seed chooses the same players. A zone
    is where a player stands now, which only its own squad knows.
    """
    if scope.ids is not None:
        numbers = [i - PLAYER_ID_BASE if i >= PLAYER_ID_BASE else i for i in scope.ids]
        return [n for n in dict.fromkeys(numbers) if 0 <= n < crowd.population and _own(n, crowd)]
    draws = draw_many(seed, _CHOICE, np.arange(crowd.population, dtype=np.int64))
    ranked: Iterable[int] = np.argsort(draws, kind="stable").tolist()
    if scope.players_pct is not None:
        ranked = list(ranked)[: round(scope.players_pct / 100.0 * crowd.population)]
    elif scope.count is not None:
        ranked = list(ranked)[: scope.count]
    elif scope.archetype is not None:
        ranked = [n for n in ranked if crowd.archetype_of(n) == scope.archetype]
    own = [n for n in ranked if _own(n, crowd)]
    if scope.zone is not None:
        own = [n for n in own if crowd.zone_of(n) == scope.zone]
    return own


def _own(player: int, crowd: Crowd) -> bool:
    return player % crowd.squads == crowd.squad


def filled_params(
    spec: FaultSpec, params: Mapping[str, ParamValue], where: str
) -> dict[str, ParamValue]:
    """Return the parameters with defaults for those not given.

    Raises:
        UserError: An unknown name, a wrong type, a value that is not allowed.
    """
    given = given_params(spec.params, params, where, spec.name)
    return {param.name: given.get(param.name, param.default) for param in spec.params}


def check_side(spec: FaultSpec, scope: Scope, where: str) -> None:
    """Refuse a scope where a fault concerns the whole server.

    Raises:
        UserError: It is given one.
    """
    if spec.side == "server" and scope != Scope():
        raise UserError(f"{where}: {spec.name} concerns the whole server: it takes no scope")
