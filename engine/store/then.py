"""What was true after a tick of a recording, in figures."""

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.replay import EntityThen, WorldThen
from engine.world.replica import Replica
from engine.world.state import COLUMNS, NODE, NPC, PLAYER
from engine.world.world import World


def world_then(world: World | Replica) -> WorldThen:
    """Return the whole world's figures, after the tick before the next."""
    state = world.state
    count = state.count
    kind, alive = state.kind[:count], state.alive[:count] != 0
    gold, goods = state.gold[:count], state.goods[:count]
    players, npcs, nodes = kind == PLAYER, kind == NPC, kind == NODE
    dead = ~nodes & ~alive
    figures = {
        "players": int(players.sum()),
        "players_connected": int((players & (state.connected[:count] != 0)).sum()),
        "players_dead": int((players & dead).sum()),
        "npcs": int(npcs.sum()),
        "npcs_dead": int((npcs & dead).sum()),
        "nodes": int(nodes.sum()),
        "nodes_empty": int((nodes & ~alive).sum()),
        "deaths": int((state.lives[:count][~nodes].astype(np.int64) - 1).sum() + dead.sum()),
        "gold_players": int(gold[players].sum()),
        "gold_npcs": int(gold[npcs].sum()),
        "gold_treasury": int(state.treasury),
        "goods_players": int(goods[players].sum()),
        "goods_npcs": int(goods[npcs].sum()),
        "goods_nodes": int(goods[nodes].sum()),
    }
    return WorldThen(
        tick=world.tick - 1,
        time_ms=(world.tick - 1) * world.interval_ms,
        state_hash=world.hash.hex(),
        events=world.next_seq - 1,
        figures=figures,
    )


def entity_then(world: World | Replica, entity: int) -> EntityThen | None:
    """Return an entity's columns, None when it was not there."""
    state = world.state
    row = state.row_of(entity)
    if row is None:
        return None
    name = entity_name(entity)
    fields = {column: int(state.columns[column][row]) for column, _ in COLUMNS if column != "id"}
    return EntityThen(world.tick - 1, entity, name, state.names.get(entity, name), fields)
