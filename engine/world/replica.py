"""``Replica``: a world that is told what happened. Nothing is judged, nothing reacted to."""

from itertools import pairwise

import numpy as np

from engine.world.apply import apply, seal
from engine.world.arrays import Array
from engine.world.cascade import no_frontier
from engine.world.checkpoint import state_hash
from engine.world.events import TickEvents
from engine.world.world import World


class Replica:
    """The state of a world, brought forward by its events: a quarter of the work of a step.

    Args:
        world: Where to begin; it is taken over.

    Attributes:
        state: What is true; read it, do not write it.
        tick: The next tick.
        next_seq: ``seq`` of the next event.
    """

    def __init__(self, world: World) -> None:
        self.state = world.state
        self.tick = world.tick
        self.next_seq = world.next_seq
        self._interval_ms = world.config.interval_ms
        self._told, self._standing = world.told, world.governor.standing.pack()

    def take(self, events: TickEvents) -> None:
        """Bring the state forward by the events of a tick; they are left as they are.

        Ticks between without events change nothing but the tick.

        Raises:
            ValueError: They do not follow.
        """
        if events.tick < self.tick or events.first_seq != self.next_seq:
            raise ValueError(
                f"tick {events.tick} with events from {events.first_seq} does not follow: "
                f"tick {self.tick} and event {self.next_seq} are next"
            )
        rows, state, now_ms = events.rows.copy(), self.state, events.tick * self._interval_ms
        old_cells = state.cell[: state.count].copy()
        for some in _blocks(rows):
            apply(state, some, now_ms)
        seal(state, rows, events.block.texts, old_cells, events.tick, now_ms)
        self.tick = events.tick + 1
        self.next_seq += len(rows)

    def hash(self) -> bytes:
        """Return the state hash as it is if only events made a difference.

        It is another one when reactions are left for the next tick, when a policy was changed,
        and when an invariant broke or was mended: none of that stands in the columns.
        """
        return state_hash(
            self.state, self.tick, self.next_seq, no_frontier(), self._told, self._standing
        )


def _blocks(rows: Array) -> list[Array]:
    """Cut where the kind changes or a stream may come again: what was applied as one block."""
    if not len(rows):
        return []
    kinds, streams = rows["kind"], rows["stream"]
    cuts = np.flatnonzero((kinds[1:] != kinds[:-1]) | (streams[1:] <= streams[:-1])) + 1
    ends = [0, *cuts.tolist(), len(rows)]
    return [rows[first:end] for first, end in pairwise(ends)]
