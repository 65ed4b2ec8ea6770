"""Carries out one round of governed orders, kind by kind: one root event for each.

Kinds go in the order of ``INTENT_KINDS``; within a kind, the lower player id goes first
where something is scarce.
"""

from dataclasses import dataclass

import numpy as np

from engine.protocol.events import entity_name
from engine.world.arrays import Array, running_total, take_in_order
from engine.world.constants import (
    DAMAGE_MIN,
    DAMAGE_SPREAD,
    GATHER_SPREAD,
    GOODS_CARRIED_MAX,
    HP_REST,
    PRICE_GOLD,
)
from engine.world.events import Code
from engine.world.governance import DENY, MUTATE, Ruling
from engine.world.orders import ATTACK, GATHER, MOVE, REST, SAY, TRADE, Orders
from engine.world.rng import Purpose, below
from engine.world.turn import Column, Turn


@dataclass(slots=True, eq=False)
class Round:
    """One round being carried out.

    Attributes:
        turn: The tick.
        orders: Its orders.
        ruling: What governance says about them.
        texts: What is said, by ``orders.given``.
        event: ``seq`` of each order's root event, 0 until there is one.
    """

    turn: Turn
    orders: Orders
    ruling: Ruling
    texts: dict[int, str]
    event: Array

    def rows(self, kind: int) -> Array:
        """Return the rows of a kind that may be carried out."""
        return np.nonzero((self.orders.kind == kind) & (self.ruling.verdict != DENY))[0]

    def refuse(self, row: int, reason: str) -> None:
        """Deny what governance let pass but the world cannot give."""
        self.ruling.verdict[row] = DENY
        self.ruling.reasons[row] = reason

    def emit(
        self,
        kind: int,
        rows: Array,
        target: Column = 0,
        a: Column = 0,
        b: Column = 0,
    ) -> None:
        """Record the root events of some rows, in the actor's own stream."""
        orders = self.orders
        self._record(kind, rows, orders.player[rows], target, a, b)

    def hit(self, rows: Array, damage: Array, left: Array) -> None:
        """Record blows, in the victim's stream."""
        victims = self.orders.target[rows]
        self._record(Code.ATTACKED, rows, victims, victims, damage, left)

    def _record(
        self,
        kind: int,
        rows: Array,
        stream: Array,
        target: Column,
        a: Column,
        b: Column,
    ) -> None:
        if not len(rows):
            return
        first = self.turn.emit(
            kind,
            stream,
            actor=self.orders.player[rows],
            target=target,
            a=a,
            b=b,
            correlation=self.orders.correlation[rows],
        )
        self.event[rows] = first + np.arange(len(rows))


def carry_out(acting: Round) -> None:
    """Carry out what is allowed and record what is denied: ``event`` is then filled in.

    The ruling is amended where the world cannot give what was asked.
    """
    _move(acting)
    _attack(acting)
    _gather(acting)
    _trade(acting)
    _say(acting)
    _rest(acting)
    record_denied(acting)


def record_denied(acting: Round) -> None:
    """Record every denial with its reason; a stranger's goes to the world's stream."""
    denied = np.nonzero((acting.ruling.verdict == DENY) & (acting.event == 0))[0]
    if not len(denied):
        return
    orders, turn = acting.orders, acting.turn
    first = turn.emit(
        Code.DENIED,
        np.where(orders.actor_row[denied] < 0, 0, orders.player[denied]),
        actor=orders.player[denied],
        target=orders.target[denied],
        a=orders.kind[denied],
        correlation=orders.correlation[denied],
    )
    acting.event[denied] = first + np.arange(len(denied))
    for seq, row in enumerate(denied.tolist(), first):
        turn.text(seq, acting.ruling.reasons[row])


def _move(acting: Round) -> None:
    rows = acting.rows(MOVE)
    acting.emit(Code.MOVED, rows, a=acting.orders.x[rows], b=acting.orders.y[rows])
    for row in rows[acting.ruling.verdict[rows] == MUTATE].tolist():
        acting.turn.text(int(acting.event[row]), acting.ruling.reasons[row])


def _attack(acting: Round) -> None:
    rows = acting.rows(ATTACK)
    if not len(rows):
        return
    turn, orders, state = acting.turn, acting.orders, acting.turn.state
    victims = orders.target_row[rows]
    luck = below(DAMAGE_SPREAD, turn.seed, turn.tick, Purpose.DAMAGE, orders.correlation[rows])
    blow = DAMAGE_MIN + luck + state.level[orders.actor_row[rows]] // 2
    acting.hit(rows, *take_in_order(blow, victims, state.hp[victims]))


def _gather(acting: Round) -> None:
    rows = acting.rows(GATHER)
    if not len(rows):
        return
    turn, orders, state = acting.turn, acting.orders, acting.turn.state
    nodes = orders.target_row[rows]
    luck = below(GATHER_SPREAD, turn.seed, turn.tick, Purpose.GATHER, orders.correlation[rows])
    room = (GOODS_CARRIED_MAX - state.goods[orders.actor_row[rows]]).clip(min=0)
    taken, left = take_in_order(np.minimum(1 + luck, room), nodes, state.goods[nodes])
    nothing = taken == 0
    for row, carries_no_more in zip(
        rows[nothing].tolist(), (room[nothing] == 0).tolist(), strict=True
    ):
        name = entity_name(int(orders.target[row]))
        full = f"can carry no more than {GOODS_CARRIED_MAX} goods"
        acting.refuse(row, f"gather: {full if carries_no_more else f'{name} is empty'}")
    rows, some = rows[~nothing], ~nothing
    acting.emit(Code.GATHERED, rows, orders.target[rows], taken[some], left[some])


def _trade(acting: Round) -> None:
    """Exchange goods for gold where both sides have them when the round starts.

    What several trades of a round want from one purse is granted in order; what comes in
    can be spent from the next round on.
    """
    rows = acting.rows(TRADE)
    if not len(rows):
        return
    for shortage in (_lacking_goods, _lacking_gold, _lacking_room):
        lacking, reasons = shortage(acting, rows)
        for row, reason in zip(rows[lacking].tolist(), reasons, strict=True):
            acting.refuse(row, f"trade: {reason}")
        rows = rows[~lacking]
    amount = acting.orders.amount[rows]
    acting.emit(Code.TRADED, rows, acting.orders.target[rows], amount, amount * PRICE_GOLD)


def _sides(orders: Orders, rows: Array) -> tuple[Array, Array, Array]:
    """Return seller, buyer and amount (positive) of some trades."""
    buys = orders.amount[rows] > 0
    actor, target = orders.actor_row[rows], orders.target_row[rows]
    return np.where(buys, target, actor), np.where(buys, actor, target), abs(orders.amount[rows])


def _short(wanted: Array, owners: Array, have: Array) -> tuple[Array, Array]:
    """Return which rows are not served, and what was there for each.

    A row that alone wants more than there is reserves nothing.
    """
    possible = wanted <= have
    earlier = running_total(np.where(possible, wanted, 0), owners) - np.where(possible, wanted, 0)
    there = np.where(possible, np.maximum(have - earlier, 0), have)
    return wanted > there, there


def _lacking_goods(acting: Round, rows: Array) -> tuple[Array, list[str]]:
    seller, _, amount = _sides(acting.orders, rows)
    lacking, there = _short(amount, seller, acting.turn.state.goods[seller].astype(np.int64))
    pairs = zip(there[lacking].tolist(), amount[lacking].tolist(), strict=True)
    return lacking, [f"seller has {have} goods, {want} wanted" for have, want in pairs]


def _lacking_gold(acting: Round, rows: Array) -> tuple[Array, list[str]]:
    _, buyer, amount = _sides(acting.orders, rows)
    price = amount * PRICE_GOLD
    lacking, there = _short(price, buyer, acting.turn.state.gold[buyer])
    pairs = zip(there[lacking].tolist(), price[lacking].tolist(), strict=True)
    return lacking, [f"buyer has {have} gold, the price is {want}" for have, want in pairs]


def _lacking_room(acting: Round, rows: Array) -> tuple[Array, list[str]]:
    _, buyer, amount = _sides(acting.orders, rows)
    room = GOODS_CARRIED_MAX - acting.turn.state.goods[buyer].astype(np.int64)
    lacking, there = _short(amount, buyer, room)
    pairs = zip(there[lacking].tolist(), amount[lacking].tolist(), strict=True)
    return lacking, [f"buyer can carry {have} more goods, not {want}" for have, want in pairs]


def _say(acting: Round) -> None:
    rows = acting.rows(SAY)
    acting.emit(Code.SAID, rows)
    for row in rows.tolist():
        acting.turn.text(int(acting.event[row]), acting.texts[int(acting.orders.given[row])])


def _rest(acting: Round) -> None:
    rows = acting.rows(REST)
    state, actor = acting.turn.state, acting.orders.actor_row[rows]
    hp = state.hp[actor]
    # Who was struck down in this very round rests in vain.
    gained = np.where(hp > 0, np.minimum(HP_REST, state.hp_max[actor] - hp), 0)
    acting.emit(Code.RESTED, rows, a=gained, b=hp + gained)
