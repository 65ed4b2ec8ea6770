"""A virtual player: bytes in with a time, bytes out. No socket, no clock, no loop.

Commands in flight when a connection is lost stay in flight: their latency goes on from
the time they were due, and after a resume they are sent again with the same ``seq``,
which the world applies once and acknowledges again. What no answer has come to within
the timeout is unanswered, whether it was ever applied or not: the player cannot know.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from engine.assault.acks import Acks
from engine.assault.behaviours.base import STEP_MAX, Behaviour, View, Wish
from engine.assault.drivers.base import BadFrame, Driver
from engine.assault.tally import Tally
from engine.protocol.cheats import UNSURE
from engine.protocol.gateway import Ack, Bye, Delta, Welcome
from engine.protocol.limits import (
    COMMANDS_IN_FLIGHT_PER_PLAYER_MAX,
    MAP_TILES,
    POSITION_UNITS_PER_TILE,
    ZONES_PER_SIDE,
)
from engine.stats.chance import Dice

Heard = Literal["", "welcome", "bye", "nonsense"]

_WALK_PER_S: Final = STEP_MAX
_ZONE_SIDE: Final = MAP_TILES // ZONES_PER_SIDE * POSITION_UNITS_PER_TILE
_RECENT_MAX: Final = 16
"""Answered and given-up seqs remembered, to tell a duplicate and a late answer apart."""


class Flight(NamedTuple):
    """A command on its way."""

    due_s: float
    sent_s: float
    kind: str
    frame: bytes
    cheat: str


class Player:
    """One player's side of the protocol.

    Args:
        name: What it calls itself.
        archetype: Its place in the mix.
        behaviour: How it decides.
        driver: How it speaks.
        dice: Its chances.
        tally: Where it counts.

    Attributes:
        view: What it knows, None before its first welcome.
        flights: Commands in flight, by ``seq``.
        acks: The newest answers to them.
        sent: Commands sent since it first came.
        newest: The newest update, not yet looked at; whoever carries frames may put it here
            at once instead of calling ``hear``.
    """

    __slots__ = (
        "_acked",
        "_answered",
        "_behaviour",
        "_dice",
        "_driver",
        "_given_up",
        "_memory",
        "_moved_s",
        "_seq",
        "_tally",
        "_token",
        "acks",
        "archetype",
        "flights",
        "name",
        "newest",
        "sent",
        "view",
    )

    def __init__(
        self,
        name: str,
        archetype: str,
        behaviour: Behaviour,
        driver: Driver,
        dice: Dice,
        tally: Tally,
    ) -> None:
        self.name = name
        self.archetype = archetype
        self.view: View | None = None
        self.flights: dict[int, Flight] = {}
        self.acks = Acks()
        self.sent = 0
        self._behaviour = behaviour
        self._driver = driver
        self._dice = dice
        self._tally = tally
        self._memory: dict[str, int] = {}
        self.newest: bytes | None = None
        self._token: str | None = None
        self._seq = 0
        self._acked = 0
        self._moved_s = 0.0
        self._answered: list[int] = []
        self._given_up: list[int] = []

    @property
    def zone(self) -> int | None:
        """The zone it knows to stand in; None before its first welcome."""
        if self.view is None:
            return None
        self._look()
        return self.view.y // _ZONE_SIDE * ZONES_PER_SIDE + self.view.x // _ZONE_SIDE

    def hello(self) -> bytes:
        """Return the first frame of a new connection."""
        return self._driver.hello(self.name, self._token)

    def hear(self, frame: bytes, now_s: float) -> Heard:
        """Take a frame from the server; return what its connection must know of it.

        An update is only kept: most are replaced before anyone looks at them.
        """
        if self._driver.is_update(frame):
            self.newest = frame
            return ""
        try:
            message = self._driver.read(frame)
        except BadFrame:
            self._tally.error("bad_frame")
            return "nonsense"
        if isinstance(message, Ack):
            self._answer(message, now_s)
        elif isinstance(message, Welcome):
            self._greet(message)
            return "welcome"
        elif isinstance(message, Bye):
            self._tally.error(f"bye:{message.reason}")
            return "bye"
        return ""

    def forget_token(self) -> None:
        """Come back without resuming: the server did not take the token."""
        self._token = None

    def frames_to_resend(self) -> list[bytes]:
        """Return the commands in flight, in their order, for a connection just resumed.

        What was a cheat when it was sent may be legal when it comes late: it is none any more.
        """
        for seq, flight in self.flights.items():
            if flight.cheat:
                self._tally.cheats.withdrawn(flight.cheat)
                self.flights[seq] = flight._replace(cheat=UNSURE)
        return [flight.frame for flight in self.flights.values()]

    def decide(self, now_s: float) -> Sequence[Wish]:
        """Return what the player wants to do now that a command is due."""
        view = self.view
        if view is None:
            return ()
        self._look()
        view.step = int(min(1.0, max(0.0, now_s - self._moved_s)) * _WALK_PER_S)
        return self._behaviour.decide(view, self._dice, self._memory)

    def command(self, wish: Wish, due_s: float, now_s: float) -> tuple[int, bytes] | None:
        """Return the ``seq`` and frame of a wish that was due at ``due_s`` and leaves now.

        None when too many are in flight already: that command is sent to nobody and
        counts as unanswered at once, because the player has stopped being answered.
        """
        self._tally.command_sent(now_s - due_s)
        self._tally.cheats.sent(wish.cheat)
        if len(self.flights) >= COMMANDS_IN_FLIGHT_PER_PLAYER_MAX:
            self._tally.error("in_flight_full")
            self._tally.command_unanswered(wish.kind, due_s)
            self._tally.cheats.unanswered(wish.cheat)
            return None
        if wish.kind == "move":
            self._moved_s = now_s
        self._seq += 1
        self.sent += 1
        frame = self._driver.intent(self._seq, wish)
        self.flights[self._seq] = Flight(due_s, now_s, wish.kind, frame, wish.cheat)
        return self._seq, frame

    def give_up(self, seq: int) -> None:
        """The timeout of a command has come: unanswered, unless an answer came before."""
        flight = self.flights.pop(seq, None)
        if flight is not None:
            _remember(self._given_up, seq)
            self._tally.command_unanswered(flight.kind, flight.due_s)
            self._tally.cheats.unanswered(flight.cheat)

    def give_up_all(self) -> None:
        """Give up every command in flight."""
        for seq in list(self.flights):
            self.give_up(seq)

    def _answer(self, ack: Ack, now_s: float) -> None:
        if ack.tick:  # tick 0: the gateway's own refusal, which the world never saw
            self._acked = max(self._acked, ack.seq)
        flight = self.flights.pop(ack.seq, None)
        if flight is not None:
            _remember(self._answered, ack.seq)
            took_s = max(0.0, now_s - flight.due_s)
            self.acks.add(ack.seq, flight.kind, ack.verdict, ack.reason, took_s, now_s)
            self._tally.command_answered(
                flight.kind, flight.due_s, flight.sent_s, now_s, ack.verdict
            )
            self._tally.cheats.answered(flight.cheat, ack.verdict, ack.reason)
        elif ack.seq in self._answered:
            self._tally.error("duplicate_answer")
        elif ack.seq in self._given_up:
            self._tally.error("late_answer")
            _remember(self._answered, ack.seq)
        else:
            self._tally.error("stray_answer")

    def _greet(self, welcome: Welcome) -> None:
        if welcome.seq < self._acked:
            # The world acknowledged commands that it no longer knows of.
            self._tally.acknowledged_lost += self._acked - welcome.seq
            self._acked = welcome.seq
        self._token = welcome.resume_token
        # A squad that was started anew goes on after what its predecessor got through.
        self._seq = max(self._seq, welcome.seq)
        if self.view is None:
            self.view = View(welcome.player, welcome.x, welcome.y)
        self.view.me, self.view.x, self.view.y = welcome.player, welcome.x, welcome.y

    def _look(self) -> None:
        """Decode the newest frame, if nobody has yet."""
        frame, self.newest = self.newest, None
        if frame is None or self.view is None:
            return
        try:
            delta = self._driver.read(frame)
        except BadFrame:
            self._tally.error("bad_frame")
            return
        if isinstance(delta, Delta):
            self.view.take(delta)


def _remember(recent: list[int], seq: int) -> None:
    recent.append(seq)
    if len(recent) > _RECENT_MAX:
        del recent[0]
