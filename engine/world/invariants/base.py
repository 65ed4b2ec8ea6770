"""What an invariant is: one file, one ``INVARIANT``, asking whether a tick left the world true."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.world.arrays import Array
from engine.world.cascade import Frontier
from engine.world.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """What was true when the tick began, one row an entity.

    Attributes:
        cell: Interest cells.
        version: Events in each stream.
        gold: Purses.
        goods: What each holds.
        world_version: Events in the world's stream.
    """

    cell: Array
    version: Array
    gold: Array
    goods: Array
    world_version: int

    @classmethod
    def of(cls, state: State) -> "Before":
        """Return what is true now."""
        names = ("cell", "version", "gold", "goods")
        cell, version, gold, goods = (state.columns[name][: state.count].copy() for name in names)
        return cls(cell, version, gold, goods, state.world_version)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What an invariant may look at: the world right after a tick. It changes nothing.

    Attributes:
        state: The world as it is now.
        before: What was true when the tick began.
        events: The tick's events, ``EVENT_DTYPE``, numbered in their streams.
        first_seq: ``seq`` of the first.
        stream_rows: The row of each event's stream, -1 for the world's.
        pending: Events of earlier ticks whose reactions were still to come.
    """

    state: State
    before: Before
    events: Array
    first_seq: int
    stream_rows: Array
    pending: Frontier


@dataclass(frozen=True, slots=True)
class Break:
    """How the world is wrong in one place.

    Attributes:
        found: What is.
        expected: What must be.
        words: Both, for people.
        entity: Whose, 0 when nobody can be named.
        seq: The event that is wrong or made it wrong, 0 when none can be named.
    """

    found: int
    expected: int
    words: str
    entity: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Breaks:
    """Every place in which an invariant does not hold.

    Attributes:
        where: What tells one place from another, mostly an entity or an event; int64, (n,).
        off: By how much each is wrong, int64, (n,).
        at: Position in those to what is to be told of it.
    """

    where: Array
    off: Array
    at: Callable[[int], Break]

    @classmethod
    def one(cls, broken: Break) -> "Breaks":
        """Return what is wrong as a whole, in no place of its own."""
        # Sums of a wild world wrap around, as its columns do.
        off = (broken.found - broken.expected + 2**63) % 2**64 - 2**63
        return cls(np.zeros(1, np.int64), np.array([off], np.int64), lambda _: broken)


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must always hold.

    Attributes:
        name: Unique, as people see it.
        help: What must hold, in one line.
        check: The scene to every break, None when it holds.
    """

    name: str
    help: str
    check: Callable[[Scene], Breaks | None]
