"""What a trade needs of both sides, and what several of them leave each other."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.world.arrays import Array, running_total
from engine.world.constants import GOODS_CARRIED_MAX, PRICE_GOLD
from engine.world.orders import Orders
from engine.world.state import State

CARRIED_MAX: Final = GOODS_CARRIED_MAX


@dataclass(slots=True, eq=False)
class Needs:
    """What each of some trades needs, and what is there for it; int64, (n,) each.

    Attributes:
        amount: Goods that change hands.
        price: Gold that does.
        goods: What the seller has.
        gold: What the buyer has.
        room: What the buyer can carry besides.
    """

    amount: Array
    price: Array
    goods: Array
    gold: Array
    room: Array

    def lacking(self) -> Array:
        """Return which trades lack something."""
        lacks: Array = self.amount > self.goods
        lacks |= self.price > self.gold
        lacks |= self.amount > self.room
        return lacks

    def words(self, at: int) -> str:
        """Return what one trade lacks."""
        amount, price = int(self.amount[at]), int(self.price[at])
        if amount > self.goods[at]:
            return f"seller has {self.goods[at]} goods, {amount} wanted"
        if price > self.gold[at]:
            return f"buyer has {self.gold[at]} gold, the price is {price}"
        return f"buyer can carry {self.room[at]} more goods, not {amount}"


def needs_of(state: State, orders: Orders, rows: Array) -> Needs:
    """Return what each trade needs, as if it were the only one."""
    seller, buyer, amount = _sides(orders, rows)
    goods = state.goods[buyer].astype(np.int64)
    return Needs(
        amount,
        amount * PRICE_GOLD,
        state.goods[seller].astype(np.int64),
        state.gold[buyer],
        GOODS_CARRIED_MAX - goods,
    )


def reserve(state: State, orders: Orders, rows: Array) -> tuple[Needs, Array]:
    """Return what is there for each trade when those before it have theirs, and who lacks.

    A trade that lacks something reserves nothing of what it was refused, nor of what comes
    after that: goods, then gold, then room.
    """
    seller, buyer, _ = _sides(orders, rows)
    needs = needs_of(state, orders, rows)
    if _are_apart(seller, buyer):
        return needs, needs.lacking()
    lacking = np.zeros(len(rows), bool)
    for name, wanted, owner in (
        ("goods", needs.amount, seller),
        ("gold", needs.price, buyer),
        ("room", needs.amount, buyer),
    ):
        left = ~lacking
        there = getattr(needs, name)
        there[left] = _there(wanted[left], owner[left], there[left])
        lacking[left] = wanted[left] > there[left]
    return needs, lacking


def _are_apart(seller: Array, buyer: Array) -> bool:
    """Whether nobody sells twice and nobody buys twice."""
    return all(len(np.unique(side)) == len(side) for side in (seller, buyer))


def _sides(orders: Orders, rows: Array) -> tuple[Array, Array, Array]:
    """Return seller, buyer and amount (positive) of some trades."""
    buys = orders.amount[rows] > 0
    actor, target = orders.actor_row[rows], orders.target_row[rows]
    return np.where(buys, target, actor), np.where(buys, actor, target), abs(orders.amount[rows])


def _there(wanted: Array, owners: Array, have: Array) -> Array:
    """Return what is left for each row when the earlier ones have theirs.

    A row that alone wants more than there is reserves nothing.
    """
    possible = wanted <= have
    reserved = np.where(possible, wanted, 0)
    earlier = running_total(reserved, owners) - reserved
    there: Array = np.where(possible, np.maximum(have - earlier, 0), have)
    return there
