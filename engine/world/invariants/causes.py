"""causes: no event without a cause.

A reaction names an event before it, of the same command. What names none is the first
event of a command, told of by who gave it, or of a kind that time, arrivals and operators
bring about.
"""

from typing import Final

import numpy as np

from engine.protocol.events import CORRELATION_SEQ_BITS, EVENT_KINDS
from engine.world.arrays import Array
from engine.world.events import Code
from engine.world.invariants.base import Break, Breaks, Invariant, Scene


def _check(scene: Scene) -> Breaks | None:
    events = scene.events
    if not len(events):
        return None
    cause, correlation = events["cause"].astype(np.int64), events["correlation"]
    is_root = cause == 0
    rows = np.nonzero(~is_root)[0]
    strange = _strange_roots(events, is_root, correlation)
    if len(rows):
        strange[rows] = _strange_reactions(scene, rows, cause[rows], correlation)
    if not strange.any():
        return None
    wrong = np.flatnonzero(strange)

    def at(place: int) -> Break:
        row = int(wrong[place])
        seq, kind, who = scene.first_seq + row, EVENT_KINDS[events["kind"][row]], events["stream"]
        found = int(cause[row])
        words = f"event {seq} ({kind}) names {found} as its cause, no earlier event of its command"
        if is_root[row]:
            words = f"event {seq} ({kind}) has no cause: no command, no reaction, not time's doing"
        return Break(found, 0, words, int(who[row]), seq)

    return Breaks(scene.first_seq + wrong, cause[wrong], at)


def _strange_roots(events: Array, is_root: Array, correlation: Array) -> Array:
    kinds = events["kind"]
    of_command = (correlation >> np.uint64(CORRELATION_SEQ_BITS)) == events["actor"]
    fine = np.where(correlation == 0, _UNASKED[kinds], of_command & _COMMANDED[kinds])
    strange: Array = is_root & ~fine
    return strange


def _strange_reactions(scene: Scene, rows: Array, cause: Array, correlation: Array) -> Array:
    """Return which rows, reactions all, do not follow from what they name."""
    first, mine = scene.first_seq, correlation[rows]
    fine = (cause >= first) & (cause < first + rows)
    fine &= correlation[np.where(fine, cause - first, 0)] == mine
    earlier = np.nonzero(cause < first)[0]
    known = scene.pending.seqs
    if len(earlier) and len(known):
        at = np.searchsorted(known, cause[earlier].astype(np.uint64)).clip(max=len(known) - 1)
        same = scene.pending.rows["correlation"][at] == mine[earlier]
        fine[earlier] = same & (known[at].astype(np.int64) == cause[earlier])
    strange: Array = ~fine
    return strange


def _mask(*kinds: int) -> Array:
    mask = np.zeros(256, bool)
    mask[list(kinds)] = True
    mask.flags.writeable = False
    return mask


_COMMANDED: Final = _mask(
    Code.MOVED,
    Code.ATTACKED,
    Code.GATHERED,
    Code.TRADED,
    Code.SAID,
    Code.RESTED,
    Code.DENIED,
)
"""Kinds of a command's first event."""

_UNASKED: Final = _mask(
    Code.WORLD_STARTED,
    Code.JOINED,
    Code.RESUMED,
    Code.LEFT,
    Code.RESPAWNED,
    Code.NODE_REGROWN,
    Code.MOVED,
    Code.RESTED,
    Code.DENIED,
    Code.POLICY_CHANGED,
)
"""Kinds that need no command: time, NPCs, who comes and goes, what an operator changes."""

INVARIANT = Invariant("causes", "no event without a cause", _check)
