"""What the STAT7 stream asks of the engine; the hub answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct
from numpy.typing import NDArray

from engine.world.events import TickEvents

Column = NDArray[Any]


class Run(Struct, frozen=True):
    """What stays the same for a whole run.

    Attributes:
        name: The run's name: every message's ``experiment_id``.
        seed: Of the run.
        epoch_ms: World time of tick 0, milliseconds since 1970.
        interval_ms: Of a tick.
    """

    name: str
    seed: int
    epoch_ms: int
    interval_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The world at one moment: columns of ``engine.world.state``, one row an entity.

    Attributes:
        tick: When it was so.
        columns: By name, all of one length.
    """

    tick: int
    columns: Mapping[str, Column]


class Stat7Service(Protocol):
    """A run, as the stream sees it. Nothing here waits."""

    @property
    def run(self) -> Run:
        """What stays the same."""
        ...

    def look(self, columns: tuple[str, ...]) -> Look | None:
        """Return copies of some columns as they are now; None while there is no world."""
        ...

    def happened(self, after_seq: int) -> Sequence[TickEvents]:
        """Return the ticks with events newer than ``after_seq`` that are remembered, in order."""
        ...

    def log(self, event: str, text: str) -> None:
        """Write a line into the engine's log."""
        ...

    def problem(self, text: str) -> None:
        """Tell the operator of something that is wrong, and that the run survives."""
        ...
