"""``Hearing``: a batch of intents before governance, and what several policies ask about it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.world.arrays import Array
from engine.world.orders import ATTACK, GATHER, TRADE, Orders
from engine.world.state import State

NO_ROWS: Final = np.empty(0, np.int64)
NO_ROWS.flags.writeable = False

AIMED: Final = (ATTACK, GATHER, TRADE)
"""Kinds of intents that have a target."""


class Hearing:
    """What a policy may look at. It changes nothing.

    What is worked out for one policy is kept for the next: rows by kind, columns of the
    actors, distances to targets.

    Attributes:
        state: The world as it is now.
        orders: The intents to judge, as earlier policies have changed them.
        tick: The tick.
        now_ms: World time.
        interval_ms: Of a tick.
        texts: What is said, by ``orders.given``.
        open: Mask of those that nobody has denied yet, (n,).
        retargeted: Whether a policy has changed a target, an amount or a text.
        within: Mask of those in the scope of the policy that judges, None for all.
    """

    __slots__ = (
        "_actor",
        "_counts",
        "_far",
        "_rows",
        "interval_ms",
        "now_ms",
        "open",
        "orders",
        "retargeted",
        "state",
        "texts",
        "tick",
        "within",
    )

    def __init__(
        self,
        state: State,
        orders: Orders,
        tick: int,
        now_ms: int,
        interval_ms: int,
        texts: dict[int, str],
    ) -> None:
        self.state = state
        self.orders = orders
        self.tick = tick
        self.now_ms = now_ms
        self.interval_ms = interval_ms
        self.texts = texts
        self.open: Array = np.ones(len(orders), bool)
        self.retargeted = False
        self.within: Array | None = None
        self._counts: list[int] = np.bincount(orders.kind, minlength=256).tolist()
        self._rows: dict[Sequence[int], Array] = {}
        self._actor: dict[str, Array] = {}
        self._far: Array | None = None

    def has(self, kinds: Sequence[int]) -> bool:
        """Whether there is an intent of one of some kinds."""
        counts = self._counts
        return any(counts[kind] for kind in kinds)

    def rows(self, *kinds: int) -> Array:
        """Return the rows of some kinds, one kind after another."""
        rows = self._rows.get(kinds)
        if rows is None:
            if len(kinds) == 1:
                rows = np.flatnonzero(self.orders.kind == kinds[0]) if self.has(kinds) else NO_ROWS
            else:
                rows = np.concatenate([self.rows(kind) for kind in kinds])
            self._rows[kinds] = rows
        return rows

    def in_play(self, rows: Array) -> Array:
        """Return those of some rows that are not denied yet and in the judge's scope."""
        keep = self.open[rows]
        if self.within is not None:
            keep &= self.within[rows]
        return rows if keep.all() else rows[keep]

    def actor(self, column: str) -> Array:
        """Return a column of the world's state, for every row's actor."""
        values = self._actor.get(column)
        if values is None:
            values = self.state.columns[column][self.orders.actor_row]
            self._actor[column] = values
        return values

    def far(self) -> Array:
        """Return the squared distance to the target of each of ``rows(*AIMED)``, int64."""
        if self._far is None:
            rows = self.rows(*AIMED)
            state, target = self.state, self.orders.target_row[rows]
            dx = state.x[target] - self.actor("x")[rows]
            dy = state.y[target] - self.actor("y")[rows]
            # Positions are below 2**16, so that a square fits into 33 bits.
            self._far = dx.astype(np.int64) ** 2 + dy.astype(np.int64) ** 2
        return self._far

    def change(self, rows: Array, field: str, values: Array | list[str]) -> None:
        """Give some intents another destination, target, amount or text."""
        orders = self.orders
        self.retargeted |= field not in {"x", "y"}
        if field == "text":
            self.texts.update(zip(orders.given[rows].tolist(), values, strict=True))
            return
        getattr(orders, field)[rows] = values
        if field == "target":
            orders.target_row[rows] = self.state.rows_of(orders.target[rows])
            self._far = None
