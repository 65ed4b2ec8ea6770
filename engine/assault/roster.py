"""Who of a squad is connected, who should be, and how each gets there. Sans-IO.

Connecting is paced: a bounded number under way, a few begun at a time, so that neither a
ramp nor a crowd that comes back becomes a storm nobody ordered.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final, Literal, Protocol

from engine.assault.player import Player
from engine.assault.tally import Tally
from engine.faults.base import Cut
from engine.protocol.limits import CONNECTS_IN_FLIGHT_MAX, UNANSWERED_TIMEOUT_S

CONNECT_TIMEOUT_S: Final = 10.0
"""From dialling to the welcome."""
DIALS_PER_STEP_MAX: Final = 8
BACK_OFF_S_MIN: Final = 0.25
BACK_OFF_S_MAX: Final = 5.0
LEAVE_WITHIN_S: Final = UNANSWERED_TIMEOUT_S
"""A player that is sent away waits this long for the answers still due to it."""


class Phase(Enum):
    """Where a player's connection is."""

    OUT = "out"
    WAITING = "waiting"
    CONNECTING = "connecting"
    PLAYING = "playing"
    LEAVING = "leaving"
    HELD = "held"


INSIDE: Final = frozenset({Phase.PLAYING, Phase.LEAVING})
"""The phases of a player that is connected."""


class Wires(Protocol):
    """The connections, whoever carries them. Nothing is heard of one after its ``close``."""

    def open(self, player: int) -> None:
        """Begin to connect."""
        ...

    def send(self, player: int, frame: bytes) -> None:
        """Send a frame."""
        ...

    def close(self, player: int, how: Literal["bye", "fin", "rst"]) -> None:
        """Close: with a WebSocket good-bye, in order without one, or by a reset."""
        ...

    def silence(self, player: int) -> None:
        """Keep the socket open, but neither read from it nor tell of it any more."""
        ...

    def tap(self, player: int, *, updates_too: bool) -> None:
        """Say whether a player's updates are told like any frame, on later connections too.

        Otherwise they go no further than to ``Player.newest``.
        """
        ...


class Seat:
    """One player and its connection."""

    __slots__ = ("attempts", "dial", "in_since_s", "phase", "player", "silent", "wanted")

    def __init__(self, player: Player) -> None:
        self.player = player
        self.phase = Phase.OUT
        self.wanted = False
        self.silent = False
        self.attempts = 0
        self.in_since_s = 0.0
        """When it was welcomed last, on the squad's clock."""
        self.dial = 0
        """Number of the newest attempt, so that an older one's timeout is no concern."""


class Roster:
    """The seats of one squad.

    Args:
        squad: This squad's number.
        squads: Of how many.
        wires: The connections.
        tally: Where errors and losses count.
        make_player: Player number to player.
        jitter: Player number and attempt to a number in [0, 1).
        held: Whether a fault keeps a player away now.
    """

    def __init__(
        self,
        squad: int,
        squads: int,
        wires: Wires,
        tally: Tally,
        make_player: Callable[[int], Player],
        jitter: Callable[[int, int], float],
        held: Callable[[int, float], bool],
    ) -> None:
        self._squad, self._squads = squad, squads
        self._wires = wires
        self._tally = tally
        self._make_player = make_player
        self._jitter = jitter
        self._held = held
        self._connecting_max = max(4, CONNECTS_IN_FLIGHT_MAX // squads)
        self._queue: list[tuple[float, int]] = []
        self._dials: deque[tuple[float, int, int]] = deque()
        self._leaving: dict[int, float] = {}
        self.seats: dict[int, Seat] = {}
        self.wanted = 0
        self.connecting = 0
        self.connected = 0
        self.by_archetype: dict[str, int] = {}

    def want(self, total: int, now_s: float) -> None:
        """Make this squad's share of ``total`` players of the run the ones that should be in."""
        share = max(0, -(-(total - self._squad) // self._squads))
        for index in range(self.wanted, share):
            self._invite(self._squad + index * self._squads, now_s)
        for index in range(self.wanted - 1, share - 1, -1):
            self._send_away(self._squad + index * self._squads, now_s)
        self.wanted = share

    def step(self, now_s: float) -> None:
        """Dial who is due, give up dials that take too long, let go of who has left."""
        while self._dials and self._dials[0][0] <= now_s:
            _, number, dial = self._dials.popleft()
            seat = self.seats[number]
            if seat.phase is Phase.CONNECTING and seat.dial == dial:
                self._wires.close(number, "rst")
                self.failed(number, "timeout", now_s)
        for number, until_s in list(self._leaving.items()):
            if not self.seats[number].player.flights or until_s <= now_s:
                self._let_go(number)
        for _ in range(DIALS_PER_STEP_MAX):
            if self.connecting >= self._connecting_max or not self._queue:
                break
            if self._queue[0][0] > now_s:
                break
            self._dial(heapq.heappop(self._queue)[1], now_s)

    def opened(self, number: int) -> None:
        """The connection stands: say hello."""
        self._wires.send(number, self.seats[number].player.hello())

    def welcomed(self, number: int, now_s: float) -> None:
        """The player is in; what was in flight when it was lost goes out again."""
        seat = self.seats[number]
        if seat.phase is not Phase.CONNECTING:
            return
        self._enter(seat, Phase.PLAYING)
        seat.attempts = 0
        seat.in_since_s = now_s
        for frame in seat.player.frames_to_resend():
            self._wires.send(number, frame)

    def failed(self, number: int, kind: str, now_s: float) -> None:
        """An attempt came to nothing; try again after a while."""
        self._tally.error(kind)
        self._out(self.seats[number], number, now_s)

    def gone(self, number: int, kind: str, now_s: float) -> None:
        """The connection is gone and nobody here had closed it; "" when that is counted."""
        seat = self.seats[number]
        if kind:
            self._tally.error(kind)
        if seat.phase in INSIDE:
            self._tally.lost += 1
        self._out(seat, number, now_s)

    def refuse(self, number: int, kind: str, now_s: float) -> None:
        """Close a connection that makes no sense or was given notice; then as ``gone``."""
        seat = self.seats[number]
        if seat.phase is Phase.CONNECTING:
            seat.player.forget_token()  # it may be what the server did not like
        self._wires.close(number, "fin")
        self.gone(number, kind, now_s)

    def cut(self, cut: Cut) -> bool:
        """Take a player's connection away for a fault; False when it had none."""
        seat = self.seats.get(cut.player)
        if seat is None or seat.phase not in {Phase.CONNECTING, Phase.PLAYING, Phase.LEAVING}:
            return False
        if cut.how == "silent":
            self._wires.silence(cut.player)
            seat.silent = True
        else:
            self._wires.close(cut.player, cut.how)
        self._leaving.pop(cut.player, None)
        self._enter(seat, Phase.HELD)
        return True

    def held(self) -> list[int]:
        """Return the players that a fault keeps away."""
        return [n for n, seat in self.seats.items() if seat.phase is Phase.HELD]

    def release(self, number: int, at_s: float) -> None:
        """A fault has let go of a player: it tries to come back at ``at_s``."""
        seat = self.seats[number]
        if seat.silent:
            seat.silent = False
            self._wires.close(number, "rst")
        if seat.wanted:
            self._wait(seat, number, at_s)
        else:
            self._enter(seat, Phase.OUT)

    def inside(self) -> Iterable[Player]:
        """Return the players that are connected."""
        return (seat.player for seat in self.seats.values() if seat.phase in INSIDE)

    def close_all(self) -> None:
        """Say good-bye to everybody who is connected, drop who is not yet."""
        for number, seat in self.seats.items():
            if seat.phase in INSIDE:
                self._let_go(number)
            elif seat.phase is Phase.CONNECTING or seat.silent:
                self._wires.close(number, "rst")
                seat.silent = False
                self._enter(seat, Phase.OUT)

    def _invite(self, number: int, now_s: float) -> None:
        seat = self.seats.get(number)
        if seat is None:
            seat = self.seats[number] = Seat(self._make_player(number))
        seat.wanted = True
        if seat.phase is Phase.LEAVING:
            del self._leaving[number]
            self._enter(seat, Phase.PLAYING)
        elif seat.phase is Phase.OUT:
            self._wait(seat, number, now_s)

    def _send_away(self, number: int, now_s: float) -> None:
        seat = self.seats[number]
        seat.wanted = False
        if seat.phase is Phase.PLAYING:
            self._enter(seat, Phase.LEAVING)
            self._leaving[number] = now_s + LEAVE_WITHIN_S
        elif seat.phase is Phase.CONNECTING:
            self._wires.close(number, "fin")
            self._enter(seat, Phase.OUT)
        elif seat.phase is Phase.WAITING:
            self._enter(seat, Phase.OUT)

    def _let_go(self, number: int) -> None:
        self._leaving.pop(number, None)
        self._wires.close(number, "bye")
        self._enter(self.seats[number], Phase.OUT)

    def _dial(self, number: int, now_s: float) -> None:
        seat = self.seats[number]
        if seat.phase is not Phase.WAITING:
            return
        if self._held(number, now_s):
            self._enter(seat, Phase.HELD)
            return
        self._enter(seat, Phase.CONNECTING)
        seat.dial += 1
        self._dials.append((now_s + CONNECT_TIMEOUT_S, number, seat.dial))
        self._wires.open(number)

    def _out(self, seat: Seat, number: int, now_s: float) -> None:
        self._leaving.pop(number, None)
        if not seat.wanted:
            self._enter(seat, Phase.OUT)
            return
        pause_s = min(BACK_OFF_S_MAX, BACK_OFF_S_MIN * 2.0 ** min(seat.attempts, 16))
        pause_s *= 0.5 + 0.5 * self._jitter(number, seat.attempts)
        seat.attempts += 1
        self._wait(seat, number, now_s + pause_s)

    def _wait(self, seat: Seat, number: int, at_s: float) -> None:
        self._enter(seat, Phase.WAITING)
        heapq.heappush(self._queue, (at_s, number))

    def _enter(self, seat: Seat, phase: Phase) -> None:
        """Change a phase; the one place where the counts follow."""
        before, seat.phase = seat.phase, phase
        self.connecting += (phase is Phase.CONNECTING) - (before is Phase.CONNECTING)
        change = (phase in INSIDE) - (before in INSIDE)
        if change:
            self.connected += change
            archetype = seat.player.archetype
            self.by_archetype[archetype] = self.by_archetype.get(archetype, 0) + change
