"""sanity: an intent must make sense: a place on the map, a target of the right kind."""

from dataclasses import dataclass

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.gateway import INTENT_KINDS
from engine.protocol.limits import POSITION_MAX
from engine.world.arrays import Array
from engine.world.hearing import AIMED, NO_ROWS, Hearing
from engine.world.orders import ATTACK, GATHER, MOVE, SAY, TRADE
from engine.world.policies.base import Judgement, NoParams
from engine.world.state import NODE


@dataclass(frozen=True, slots=True)
class Sanity:
    """Unknown kinds and targets, places off the map, empty words, empty trades."""

    name: str = "sanity"
    help: str = "intents that make no sense"
    priority: int = 20
    kinds: tuple[int, ...] = ()
    steady: bool = False
    fixed: bool = True
    defaults: NoParams = NoParams()

    def judge(self, hearing: Hearing, params: NoParams) -> Judgement | None:
        """See ``Policy``."""
        del params
        orders = hearing.orders
        wrong = [_unknown(hearing)]
        rows = hearing.rows(MOVE)
        if len(rows):
            # The map's side is a power of two: a negative or too large number has other bits.
            off_map = (orders.x[rows] | orders.y[rows]) & ~POSITION_MAX
            wrong.append(rows[off_map != 0])
        rows = hearing.rows(*AIMED)
        if len(rows):
            wrong.append(rows[_aims_wrong(hearing, rows)])
        rows = hearing.rows(SAY)
        if len(rows):
            said = [bool(hearing.texts.get(row)) for row in orders.given[rows].tolist()]
            wrong.append(rows[~np.array(said)])
        denied = np.concatenate(wrong)
        if not len(denied):
            return None
        return Judgement(denied, lambda at: _why(hearing, denied[at]))


def _unknown(hearing: Hearing) -> Array:
    kinds = range(len(INTENT_KINDS))
    known = sum(len(hearing.rows(kind)) for kind in kinds)
    if known == len(hearing.orders):
        return NO_ROWS
    return np.flatnonzero(hearing.orders.kind >= len(INTENT_KINDS))


def _aims_wrong(hearing: Hearing, rows: Array) -> Array:
    """Return which of the rows, all of a kind that has a target, have a wrong one."""
    state, orders = hearing.state, hearing.orders
    kind, target = orders.kind[rows], orders.target_row[rows]
    gather = kind == GATHER
    wrong: Array = (target < 0) | (target == orders.actor_row[rows])
    wrong |= (state.kind[target] == NODE) != gather
    wrong |= (state.alive[target] == 0) | ((state.hp[target] == 0) & ~gather)
    wrong |= (kind == TRADE) & (orders.amount[rows] == 0)
    return wrong


def _why(hearing: Hearing, rows: Array) -> list[str]:
    state, orders = hearing.state, hearing.orders
    targets = orders.target_row[rows]
    columns = (
        orders.kind[rows],
        orders.x[rows],
        orders.y[rows],
        orders.target[rows],
        targets,
        targets == orders.actor_row[rows],
        state.kind[targets] == NODE,
        (state.alive[targets] == 0) | (state.hp[targets] == 0),
    )
    return [_words(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _words(
    kind: int, x: int, y: int, target: int, row: int, oneself: bool, node: bool, dead: bool
) -> str:
    if kind >= len(INTENT_KINDS):
        return f"unknown kind {kind}"
    if kind == MOVE:
        return f"({x}, {y}) is off the map, 0 to {POSITION_MAX}"
    if kind == SAY:
        return "nothing to say"
    name = entity_name(target)
    if row < 0:
        return f"there is no {name}" if target else "no target given"
    if oneself:
        return f"cannot {_doing(kind)} oneself"
    if node != (kind == GATHER):
        return f"cannot {_doing(kind)} {name}"
    if node:
        return f"{name} is empty"
    return f"{name} is dead" if dead else "nothing to trade"


def _doing(kind: int) -> str:
    """Return what an intent does to a target, up to the target's name."""
    return (
        "attack"
        if kind == ATTACK
        else f"{INTENT_KINDS[kind]} {'from' if kind == GATHER else 'with'}"
    )


POLICY = Sanity()
