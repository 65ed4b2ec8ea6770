"""One console's feed: the newest snapshot, and a bounded queue of notices with told gaps."""

import asyncio
from collections import deque

import msgspec

from engine.protocol.feed import Ended, EventsView, Gap, Notice, Snapshot
from engine.protocol.limits import EVENTS_PER_SNAPSHOT_MAX, NOTICES_QUEUED_MAX


class Lanes:
    """What waits for one reader. Putting never waits; memory is bounded.

    A snapshot that was not taken is replaced; the events in its tail move on to the
    next one as far as they fit, the rest is counted there as ``left_out``.
    """

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._notices: deque[Notice] = deque()
        self._dropped = 0
        self._something = asyncio.Event()
        self.ended: Ended | None = None
        self.closed = False

    def put(self, item: Snapshot | Notice | Gap | Ended) -> None:
        """Take in an item; the oldest notice makes room for the newest."""
        match item:
            case Snapshot():
                self._snapshot = _carried(self._snapshot, item)
            case Notice():
                if len(self._notices) >= NOTICES_QUEUED_MAX:
                    self._notices.popleft()
                    self._dropped += 1
                self._notices.append(item)
            case Gap():
                self._dropped += item.dropped
            case Ended():
                self.ended = item
        self._something.set()

    def wake(self) -> None:
        """Wake the waiter although nothing was put (a server has an answer to write)."""
        self._something.set()

    def close(self) -> None:
        """Wake every waiter for good."""
        self.closed = True
        self._something.set()

    def take_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot not yet taken, or None."""
        taken, self._snapshot = self._snapshot, None
        self._settle()
        return taken

    def take_notices(self) -> list[Notice | Gap]:
        """Return the queued notices, oldest first; a gap stands where some are missing."""
        taken: list[Notice | Gap] = []
        if self._dropped:
            taken.append(Gap(self._dropped))
        taken.extend(self._notices)
        self._notices.clear()
        self._dropped = 0
        self._settle()
        return taken

    async def wait(self) -> None:
        """Return when there is something to take, the run has ended or this is closed.

        Lets others run in any case: a reader that takes only one lane must not starve the loop.
        """
        await asyncio.sleep(0)
        await self._something.wait()

    def _settle(self) -> None:
        waiting = self._snapshot is not None or self._notices or self._dropped
        if not (waiting or self.closed or self.ended):
            self._something.clear()


def _carried(missed: Snapshot | None, fresh: Snapshot) -> Snapshot:
    """Return ``fresh`` with the event tail of a snapshot that nobody took before it."""
    if missed is None or not (missed.events.tail or missed.events.left_out):
        return fresh
    both = missed.events.tail + fresh.events.tail
    tail = both[-EVENTS_PER_SNAPSHOT_MAX:]
    left_out = missed.events.left_out + fresh.events.left_out + len(both) - len(tail)
    events = EventsView(fresh.events.stored, fresh.events.per_s, tail, left_out)
    return msgspec.structs.replace(fresh, events=events)
