"""Frames that a fault holds back, both ways: none is lost, none overtakes another. Sans-IO.

Stands between a squad and its connections: what goes out passes ``send``, what comes in
passes ``take_in``. A player that no fault slows passes through untouched.
"""

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import Literal

from engine.assault.roster import Wires
from engine.faults.base import PlayerHalf, Way

_Held = tuple[float, int, int, Way, int, bytes | None]
"""When it is let go, its place in the order of coming, player, way, connection, frame."""


class Shaper:
    """``Wires`` with delays.

    Args:
        wires: The connections themselves.
        hear: Called with (player, frame) for what comes in, None when the connection closed.
        clock: Seconds of a clock that never goes back.
        plan: Called with a time at which ``release`` has something to do.
    """

    def __init__(
        self,
        wires: Wires,
        hear: Callable[[int, bytes | None], None],
        clock: Callable[[], float],
        plan: Callable[[float], None],
    ) -> None:
        self._wires = wires
        self._hear = hear
        self._clock = clock
        self._plan = plan
        self._halves: tuple[PlayerHalf, ...] = ()
        self._slowed: set[int] = set()
        self._queue: list[_Held] = []
        self._order = count()
        self._last_s: dict[tuple[int, Way], float] = {}
        self._connection: dict[int, int] = {}
        self._closed: set[int] = set()
        """Players whose connection is gone and who have not been told yet."""

    # --- the faults ---------------------------------------------------------

    def obey(self, halves: Iterable[PlayerHalf]) -> None:
        """Delay as these halves say from now on; frames of players that none slows go at once."""
        self._halves = tuple(halves)
        slowed: set[int] = set().union(*(half.slowed for half in self._halves))
        for player in slowed - self._slowed:
            self._wires.tap(player, updates_too=True)
        freed = self._slowed - slowed
        self._slowed = slowed
        if freed:
            self._let_go(freed)
            for player in freed:
                self._wires.tap(player, updates_too=False)

    def release(self) -> float | None:
        """Pass on what has waited long enough; return when there is more, None for never."""
        now_s = self._clock()
        while self._queue and self._queue[0][0] <= now_s:
            self._pass_on(heapq.heappop(self._queue))
        return self._queue[0][0] if self._queue else None

    def take_in(self, player: int, frame: bytes | None) -> bool:
        """Hold back what came in; False when it is to be heard at once.

        Args:
            player: Whose.
            frame: The frame; None: the server has closed the connection.
        """
        if player not in self._slowed:
            return False
        if frame is None:
            self._closed.add(player)
        self._hold(player, "in", frame)
        return True

    # --- the connections, see ``Wires`` ---------------------------------------

    def open(self, player: int) -> None:
        """See ``Wires.open``."""
        self._forget(player)
        self._wires.open(player)

    def send(self, player: int, frame: bytes) -> None:
        """See ``Wires.send``; a slowed player's frame leaves later."""
        if player in self._slowed:
            self._hold(player, "out", frame)
        else:
            self._wires.send(player, frame)

    def close(self, player: int, how: Literal["bye", "fin", "rst"]) -> None:
        """See ``Wires.close``; what is held back of the connection is dropped."""
        self._forget(player)
        self._wires.close(player, how)

    def silence(self, player: int) -> None:
        """See ``Wires.silence``."""
        self._forget(player)
        self._wires.silence(player)

    def tap(self, player: int, *, updates_too: bool) -> None:
        """See ``Wires.tap``."""
        self._wires.tap(player, updates_too=updates_too)

    # --- inside ---------------------------------------------------------------

    def _hold(self, player: int, way: Way, frame: bytes | None) -> None:
        delay_s = 0.0
        for half in self._halves:
            if player in half.slowed:
                delay_s += half.delay_s(player, way)
                half.touched.add(player)
        key = (player, way)
        at_s = max(self._clock() + delay_s, self._last_s.get(key, 0.0))
        self._last_s[key] = at_s
        connection = self._connection.get(player, 0)
        heapq.heappush(self._queue, (at_s, next(self._order), player, way, connection, frame))
        self._plan(at_s)

    def _let_go(self, players: set[int]) -> None:
        """Pass on everything held back of these players, in its order."""
        theirs = sorted(held for held in self._queue if held[2] in players)
        self._queue = [held for held in self._queue if held[2] not in players]
        heapq.heapify(self._queue)
        for held in theirs:
            self._pass_on(held)

    def _pass_on(self, held: _Held) -> None:
        _, _, player, way, connection, frame = held
        if connection != self._connection.get(player, 0):
            return  # of a connection that is gone
        if way == "in":
            if frame is None:
                self._forget(player)
            self._hear(player, frame)
        elif frame is not None and player not in self._closed:
            self._wires.send(player, frame)

    def _forget(self, player: int) -> None:
        """What is held back belongs to a connection that is over."""
        if player in self._slowed:
            self._closed.discard(player)
            self._connection[player] = self._connection.get(player, 0) + 1
            self._last_s.pop((player, "in"), None)
            self._last_s.pop((player, "out"), None)
