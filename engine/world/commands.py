"""Carries out one round of governed orders, kind by kind: one root event for each.

Kinds go in the order of ``INTENT_KINDS``; within a kind, the lower player id goes first
where something is scarce.
"""

from dataclasses import dataclass

import numpy as np

from engine.protocol.events import entity_name
from engine.world.arrays import Array, take_in_order
from engine.world.audit import DENY, WORLD_ITSELF, WORLD_NAME
from engine.world.constants import (
    DAMAGE_MIN,
    DAMAGE_SPREAD,
    GATHER_SPREAD,
    GOODS_CARRIED_MAX,
    HP_REST,
    PRICE_GOLD,
)
from engine.world.events import Code
from engine.world.governance import Ruling
from engine.world.hearing import Hearing
from engine.world.orders import ATTACK, GATHER, MOVE, REST, SAY, TRADE, Orders
from engine.world.purses import reserve
from engine.world.rng import Purpose, below
from engine.world.turn import Column, Turn


@dataclass(slots=True, eq=False)
class Round:
    """One round being carried out.

    Attributes:
        turn: The tick.
        hearing: Its orders, as governance has changed them.
        ruling: What governance says about them.
        event: ``seq`` of each order's root event, 0 until there is one.
    """

    turn: Turn
    hearing: Hearing
    ruling: Ruling
    event: Array

    @property
    def orders(self) -> Orders:
        """Its orders."""
        return self.hearing.orders

    def rows(self, kind: int) -> Array:
        """Return the rows of a kind that may be carried out."""
        rows = self.hearing.rows(kind)
        return rows[self.ruling.verdict[rows] != DENY] if len(rows) else rows

    def refuse(self, rows: Array, reasons: list[str]) -> None:
        """Deny what governance let pass but the world cannot give."""
        self.ruling.refuse(rows, WORLD_ITSELF, [f"{WORLD_NAME}: {why}" for why in reasons])

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
    _record_mutated(acting)


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
    reasons = acting.ruling.denials
    turn.tell(first, [reasons[row] for row in denied.tolist()])


def _record_mutated(acting: Round) -> None:
    """Record each change that governance made, also to what was denied in the end."""
    orders, turn = acting.orders, acting.turn
    for _, rows, reasons in acting.ruling.mutations:
        first = turn.emit(
            Code.MUTATED,
            np.where(orders.actor_row[rows] < 0, 0, orders.player[rows]),
            actor=orders.player[rows],
            target=orders.target[rows],
            a=orders.kind[rows],
            cause=acting.event[rows],
            correlation=orders.correlation[rows],
        )
        turn.tell(first, reasons)


def _move(acting: Round) -> None:
    rows = acting.rows(MOVE)
    acting.emit(Code.MOVED, rows, a=acting.orders.x[rows], b=acting.orders.y[rows])


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
    """Share what a node holds in order.

    Who comes when it is empty, or has no room, is denied by the world.
    """
    rows = acting.rows(GATHER)
    if not len(rows):
        return
    turn, orders, state = acting.turn, acting.orders, acting.turn.state
    nodes = orders.target_row[rows]
    luck = below(GATHER_SPREAD, turn.seed, turn.tick, Purpose.GATHER, orders.correlation[rows])
    room = (GOODS_CARRIED_MAX - state.goods[orders.actor_row[rows]]).clip(min=0)
    taken, left = take_in_order(np.minimum(1 + luck, room), nodes, state.goods[nodes])
    some = taken > 0
    if not some.all():
        nothing = rows[~some]
        full, names = (room[~some] == 0).tolist(), orders.target[nothing].tolist()
        acting.refuse(
            nothing,
            [
                f"can carry no more than {GOODS_CARRIED_MAX} goods"
                if has_no_room
                else f"{entity_name(name)} is empty"
                for has_no_room, name in zip(full, names, strict=True)
            ],
        )
    acting.emit(Code.GATHERED, rows[some], orders.target[rows[some]], taken[some], left[some])


def _trade(acting: Round) -> None:
    """Exchange goods for gold where both sides have them when the round starts.

    Governance has reserved them; where it was told not to, a purse still never holds less
    than nothing.
    """
    rows = acting.rows(TRADE)
    if not len(rows):
        return
    needs, lacking = reserve(acting.turn.state, acting.orders, rows)
    if lacking.any():
        words = [needs.words(at) for at in np.flatnonzero(lacking).tolist()]
        acting.refuse(rows[lacking], words)
        rows = rows[~lacking]
    amount = acting.orders.amount[rows]
    acting.emit(Code.TRADED, rows, acting.orders.target[rows], amount, amount * PRICE_GOLD)


def _say(acting: Round) -> None:
    rows = acting.rows(SAY)
    acting.emit(Code.SAID, rows)
    if len(rows):
        texts = acting.hearing.texts
        said = [texts[given] for given in acting.orders.given[rows].tolist()]
        acting.turn.tell(int(acting.event[rows[0]]), said)


def _rest(acting: Round) -> None:
    rows = acting.rows(REST)
    state, actor = acting.turn.state, acting.orders.actor_row[rows]
    hp = state.hp[actor]
    # Who was struck down in this very round rests in vain.
    gained = np.where(hp > 0, np.minimum(HP_REST, state.hp_max[actor] - hp), 0)
    acting.emit(Code.RESTED, rows, a=gained, b=hp + gained)
