"""What a governance policy is: one file, one ``POLICY``, judging a whole batch at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.world.arrays import Array
from engine.world.orders import Orders
from engine.world.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """What a policy may look at. It changes nothing.

    Attributes:
        state: The world as it is now.
        orders: The intents to judge.
        tick: The tick.
        now_ms: World time.
        texts: What is said, by ``orders.given``.
    """

    state: State
    orders: Orders
    tick: int
    now_ms: int
    texts: dict[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A policy's view of every intent it was shown.

    Attributes:
        deny: Mask, (n,).
        why: Says for denied or mutated rows what was found; called for those alone.
        mutate: Mask of moves to carry out otherwise, or None.
        x: Destination instead, where ``mutate``.
        y: Destination instead, where ``mutate``.
    """

    deny: Array
    why: Callable[[Array], list[str]]
    mutate: Array | None = None
    x: Array | None = None
    y: Array | None = None


class Policy(Protocol):
    """A rule of governance.

    Attributes:
        name: Unique, as people see it.
        help: What it forbids, in one line.
        priority: Lower ones judge first, and a denial ends the matter.
        whole_tick: Judged once for all intents of the tick, before any is carried out;
            otherwise before each round, on the state the earlier ones left.
    """

    @property
    def name(self) -> str:
        """Unique, as people see it."""
        ...

    @property
    def help(self) -> str:
        """What it forbids, in one line."""
        ...

    @property
    def priority(self) -> int:
        """Lower ones judge first."""
        ...

    @property
    def whole_tick(self) -> bool:
        """See above."""
        ...

    def judge(self, hearing: Hearing) -> Judgement:
        """Return what is denied or mutated."""
        ...
