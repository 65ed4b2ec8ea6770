"""Frames that a fault holds back, both ways: none is lost, none overtakes another. Sans-IO.

Stands between a squad and its connections: what goes out passes ``send``, what comes in
passes ``take_in``. A player that no fault slows passes through untouched.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final, Literal

from engine.assault.roster import Wires
from engine.faults.base import PlayerHalf, Way
from engine.protocol.limits import HELD_UPDATES_PER_PLAYER_MAX

FRAMES_PER_PASS_MAX: Final = 256
"""Frames passed on before the loop has its turn: a fault that reverts makes no send late."""

_Held = tuple[float, int, int, Way, int, bytes | None]
"""When it is let go, its place in the order of coming, player, way, connection, frame."""


class Shaper:
    """``Wires`` with delays.

    Args:
        wires: The connections themselves.
        hear: Called with (player, frame) for what comes in, None when the connection closed.
        clock: Seconds of a clock that never goes back.
        plan: Called with a time at which ``release`` has something to do.
        is_update: Tells the frames of which only a player's newest counts; of these, no more
            than ``HELD_UPDATES_PER_PLAYER_MAX`` wait.

    Attributes:
        dropped: Updates that were not held back because too many waited.
    """

    def __init__(
        self,
        wires: Wires,
        hear: Callable[[int, bytes | None], None],
        clock: Callable[[], float],
        plan: Callable[[float], None],
        is_update: Callable[[bytes], bool],
    ) -> None:
        self._wires = wires
        self._hear = hear
        self._clock = clock
        self._plan = plan
        self._is_update = is_update
        self.dropped = 0
        self._halves: tuple[PlayerHalf, ...] = ()
        self._slowed: set[int] = set()
        self._freed: set[int] = set()
        """Players that no fault slows any more and whose frames still wait for their turn."""
        self._waiting: Counter[int] = Counter()
        self._queue: list[_Held] = []
        self._order = count()
        self._last_s: dict[tuple[int, Way], float] = {}
        self._connection: dict[int, int] = {}
        self._closed: set[int] = set()
        """Players whose connection is gone and who have not been told yet."""

    # --- the faults ---------------------------------------------------------

    def obey(self, halves: Iterable[PlayerHalf]) -> None:
        """Delay as these halves say from now on; what waits for nothing any more is due now."""
        self._halves = tuple(halves)
        slowed: set[int] = set().union(*(half.slowed for half in self._halves))
        for player in slowed - self._slowed - self._freed:
            self._wires.tap(player, updates_too=True)
        freed, self._slowed = self._slowed - slowed, slowed
        self._freed -= slowed
        for player in freed:
            if self._waiting[player]:
                self._freed.add(player)
            else:
                self._wires.tap(player, updates_too=False)
        if freed & self._freed:
            self._make_due(freed)

    def release(self) -> float | None:
        """Pass on what has waited long enough, so many frames at a time.

        Returns:
            When there is more to do, None for never.
        """
        now_s = self._clock()
        for _ in range(FRAMES_PER_PASS_MAX):
            if not self._queue or self._queue[0][0] > now_s:
                break
            self._pass_on(heapq.heappop(self._queue))
        return self._queue[0][0] if self._queue else None

    def take_in(self, player: int, frame: bytes | None) -> bool:
        """Hold back what came in; False when it is to be heard at once.

        Args:
            player: Whose.
            frame: The frame; None: the server has closed the connection.
        """
        if player not in self._slowed and player not in self._freed:
            return False
        if frame is None:
            self._closed.add(player)
        elif self._waiting[player] >= HELD_UPDATES_PER_PLAYER_MAX and self._is_update(frame):
            self.dropped += 1
            return True
        self._hold(player, "in", frame)
        return True

    # --- the connections, see ``Wires`` ---------------------------------------

    def open(self, player: int) -> None:
        """See ``Wires.open``."""
        self._forget(player)
        self._wires.open(player)

    def send(self, player: int, frame: bytes) -> None:
        """See ``Wires.send``; a slowed player's frame leaves later."""
        if player in self._slowed or player in self._freed:
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
        self._waiting[player] += 1
        heapq.heappush(self._queue, (at_s, next(self._order), player, way, connection, frame))
        self._plan(at_s)

    def _make_due(self, players: set[int]) -> None:
        """Let what is held back of these players wait no longer; its order stays."""
        now_s = self._clock()
        self._queue = [
            (min(held[0], now_s), *held[1:]) if held[2] in players else held for held in self._queue
        ]
        heapq.heapify(self._queue)
        for key in self._last_s:
            if key[0] in players:
                self._last_s[key] = now_s
        self._plan(now_s)

    def _pass_on(self, held: _Held) -> None:
        _, _, player, way, connection, frame = held
        self._waiting[player] -= 1
        if not self._waiting[player]:
            del self._waiting[player]
            if player in self._freed:
                self._freed.discard(player)
                self._wires.tap(player, updates_too=False)
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
        self._closed.discard(player)
        self._connection[player] = self._connection.get(player, 0) + 1
        self._last_s.pop((player, "in"), None)
        self._last_s.pop((player, "out"), None)
