"""``Lineage``: which reaction came of which, so that a chain that goes in circles is found.

Only kept for rulebooks that can loop at all. What is left of it at the end of a tick goes
on with the reactions that wait for the next one: a loop is found over any number of ticks,
and across a restart.
"""

from typing import Final

import numpy as np

from engine.protocol.limits import CASCADE_STEPS_KEPT_MAX, CASCADE_TRAIL_MAX
from engine.world.arrays import Array

STEP_DTYPE: Final = np.dtype(
    [
        ("seq", "<u8"),
        ("cause", "<u8"),
        ("stream", "<u4"),
        ("length", "<u4"),
        ("kind", "u1"),
        ("rule", "u1"),
    ]
)
"""One reaction; ``rule`` is its place in the rulebook, ``length`` counts the reactions in its
chain up to it, itself included."""


def no_steps() -> Array:
    """Return no reactions, ``STEP_DTYPE``."""
    return np.empty(0, STEP_DTYPE)


class Lineage:
    """Reactions of this tick, and those of earlier ones that waiting events came from.

    Args:
        carried: ``STEP_DTYPE``, by ``seq``: what the tick before left.
    """

    def __init__(self, carried: Array) -> None:
        self._steps = carried
        self._parents = self._find(carried["cause"])

    def add(self, rule: int, rows: Array, first_seq: int) -> None:
        """Take in reactions just recorded.

        Args:
            rule: Place in the rulebook.
            rows: ``EVENT_DTYPE``.
            first_seq: ``seq`` of the first; the others follow.
        """
        steps = np.empty(len(rows), STEP_DTYPE)
        steps["seq"] = first_seq + np.arange(len(rows))
        for name in ("cause", "stream", "kind"):
            steps[name] = rows[name]
        steps["rule"] = rule
        parents = self._find(rows["cause"])
        steps["length"] = self._length(parents)
        self._steps = np.concatenate((self._steps, steps))
        self._parents = np.concatenate((self._parents, parents))

    def visits(self, rule: int, streams: Array, causes: Array) -> Array:
        """Return how often the chain above each reaction to be has been at its rule and stream.

        No more than ``CASCADE_TRAIL_MAX`` reactions back are looked at.
        """
        visits = np.zeros(len(streams), np.int64)
        at, rows = self._find(causes), np.arange(len(streams))
        same_rule = self._steps["rule"] == rule
        stream_of = self._steps["stream"]
        for _ in range(CASCADE_TRAIL_MAX):
            known = at >= 0
            if not known.any():
                break
            rows, at = rows[known], at[known]
            visits[rows] += same_rule[at] & (stream_of[at] == streams[rows])
            at = self._parents[at]
        return visits

    def lengths(self, causes: Array) -> Array:
        """Return how long the chain of each reaction to be is, itself included."""
        return self._length(self._find(causes))

    def circle(self, rule: int, stream: int, cause: int) -> list[tuple[int, int, int]]:
        """Return the way from the last time a chain was at a rule and stream, up to ``cause``.

        Returns:
            (kind, stream, rule) of each reaction, oldest first; the whole trail when it was
            never there.
        """
        way: list[tuple[int, int, int]] = []
        at = int(self._find(np.array([cause], np.uint64))[0])
        while at >= 0 and len(way) < CASCADE_TRAIL_MAX:
            _, _, who, _, kind, by = self._steps[at].tolist()
            way.append((kind, who, by))
            if (by, who) == (rule, stream):
                break
            at = int(self._parents[at])
        return way[::-1]

    def of(self, seqs: Array) -> Array:
        """Return the reactions that some events came from, themselves included, by ``seq``."""
        kept = np.zeros(len(self._steps), bool)
        at = self._find(seqs)
        for _ in range(CASCADE_TRAIL_MAX):
            at = np.unique(at[at >= 0])
            at = at[~kept[at]]
            if not len(at) or int(kept.sum()) + len(at) > CASCADE_STEPS_KEPT_MAX:
                break
            kept[at] = True
            at = self._parents[at]
        return self._steps[kept]

    def _find(self, seqs: Array) -> Array:
        """Return the row of each reaction, -1 for events that are none or are forgotten."""
        known = self._steps["seq"]
        if not len(known):
            return np.full(len(seqs), -1, np.int64)
        seqs = seqs.astype(np.uint64)
        at = np.minimum(np.searchsorted(known, seqs), len(known) - 1)
        return np.where(known[at] == seqs, at, -1)

    def _length(self, parents: Array) -> Array:
        above = self._steps["length"].astype(np.int64)
        if not len(above):
            return np.ones(len(parents), np.int64)
        return np.where(parents >= 0, above[parents], 0) + 1
