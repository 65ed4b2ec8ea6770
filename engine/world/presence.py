"""Players come, leave, lose their connection, and come back."""

from collections import Counter

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.limits import POSITION_MAX
from engine.world.arrays import Array
from engine.world.clock import grant, packed_place
from engine.world.constants import GOLD_PLAYER_START
from engine.world.events import Code
from engine.world.inputs import TickInputs
from engine.world.rng import Purpose, below
from engine.world.turn import Turn


def start(turn: Turn, restarted: bool) -> None:
    """Record the start of the world, or of its process: nobody is connected then."""
    state = turn.state
    if not restarted and turn.tick > 0:
        return
    rows = np.nonzero(state.connected[: state.count])[0] if restarted else np.empty(0, np.int64)
    first = turn.emit(Code.WORLD_STARTED, np.zeros(1, np.int64), a=int(restarted), b=len(rows))
    ids = state.id[rows].copy()
    turn.emit(Code.DISCONNECTED, ids, actor=ids, cause=first)


def arrive(turn: Turn, inputs: TickInputs) -> set[int]:
    """Take in who connects; who left and came back in this tick leaves first.

    Returns:
        The joining players that were connected when the tick began.
    """
    if not inputs.joins:
        return set()
    state = turn.state
    names = dict(reversed(inputs.joins))
    ids = np.array(sorted(who for who in names if state.may_join(who)), np.int64)
    rows = state.rows_of(ids)
    connected = (rows >= 0) & (state.connected[rows] == 1)
    known = set(ids[connected].tolist())
    _leave(turn, ids[connected & np.isin(ids, inputs.leaves)])
    connected = (rows >= 0) & (state.connected[rows] == 1)
    back, new = ids[(rows >= 0) & ~connected], ids[rows < 0]
    turn.emit(Code.RESUMED, back, actor=back)
    room = state.capacity - state.count
    _join(turn, new[:room], names)
    strangers = [who for who in names if not state.may_join(who)]
    _refuse(turn, sorted(strangers), "no player has such an id")
    _refuse(turn, new[room:].tolist(), f"the world is full ({state.capacity} entities)")
    return known


def depart(turn: Turn, inputs: TickInputs, known: set[int]) -> None:
    """Take out who is no longer connected at the end of the tick.

    Args:
        turn: The tick.
        inputs: Its inputs.
        known: What ``arrive`` returned.
    """
    if not inputs.leaves:
        return
    leaves, joins = Counter(inputs.leaves), Counter(who for who, _ in inputs.joins)
    state = turn.state
    gone = []
    for who, count in sorted(leaves.items()):
        row = state.row_of(who)
        # Joins and leaves take turns, so whether the last one was a leave is in their sum.
        came = joins[who] + (who in known or who not in joins)
        if row is not None and state.connected[row] and count >= came:
            gone.append(who)
    _leave(turn, np.array(gone, np.int64))


def _leave(turn: Turn, ids: Array) -> None:
    turn.emit(Code.LEFT, ids, actor=ids)


def _join(turn: Turn, ids: Array, names: dict[int, str]) -> None:
    if not len(ids):
        return
    x = below(POSITION_MAX + 1, turn.seed, 0, Purpose.PLACE_X, ids)
    y = below(POSITION_MAX + 1, turn.seed, 0, Purpose.PLACE_Y, ids)
    gold = grant(turn, np.full(len(ids), GOLD_PLAYER_START))
    first = turn.emit(Code.JOINED, ids, actor=ids, a=packed_place(x, y), b=gold)
    for seq, who in enumerate(ids.tolist(), first):
        if names[who] != entity_name(who):
            turn.text(seq, names[who])


def _refuse(turn: Turn, ids: list[int], why: str) -> None:
    if not ids:
        return
    actors = np.array(ids, np.int64).clip(0, 2**32 - 1)
    first = turn.emit(Code.DENIED, np.zeros(len(ids), np.int64), actor=actors, a=-1)
    for seq in range(first, first + len(ids)):
        turn.text(seq, f"join: {why}")
