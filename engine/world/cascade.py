"""Walks reactions breadth first, within bounds; what does not fit is left for the next tick."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.protocol.limits import CASCADE_DEPTH_MAX, CASCADE_EVENTS_PER_TICK_MAX
from engine.world.arrays import Array, join_rows
from engine.world.events import EVENT_DTYPE
from engine.world.rules import RULES, Draft, Trigger, settle
from engine.world.turn import Turn


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """Events whose reactions are still to come.

    Attributes:
        rows: ``EVENT_DTYPE``.
        seqs: Their ``seq``, uint64.
    """

    rows: Array
    seqs: Array

    def __len__(self) -> int:
        return len(self.seqs)

    def take(self, rows: Array) -> "Frontier":
        """Return some of the events."""
        return Frontier(self.rows[rows], self.seqs[rows])

    def then(self, other: "Frontier") -> "Frontier":
        """Return these events, then the other ones."""
        if not len(self) or not len(other):
            return self if len(self) else other
        rows = join_rows((self.rows, other.rows), EVENT_DTYPE)
        return Frontier(rows, np.concatenate((self.seqs, other.seqs)))


def no_frontier() -> Frontier:
    """Return an empty frontier."""
    return Frontier(np.empty(0, EVENT_DTYPE), np.empty(0, np.uint64))


def cascade(
    turn: Turn,
    pending: Frontier,
    depth_max: int = CASCADE_DEPTH_MAX,
    events_max: int = CASCADE_EVENTS_PER_TICK_MAX,
) -> tuple[Frontier, int]:
    """Emit the reactions to what is pending and to the tick's events, level by level.

    Args:
        turn: The tick; its events so far are level 0.
        pending: Frontier left by the tick before.
        depth_max: Levels in one tick, at most.
        events_max: Reactions in one tick, at most.

    Returns:
        The frontier left for the next tick, and the number of levels.
    """
    frontier = pending.then(_frontier(turn, 0))
    room = events_max
    depth = 0
    while len(frontier) and depth < depth_max:
        drafts = _react(turn, frontier)
        total = sum(len(draft.cause) for draft in drafts)
        if not total:
            return no_frontier(), depth
        depth += 1
        left = no_frontier()
        if total > room:
            drafts, left = _cut(drafts, frontier, room)
        room -= sum(len(draft.cause) for draft in drafts)
        first_block = len(turn.blocks)
        for wanted in drafts:
            draft = settle(turn.state, wanted)
            turn.emit(
                draft.kind,
                draft.stream,
                actor=draft.actor,
                target=draft.target,
                a=draft.a,
                b=draft.b,
                cause=draft.cause,
                correlation=draft.correlation,
            )
        frontier = _frontier(turn, first_block)
        if len(left):
            # Breadth first: what was cut off comes before what followed it.
            return left.then(frontier), depth
    return frontier, depth


def _frontier(turn: Turn, first_block: int) -> Frontier:
    """Return the events of some blocks that may trigger something, with their ``seq``."""
    blocks, seqs, seq = [], [], turn.first_seq + turn.count
    for rows in reversed(turn.blocks[first_block:]):
        seq -= len(rows)
        if _TRIGGERS[rows["kind"][0]]:
            blocks.append(rows)
            seqs.append(np.arange(seq, seq + len(rows), dtype=np.uint64))
    if not blocks:
        return no_frontier()
    return Frontier(join_rows(blocks[::-1], EVENT_DTYPE), np.concatenate(seqs[::-1]))


def _react(turn: Turn, frontier: Frontier) -> list[Draft]:
    kinds = frontier.rows["kind"]
    present = set(np.nonzero(np.bincount(kinds))[0].tolist())
    drafts = []
    for (triggers, rule), mask in zip(RULES, _MASKS, strict=True):
        here = present.intersection(triggers)
        if not here:
            continue
        some = frontier if here == present else frontier.take(mask[kinds])
        draft = rule(Trigger(turn.state, turn.tick, turn.seed, some.rows, some.seqs))
        if draft is not None and len(draft.cause):
            drafts.append(draft)
    return drafts


def _cut(drafts: list[Draft], frontier: Frontier, room: int) -> tuple[list[Draft], Frontier]:
    """Keep the reactions to the earliest events, as many as there is room for."""
    causes = np.sort(np.concatenate([draft.cause for draft in drafts]))
    limit = causes[room]
    kept = [draft.take(np.nonzero(draft.cause < limit)[0]) for draft in drafts]
    return kept, frontier.take(frontier.seqs >= limit)


def _mask(kinds: Iterable[int]) -> Array:
    mask = np.zeros(256, bool)
    mask[list(kinds)] = True
    mask.flags.writeable = False
    return mask


_MASKS: Final = tuple(_mask(triggers) for triggers, _ in RULES)
_TRIGGERS: Final = _mask(kind for triggers, _ in RULES for kind in triggers)
