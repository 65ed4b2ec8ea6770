"""Who met whom lately, and when players joined, from the newest events. Pure.

The adjacency of an NPC, a player or a node: the newest ``STAT7_NEAR_MAX`` others that it
did something to, or that did something to it, in the last ``STAT7_NEAR_TICKS`` ticks
(actor and target of one event; what was denied did not happen), and its faction, or a
node's zone. Zones are adjacent to those beside them, factions to their home zone.
"""

from collections import deque
from collections.abc import Iterable

import numpy as np

from engine.protocol.events import EVENT_CODE
from engine.protocol.limits import STAT7_NEAR_MAX, STAT7_NEAR_TICKS, ZONES_PER_SIDE
from engine.stat7.service import Column
from engine.world.events import TickEvents

_JOINED = EVENT_CODE["joined"]
_DENIED = EVENT_CODE["denied"]


class Near:
    """What the newest events say about neighbours.

    Attributes:
        seen_seq: The newest event taken in.
    """

    def __init__(self) -> None:
        self.seen_seq = 0
        self._pairs: deque[tuple[int, Column]] = deque()
        self._joined: dict[int, int] = {}

    def take(self, ticks: Iterable[TickEvents]) -> None:
        """Take in events, oldest first; those of old ticks are forgotten."""
        tick = 0
        for happened in ticks:
            tick, rows = happened.tick, happened.rows
            self.seen_seq = max(self.seen_seq, happened.last_seq)
            actor, target, kind = rows["actor"], rows["target"], rows["kind"]
            met = (actor > 0) & (target > 0) & (actor != target) & (kind != _DENIED)
            if met.any():
                self._pairs.append((tick, np.stack([actor[met], target[met]])))
            for entity in rows["stream"][kind == _JOINED].tolist():
                self._joined.setdefault(entity, tick)
        while self._pairs and self._pairs[0][0] <= tick - STAT7_NEAR_TICKS:
            self._pairs.popleft()
        # Whoever joined so long ago has been announced, or never will be.
        while self._joined and next(iter(self._joined.values())) <= tick - STAT7_NEAR_TICKS:
            del self._joined[next(iter(self._joined))]

    def joined(self, entity: int, otherwise: int) -> int:
        """Return the tick in which a player joined lately; ``otherwise`` of anyone else."""
        return self._joined.get(entity, otherwise)

    def of(self, entities: Column) -> dict[int, list[int]]:
        """Return the newest others that each entity met, newest first; nobody is left out."""
        found: dict[int, list[int]] = {}
        for _, pairs in reversed(self._pairs):
            for me, other in ((0, 1), (1, 0)):
                mine = np.isin(pairs[me], entities)
                for entity, met in zip(
                    pairs[me][mine].tolist(), pairs[other][mine].tolist(), strict=True
                ):
                    known = found.setdefault(entity, [])
                    if len(known) < STAT7_NEAR_MAX and met not in known:
                        known.append(met)
        return found


def zones_beside(zone: int) -> list[int]:
    """Return the zones north, west, east and south of one, as far as the map goes."""
    line, column = divmod(zone, ZONES_PER_SIDE)
    beside = ((line - 1, column), (line, column - 1), (line, column + 1), (line + 1, column))
    return [
        there * ZONES_PER_SIDE + across
        for there, across in beside
        if 0 <= there < ZONES_PER_SIDE and 0 <= across < ZONES_PER_SIDE
    ]
