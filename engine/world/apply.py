"""``apply``: the only place where events change the world's state.

Every effect is a function of the state and the events alone, so that stored events
build the same state. A block holds events of one kind, in the order they happened.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.protocol.limits import ORDER_SEQ_BASE
from engine.world.arrays import Array, isqrt, rank_in_group
from engine.world.constants import (
    HP_PER_LEVEL,
    HP_START,
    RATE_COST_MS,
    RATE_SAVED_MS_MAX,
    WALK_UNITS_PER_100_MS,
    WALK_UNITS_SAVED_MAX,
    XP_ACT,
    XP_KILL,
    XP_MAX,
)
from engine.world.events import Code
from engine.world.state import FACTIONS, PLAYER, State

Effect = Callable[[State, Array, int], None]


def apply(state: State, events: Array, now_ms: int) -> None:
    """Change the state as a block of events of one kind says.

    Args:
        state: The world.
        events: ``EVENT_DTYPE``, all of one kind.
        now_ms: World time of the tick.
    """
    effect = _EFFECTS.get(int(events["kind"][0]))
    if effect is not None:
        effect(state, events, now_ms)


def seal(
    state: State,
    events: Array,
    texts: dict[int, str],
    old_cells: Array,
    tick: int,
    now_ms: int,
) -> None:
    """Number a tick's events in their streams and book what they cost their players.

    Fills in ``version`` and carries the counters forward: versions, the highest client
    sequence, the command allowance, names of guests, and which interest cells changed.

    Args:
        state: The world, after every effect of the tick.
        events: All events of the tick, in order.
        texts: Row in ``events`` to text.
        old_cells: The cell of each row before the tick.
        tick: The tick.
        now_ms: Its world time.
    """
    if not len(events):
        return
    streams = state.rows_of(events["stream"])
    ranks = rank_in_group(streams)
    of_world = streams < 0
    versions = np.where(of_world, state.world_version, state.version[streams]) + ranks + 1
    events["version"] = versions
    state.world_version += int(of_world.sum())
    known = streams[~of_world]
    np.maximum.at(state.version, known, versions[~of_world])
    for row in np.nonzero(events["kind"] == Code.JOINED)[0].tolist():
        if row in texts:
            state.names[int(events["stream"][row])] = texts[row]
    _book_commands(state, events, now_ms)
    _mark_cells(state, events, old_cells, tick)


def _book_commands(state: State, events: Array, now_ms: int) -> None:
    """Root events of commands: one for each new command, permitted or denied.

    An operator's order costs its entity an action like any other, but its sequence number
    is none of the player's own: that one goes on where it was.
    """
    root = (events["cause"] == 0) & (events["correlation"] != 0)
    correlation = events["correlation"][root]
    if not len(correlation):
        return
    rows = state.rows_of(correlation >> np.uint64(32))
    known = rows >= 0
    rows, seqs = rows[known], (correlation[known] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    is_order = seqs > ORDER_SEQ_BASE
    np.maximum.at(state.last_seq, rows, np.where(is_order, 0, seqs))
    np.maximum.at(state.last_order, rows[is_order], seqs[is_order])
    commands = np.bincount(rows, minlength=1)
    rows = np.nonzero(commands)[0]
    busy = np.maximum(state.busy_ms[rows], now_ms) + commands[rows] * RATE_COST_MS
    state.busy_ms[rows] = np.minimum(busy, now_ms + RATE_SAVED_MS_MAX)


def _mark_cells(state: State, events: Array, old_cells: Array, tick: int) -> None:
    # Actors need no look of their own: what is seen of them changes in their own stream.
    seen = _SEEN[events["kind"]]
    # One more place than there are rows: where "no entity" (-1) ends up.
    touched = np.zeros(state.count + 1, bool)
    for who in ("stream", "target"):
        touched[state.rows_of(events[who][seen])] = True
    rows = np.nonzero(touched[:-1])[0]
    state.cell_versions[state.cell[rows]] = tick
    state.cell_versions[old_cells[rows[rows < len(old_cells)]]] = tick


def _joined(state: State, events: Array, now_ms: int) -> None:
    rows = state.add(events["stream"])
    state.kind[rows] = PLAYER
    state.faction[rows] = events["stream"] % len(FACTIONS)
    state.alive[rows] = state.connected[rows] = state.level[rows] = state.lives[rows] = 1
    state.hp[rows] = state.hp_max[rows] = HP_START
    state.gold[rows] = events["b"]
    state.treasury -= int(events["b"].sum())
    state.walked[rows] = walk_clock(now_ms) - WALK_UNITS_SAVED_MAX
    state.spawned_ms[rows] = now_ms + 1
    state.place(rows, events["a"] & 0xFFFF, events["a"] >> 16)


def _resumed(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    state.connected[state.rows_of(events["stream"])] = 1


def _gone(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    state.connected[state.rows_of(events["stream"])] = 0


def _moved(state: State, events: Array, now_ms: int) -> None:
    rows = state.rows_of(events["stream"])
    x, y = events["a"], events["b"]
    dx, dy = x - state.x[rows], y - state.y[rows]
    start = np.maximum(state.walked[rows], walk_clock(now_ms) - WALK_UNITS_SAVED_MAX)
    # Far may go who was let leap: what is owed for it is bounded, as with ``busy_ms``.
    walked = start + isqrt(dx * dx + dy * dy)
    state.walked[rows] = np.minimum(walked, walk_clock(now_ms) + WALK_UNITS_SAVED_MAX)
    state.place(rows, x, y)


def _fled(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    state.place(state.rows_of(events["stream"]), events["a"], events["b"])


def _attacked(state: State, events: Array, now_ms: int) -> None:
    attackers = state.rows_of(events["actor"])
    state.attacked_ms[attackers] = now_ms + 1
    state.spawned_ms[attackers] = 0
    _hit(state, events, now_ms)


def _hit(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    np.subtract.at(state.hp, state.rows_of(events["stream"]), events["a"].astype(np.int32))
    _learn(state, events["actor"], XP_ACT)


def _died(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    rows = state.rows_of(events["stream"])
    state.alive[rows] = 0
    state.hp[rows] = 0
    state.due_tick[rows] = events["a"]
    _learn(state, events["actor"], XP_KILL)


def _looted(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    winners, losers = state.rows_of(events["stream"]), state.rows_of(events["target"])
    np.add.at(state.gold, winners, events["a"])
    np.subtract.at(state.gold, losers, events["a"])
    goods = events["b"].astype(np.int32)
    np.add.at(state.goods, winners, goods)
    np.subtract.at(state.goods, losers, goods)


def _respawned(state: State, events: Array, now_ms: int) -> None:
    rows = state.rows_of(events["stream"])
    state.spawned_ms[rows] = now_ms + 1
    state.alive[rows] = 1
    state.hp[rows] = state.hp_max[rows]
    state.due_tick[rows] = 0
    state.lives[rows] += 1
    state.gold[rows] += events["b"]
    state.treasury -= int(events["b"].sum())
    state.place(rows, events["a"] & 0xFFFF, events["a"] >> 16)


def _gathered(state: State, events: Array, now_ms: int) -> None:
    actors = state.rows_of(events["stream"])
    state.gathered_ms[actors] = now_ms + 1
    goods = events["a"].astype(np.int32)
    np.add.at(state.goods, actors, goods)
    np.subtract.at(state.goods, state.rows_of(events["target"]), goods)
    _learn(state, events["actor"], XP_ACT)


def _node_emptied(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    rows = state.rows_of(events["stream"])
    state.alive[rows] = 0
    state.due_tick[rows] = events["a"]


def _node_regrown(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    rows = state.rows_of(events["stream"])
    state.alive[rows] = 1
    state.due_tick[rows] = 0
    state.goods[rows] = events["a"]
    state.goods_supply += int(events["b"].sum())


def _traded(state: State, events: Array, now_ms: int) -> None:
    actors, partners = state.rows_of(events["stream"]), state.rows_of(events["target"])
    state.traded_ms[actors] = now_ms + 1
    goods, gold = events["a"].astype(np.int32), events["b"]
    np.add.at(state.goods, actors, goods)
    np.subtract.at(state.goods, partners, goods)
    np.subtract.at(state.gold, actors, gold)
    np.add.at(state.gold, partners, gold)
    _learn(state, events["actor"], XP_ACT)


def _said(state: State, events: Array, now_ms: int) -> None:
    state.said_ms[state.rows_of(events["stream"])] = now_ms + 1


def _rested(state: State, events: Array, now_ms: int) -> None:
    rows = state.rows_of(events["stream"])
    # NPCs rest by the clock as well: those have no command to wait for.
    ordered = events["correlation"] > 0
    state.rested_ms[rows[ordered]] = now_ms + 1
    np.add.at(state.hp, rows, events["a"].astype(np.int32))


def _levelled_up(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    rows = state.rows_of(events["stream"])
    state.level[rows] = events["a"]
    state.hp_max[rows] = HP_START + (events["a"] - 1) * HP_PER_LEVEL


def _stage_changed(state: State, events: Array, now_ms: int) -> None:
    del now_ms
    state.stage[state.rows_of(events["stream"])] = events["a"]


def _learn(state: State, actors: Array, points: int) -> None:
    rows = state.rows_of(actors)
    np.add.at(state.xp, rows, points)
    state.xp[rows] = np.minimum(state.xp[rows], XP_MAX)


def walk_clock(now_ms: int) -> int:
    """Return world time on the scale of ``State.walked``: units walkable since tick 0."""
    return now_ms * WALK_UNITS_PER_100_MS // 100


def _seen_kinds() -> Array:
    seen = np.ones(256, bool)
    seen[[Code.WORLD_STARTED, Code.SAID, Code.DENIED, Code.CALLED_FOR_HELP]] = False
    seen[[Code.INVARIANT_BROKEN, Code.STAGE_CHANGED]] = False
    seen[[Code.POLICY_CHANGED, Code.MUTATED, Code.CASCADE_CUT]] = False
    seen.flags.writeable = False
    return seen


_SEEN: Final = _seen_kinds()
"""Kinds that change what a player sees of a cell."""

_EFFECTS: Final[dict[int, Effect]] = {
    Code.JOINED: _joined,
    Code.RESUMED: _resumed,
    Code.LEFT: _gone,
    Code.DISCONNECTED: _gone,
    Code.MOVED: _moved,
    Code.FLED: _fled,
    Code.ATTACKED: _attacked,
    Code.RETALIATED: _hit,
    Code.DIED: _died,
    Code.LOOTED: _looted,
    Code.RESPAWNED: _respawned,
    Code.GATHERED: _gathered,
    Code.NODE_EMPTIED: _node_emptied,
    Code.NODE_REGROWN: _node_regrown,
    Code.TRADED: _traded,
    Code.SAID: _said,
    Code.RESTED: _rested,
    Code.LEVELLED_UP: _levelled_up,
    Code.STAGE_CHANGED: _stage_changed,
}
