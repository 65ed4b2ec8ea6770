"""Builds a state from stored events instead of stepping: another way to the same world."""

from itertools import pairwise

import numpy as np

from engine.world.apply import apply, seal
from engine.world.arrays import Array
from engine.world.events import EventBlock
from engine.world.state import State


def refold(state: State, block: EventBlock, tick: int, interval_ms: int) -> Array:
    """Change the state as a tick's stored events say.

    Args:
        state: The world before the tick; changed.
        block: The tick's events.
        tick: The tick.
        interval_ms: World time of a tick.

    Returns:
        The events, with their versions counted anew.

    Raises:
        ValueError: These are no events of this world: no room for who joined, no such place.
    """
    rows = block.rows.copy()
    now_ms = tick * interval_ms
    old_cells = state.cell[: state.count].copy()
    try:
        for some in _blocks(rows):
            apply(state, some, now_ms)
        seal(state, rows, block.texts, old_cells, tick, now_ms)
    except (IndexError, OverflowError) as problem:
        # Damaged bytes name places, entities and kinds that there are not.
        raise ValueError(f"the events of tick {tick} fit no world: {problem}") from problem
    return rows


def _blocks(rows: Array) -> list[Array]:
    """Cut where the kind changes or a stream may come again: what was applied as one block."""
    if not len(rows):
        return []
    kinds, streams = rows["kind"], rows["stream"]
    cuts = np.flatnonzero((kinds[1:] != kinds[:-1]) | (streams[1:] <= streams[:-1])) + 1
    ends = [0, *cuts.tolist(), len(rows)]
    return [rows[first:end] for first, end in pairwise(ends)]
