"""``Exchange``: the engine's end of every link. Knows the consoles, spreads the feed."""

import time
from collections import deque
from collections.abc import Callable

from engine.link.base import EngineService
from engine.link.feed import Lanes
from engine.protocol.feed import Ended, Notice, Snapshot
from engine.protocol.limits import LEASE_S, LINK_CONSOLES_MAX, NOTICES_FOR_NEWCOMERS_MAX


class Seat:
    """One console's place at the exchange.

    Attributes:
        console: Its number, never used again.
        lanes: What waits for it.
        heard_s: When it last sent anything, on the exchange's clock.
    """

    def __init__(self, console: int, heard_s: float, evict: Callable[[], None]) -> None:
        self.console = console
        self.lanes = Lanes()
        self.heard_s = heard_s
        self.evict = evict


class Exchange:
    """Seats consoles and publishes to all of them; publishing never waits.

    Args:
        service: Carries out commands and answers queries.
        clock: Seconds, monotonic.
    """

    def __init__(self, service: EngineService, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self.clock = clock
        self._seats: dict[int, Seat] = {}
        self._next = 1
        self._ended: Ended | None = None
        self._snapshot: Snapshot | None = None
        self._notices: deque[Notice] = deque()

    @property
    def consoles(self) -> int:
        """How many consoles are seated."""
        return len(self._seats)

    def sit(self, evict: Callable[[], None]) -> Seat | None:
        """Seat a newcomer; None when every seat is taken by a console that is alive.

        It is told the newest snapshot and the newest notices, with the times they are of.

        Args:
            evict: Called when the seat is taken away: by the exchange's end, or because
                the console was silent for a lease and another one wants the seat.
        """
        now_s = self.clock()
        if len(self._seats) >= LINK_CONSOLES_MAX:
            quietest = min(self._seats.values(), key=lambda seat: seat.heard_s)
            if now_s - quietest.heard_s < LEASE_S:
                return None
            self.leave(quietest)
            quietest.evict()
        seat = Seat(self._next, now_s, evict)
        self._next += 1
        self._seats[seat.console] = seat
        for notice in self._notices:
            seat.lanes.put(notice)
        if self._snapshot is not None:
            seat.lanes.put(self._snapshot)
        if self._ended is not None:
            seat.lanes.put(self._ended)
        self.service.console_came(seat.console)
        return seat

    def leave(self, seat: Seat) -> None:
        """Free a seat; safe to call again."""
        if self._seats.pop(seat.console, None) is not None:
            seat.lanes.close()
            self.service.console_left(seat.console)

    def publish(self, item: Snapshot | Notice | Ended) -> None:
        """Put an item into every console's lanes."""
        if isinstance(item, Snapshot):
            self._snapshot = item
        elif isinstance(item, Notice):
            self._remember(item)
        else:
            self._ended = item
        for seat in self._seats.values():
            seat.lanes.put(item)

    def _remember(self, notice: Notice) -> None:
        """Keep a notice for newcomers; bad ticks, of which there can be many, go first."""
        self._notices.append(notice)
        if len(self._notices) > NOTICES_FOR_NEWCOMERS_MAX:
            many = (kept for kept in self._notices if kept.kind in {"overrun", "slow_tick"})
            self._notices.remove(next(many, self._notices[0]))

    def close(self) -> None:
        """Take every seat away; links see ``LinkClosed``."""
        for seat in list(self._seats.values()):
            self.leave(seat)
            seat.evict()
