"""What the reducer wants done: data, carried out by the hub's shell."""

from msgspec import Struct

from engine.hub.state import Armed
from engine.protocol.feed import NoticeKind


class Load(Struct, frozen=True):
    """Tell the squads a number of players, a rate, or both; None leaves it as it is."""

    players: int | None = None
    commands_per_s: float | None = None


class Arm(Struct, frozen=True):
    """Begin a fault."""

    fault: Armed


class Disarm(Struct, frozen=True):
    """Revert a fault."""

    fault: Armed


class Tell(Struct, frozen=True):
    """Publish a notice."""

    kind: NoticeKind
    text: str
    bad: bool = False


class Finish(Struct, frozen=True):
    """End the run; ``why`` is a sentence for the summary."""

    why: str


Effect = Load | Arm | Disarm | Tell | Finish
