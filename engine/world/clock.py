"""What happens because time passes: the dead return, nodes grow again, NPCs roam and rest."""

import numpy as np

from engine.protocol.limits import POSITION_MAX
from engine.world.arrays import Array, isqrt
from engine.world.constants import (
    GOLD_NPC_START,
    GOLD_PLAYER_START,
    GOODS_NODE_MAX,
    HP_REST,
    NPC_PERIOD_TICKS,
    NPC_ROAM_UNITS,
    NPC_STEP_UNITS,
)
from engine.world.events import Code
from engine.world.rng import Purpose, below
from engine.world.state import HOME_ZONES, NODE, NPC, ZONE_UNITS, zone_corner
from engine.world.turn import Turn


def pass_time(turn: Turn) -> None:
    """Emit what is due in this tick."""
    state = turn.state
    due = state.due_tick[: state.count]
    rows = np.nonzero((due > 0) & (due <= turn.tick))[0]
    if len(rows):
        nodes = state.kind[rows] == NODE
        _regrow(turn, rows[nodes])
        _respawn(turn, rows[~nodes])
    _npcs(turn)


def grant(turn: Turn, wanted: Array) -> Array:
    """Return what the treasury can give of each wish, in order."""
    before = np.cumsum(wanted) - wanted
    granted: Array = np.minimum(wanted, (turn.state.treasury - before).clip(min=0))
    return granted


def packed_place(x: Array, y: Array) -> Array:
    """Return ``y << 16 | x``."""
    place: Array = y.astype(np.int64) << 16 | x.astype(np.int64)
    return place


def _regrow(turn: Turn, rows: Array) -> None:
    new = GOODS_NODE_MAX - turn.state.goods[rows]
    turn.emit(Code.NODE_REGROWN, turn.state.id[rows], a=GOODS_NODE_MAX, b=new)


def _respawn(turn: Turn, rows: Array) -> None:
    """At the faction's home zone, with the starting purse made up from the treasury."""
    if not len(rows):
        return
    state = turn.state
    ids = state.id[rows]
    left, top = zone_corner(np.array(HOME_ZONES)[state.faction[rows]])
    x = left + below(ZONE_UNITS, turn.seed, turn.tick, Purpose.RESPAWN_X, ids)
    y = top + below(ZONE_UNITS, turn.seed, turn.tick, Purpose.RESPAWN_Y, ids)
    purse = np.where(state.kind[rows] == NPC, GOLD_NPC_START, GOLD_PLAYER_START)
    gold = grant(turn, (purse - state.gold[rows]).clip(min=0))
    turn.emit(Code.RESPAWNED, ids, a=packed_place(x, y), b=gold)


def _npcs(turn: Turn) -> None:
    """Each NPC acts once in ``NPC_PERIOD_TICKS``: the hurt rest, the others roam about home."""
    state = turn.state
    count = state.count
    mine = (state.id[:count] % NPC_PERIOD_TICKS == turn.tick % NPC_PERIOD_TICKS) & (
        (state.kind[:count] == NPC) & (state.alive[:count] != 0) & (state.hp[:count] > 0)
    )
    rows = np.nonzero(mine)[0]
    if not len(rows):
        return
    hurt = state.hp[rows] < state.hp_max[rows]
    _roam(turn, rows[~hurt])
    rows = rows[hurt]
    hp = state.hp[rows]
    gained = np.minimum(HP_REST, state.hp_max[rows] - hp)
    ids = state.id[rows]
    turn.emit(Code.RESTED, ids, actor=ids, a=gained, b=hp + gained)


def _roam(turn: Turn, rows: Array) -> None:
    state = turn.state
    ids = state.id[rows]
    width = 2 * NPC_ROAM_UNITS
    goal_x = state.home_x[rows] + below(width, turn.seed, turn.tick, Purpose.WANDER_X, ids)
    goal_y = state.home_y[rows] + below(width, turn.seed, turn.tick, Purpose.WANDER_Y, ids)
    x, y = state.x[rows].astype(np.int64), state.y[rows].astype(np.int64)
    x, y = step_towards(x, y, goal_x - NPC_ROAM_UNITS, goal_y - NPC_ROAM_UNITS, NPC_STEP_UNITS)
    turn.emit(Code.MOVED, ids, actor=ids, a=x, b=y)


def step_towards(
    x: Array, y: Array, goal_x: Array, goal_y: Array, units: int
) -> tuple[Array, Array]:
    """Return the place at most ``units`` from (x, y) on the way to the goal, on the map."""
    dx, dy = goal_x - x, goal_y - y
    length = np.maximum(isqrt(dx * dx + dy * dy), units)
    x = x + np.sign(dx) * (abs(dx) * units // length)
    y = y + np.sign(dy) * (abs(dy) * units // length)
    return x.clip(0, POSITION_MAX), y.clip(0, POSITION_MAX)
