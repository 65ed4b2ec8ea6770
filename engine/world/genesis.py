"""The world before its first tick: where nodes and NPCs stand. A function of the seed."""

import numpy as np

from engine.protocol.limits import NODE_ID_BASE, NPC_ID_BASE, POSITION_MAX, ZONES_PER_SIDE
from engine.world.arrays import Array
from engine.world.constants import (
    GOLD_NPC_START,
    GOODS_NODE_MAX,
    GOODS_NPC_START,
    HP_START,
)
from engine.world.rng import Purpose, below
from engine.world.state import FACTIONS, HOME_ZONES, NODE, NPC, State


def genesis(seed: int, npcs: int, nodes: int, capacity: int) -> State:
    """Return a new world: nodes in rows 0 to ``nodes - 1``, then NPCs, scattered by the seed.

    An NPC belongs to the faction whose home zone is nearest, so that kin live together.

    Raises:
        ValueError: There is no room for so many.
    """
    state = State(capacity)
    ids = np.arange(NODE_ID_BASE, NODE_ID_BASE + nodes)
    rows = state.add(ids)
    state.kind[rows] = NODE
    state.goods[rows] = GOODS_NODE_MAX
    _scatter(state, rows, seed)
    ids = np.arange(NPC_ID_BASE, NPC_ID_BASE + npcs)
    rows = state.add(ids)
    state.kind[rows] = NPC
    _scatter(state, rows, seed)
    state.faction[rows] = _nearest_faction(state.zone[rows])
    state.hp[rows] = state.hp_max[rows] = HP_START
    state.goods[rows] = GOODS_NPC_START
    state.gold[rows] = GOLD_NPC_START
    state.treasury -= GOLD_NPC_START * npcs
    state.goods_supply = GOODS_NODE_MAX * nodes + GOODS_NPC_START * npcs
    state.home_x[rows], state.home_y[rows] = state.x[rows], state.y[rows]
    every = slice(0, state.count)
    state.alive[every] = state.level[every] = state.lives[every] = 1
    return state


def _scatter(state: State, rows: slice, seed: int) -> None:
    ids = state.id[rows]
    x = below(POSITION_MAX + 1, seed, 0, Purpose.PLACE_X, ids)
    y = below(POSITION_MAX + 1, seed, 0, Purpose.PLACE_Y, ids)
    state.place(rows, x, y)


def _nearest_faction(zones: Array) -> Array:
    column, line = zones % ZONES_PER_SIDE, zones // ZONES_PER_SIDE
    homes = [(home % ZONES_PER_SIDE, home // ZONES_PER_SIDE) for home in HOME_ZONES]
    far = np.array([abs(column.astype(int) - x) + abs(line.astype(int) - y) for x, y in homes])
    nearest: Array = np.argmin(far.reshape(len(FACTIONS), -1), axis=0)
    return nearest
