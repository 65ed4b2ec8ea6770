"""The newest events: a bounded ring for queries, the console's tail, and the violations."""

from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.protocol.child import EventBatch
from engine.protocol.events import EVENT_CODE, Event
from engine.protocol.feed import EventsView, ViolationRow, ViolationsView
from engine.protocol.limits import (
    CASCADE_DEPTH_MAX,
    EVENTS_PER_SNAPSHOT_MAX,
    EVENTS_RING_MAX,
    POLICIES_MAX,
    VIOLATION_TAIL_MAX,
)
from engine.world.events import EventBlock, TickEvents

_MOVED = EVENT_CODE["moved"]
_DIED = EVENT_CODE["died"]
_REPORTS = [EVENT_CODE[kind] for kind in ("mutated", "cascade_cut", "invariant_broken")]
"""Kinds that tell of an event and are no reaction to it."""
_STEPS_BACK_MAX = 4


@dataclass(frozen=True, slots=True, eq=False)
class Batch(TickEvents):
    """One tick's events in the ring; ``depths`` counts the causes above each event."""

    depths: NDArray[np.int64]


def _first_seq(batch: Batch) -> int:
    return batch.first_seq


class EventLog:
    """What the world's event batches amount to.

    Attributes:
        ring: The newest batches, oldest first.
        last_seq: The newest event.
        missed: Events that never came here: dropped on their way, or lost with a world.
        depth_max: Most causes above an event, over all ticks of its chain.
        deaths: Since the start.
        total: Violations since the start.
        critical: Broken invariants since the start.
        broken: Those by invariant.
        by_policy: Violations by policy.
    """

    def __init__(self) -> None:
        self.ring: deque[Batch] = deque()
        self.last_seq = 0
        self.missed = 0
        self.depth_max = 0
        self.deaths = 0
        self.total = 0
        self.critical = 0
        self.by_policy: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self._events_in_ring = 0
        self._unseen: list[Batch] = []
        self._unseen_left_out = 0
        self._violations: deque[ViolationRow] = deque(maxlen=VIOLATION_TAIL_MAX)

    def take(self, message: EventBatch) -> tuple[ViolationRow, ...]:
        """Take in a batch and return its broken invariants.

        Raises:
            ValueError: The columns are no whole number of events.
        """
        block = EventBlock.unpack(message.first_seq, message.columns, message.texts)
        if not len(block.rows) or message.first_seq <= self.last_seq:
            return ()  # read from the log already, after the world was killed
        depths = self._depths(message.first_seq, block.rows["cause"].astype(np.int64))
        batch = Batch(message.tick, block, depths)
        self.missed += max(0, message.first_seq - self.last_seq - 1)
        self.last_seq = max(self.last_seq, batch.last_seq)
        reactions = ~np.isin(block.rows["kind"], _REPORTS)
        self.depth_max = max(self.depth_max, int(depths.max(initial=0, where=reactions)))
        self.deaths += int(np.count_nonzero(block.rows["kind"] == _DIED))
        self._keep(batch)
        return self._violations_of(batch)

    def event(self, seq: int) -> Event | None:
        """Return one event, None when it is not in the ring (any more)."""
        at = bisect_right(self.ring, seq, key=_first_seq) - 1
        if at < 0:
            return None
        batch = self.ring[at]
        return batch.event(seq - batch.first_seq) if seq <= batch.last_seq else None

    def after(self, seq: int, limit: int) -> list[TickEvents]:
        """Return batches with events after ``seq``, oldest first, up to the first hole.

        Args:
            seq: The last event that is known already.
            limit: Batches, at most.
        """
        ring = self.ring
        at = bisect_right(ring, seq, key=_first_seq)
        if at and ring[at - 1].last_seq > seq:
            at -= 1
        held: list[TickEvents] = []
        for index in range(at, min(at + limit, len(ring))):
            if held and ring[index].first_seq != held[-1].last_seq + 1:
                break
            held.append(ring[index])
        return held

    def view(self, per_s: float) -> EventsView:
        """Return the tail since the last call: what happened rather than who walked."""
        chosen, left_out = self._choose_tail()
        self._unseen, self._unseen_left_out = [], 0
        return EventsView(self.last_seq, per_s, chosen, left_out)

    def violations_view(self, per_s: float) -> ViolationsView:
        """Return the violations since the start, with the newest ones."""
        return ViolationsView(
            self.total, self.critical, per_s, dict(self.by_policy), tuple(self._violations)
        )

    def _keep(self, batch: Batch) -> None:
        self.ring.append(batch)
        self._unseen.append(batch)
        self._events_in_ring += len(batch.rows)
        while self._events_in_ring > EVENTS_RING_MAX and len(self.ring) > 1:
            oldest = self.ring.popleft()
            self._events_in_ring -= len(oldest.rows)
            if self._unseen and self._unseen[0] is oldest:
                self._unseen.pop(0)
                self._unseen_left_out += len(oldest.rows)

    def _choose_tail(self) -> tuple[tuple[Event, ...], int]:
        told: list[tuple[Batch, int]] = []
        walked: list[tuple[Batch, int]] = []
        count = self._unseen_left_out
        for batch in reversed(self._unseen):
            count += len(batch.rows)
            kinds = batch.rows["kind"]
            for kept, picked in ((told, kinds != _MOVED), (walked, kinds == _MOVED)):
                room = EVENTS_PER_SNAPSHOT_MAX - len(kept)
                if room > 0:
                    kept.extend((batch, index) for index in np.flatnonzero(picked)[-room:].tolist())
        chosen = told + walked[: EVENTS_PER_SNAPSHOT_MAX - len(told)]
        events = sorted((batch.event(index) for batch, index in chosen), key=lambda e: e.seq)
        return tuple(events), count - len(events)

    def _violations_of(self, batch: Batch) -> tuple[ViolationRow, ...]:
        broken: list[ViolationRow] = []
        for found in batch.violations():
            is_told_apart = found.policy in self.by_policy or len(self.by_policy) < POLICIES_MAX
            row = found if is_told_apart else replace(found, policy="other")
            self.total += 1
            self.critical += row.critical
            self.by_policy[row.policy] += 1
            self._violations.append(row)
            if row.critical:
                broken.append(row)
                self.broken[row.policy] += 1
        return tuple(broken)

    def _depths(self, first_seq: int, causes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many causes stand above each event, looking a few ticks back."""
        depths = np.zeros(len(causes), np.int64)
        earlier = (causes > 0) & (causes < first_seq)
        for index in np.flatnonzero(earlier).tolist():
            depths[index] = 1 + self._depth_of(int(causes[index]))
        inside = np.flatnonzero(causes >= first_seq)
        above = causes[inside] - first_seq
        for _ in range(CASCADE_DEPTH_MAX + _STEPS_BACK_MAX):
            deeper = depths[above] + 1
            if np.array_equal(depths[inside], deeper):
                break
            depths[inside] = deeper
        return depths

    def _depth_of(self, seq: int) -> int:
        for back, batch in enumerate(reversed(self.ring)):
            if seq >= batch.first_seq:
                at = seq - batch.first_seq
                return int(batch.depths[at]) if at < len(batch.depths) else 0
            if back >= _STEPS_BACK_MAX:
                break
        return 0
