"""A squad on a manual clock, against a server that is a few lines and a queue of answers."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, Literal

import msgspec

from engine.assault import behaviours, executors
from engine.assault.drivers.seed import SeedDriver
from engine.assault.squad import Squad
from engine.faults.registry import all_faults
from engine.protocol.child import SquadSpec
from engine.protocol.gateway import (
    Ack,
    Bye,
    Delta,
    Hello,
    Intent,
    SeenCell,
    SeenEntity,
    Welcome,
    client_decoder,
    encoder,
)
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.registry import scan
from engine.protocol.scenario import Stage


def spec(**changes: Any) -> SquadSpec:
    """Return the spec of a lone squad of wanderers that wants ten players at once."""
    plain = SquadSpec(
        squad=0,
        squads=1,
        seed=7,
        url="ws://127.0.0.1:1/play",
        players_max=1000,
        stages=(Stage("constant-players", 10, 0.0),),
        mix={"wanderer": 1.0},
        commands_per_s=1.0,
        warm_up_s=0.0,
    )
    return msgspec.structs.replace(plain, **changes)


class FakeServer:
    """``Wires`` whose other end answers on the same manual clock.

    Attributes:
        now_s: The clock.
        answer_after_s: What an intent's answer takes.
        stalls: Spans in which nothing is answered; answers come when the span ends.
        refuses: Connections are refused while true.
        answers: Intents are answered at all while true.
        welcomes: Hellos are answered while true.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.answer_after_s = 0.02
        self.stalls: list[tuple[float, float]] = []
        self.refuses = False
        self.answers = True
        self.welcomes = True
        self.squad: Squad
        self.opened_at_s: list[float] = []
        self.hellos: list[tuple[int, Hello]] = []
        self.intents: list[tuple[float, int, Intent]] = []
        self.closed: list[tuple[int, str]] = []
        self.silent: set[int] = set()
        self.live: dict[int, int] = {}
        self.tapped: set[int] = set()
        self.most_dialling = 0
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._connection = count(1)

    def at(self, at_s: float, call: Callable[[], None]) -> None:
        """Have something happen later."""
        heapq.heappush(self._events, (at_s, next(self._order), call))

    def open(self, player: int) -> None:
        self.opened_at_s.append(self.now_s)
        connection = self.live[player] = next(self._connection)
        if self.refuses:
            self.at(self.now_s + 0.001, self._if_live(player, connection, self._refuse))
        else:
            self.at(self.now_s + 0.001, self._if_live(player, connection, self.squad.on_open))

    def send(self, player: int, frame: bytes) -> None:
        assert player in self.live, "sent on a connection that is gone"
        assert player not in self.silent, "sent on a silenced connection"
        message = client_decoder.decode(frame)
        connection = self.live[player]
        if isinstance(message, Hello):
            self.hellos.append((player, message))
            if self.welcomes:
                welcome = Welcome(PLAYER_ID_BASE + player, 1, 100, f"token-{player}", 0, 5000, 5000)
                self.tell(player, welcome, self.now_s + 0.01, connection)
        elif isinstance(message, Intent):
            self.intents.append((self.now_s, player, message))
            if self.answers:
                ack = Ack(message.seq, 1, "permit")
                self.tell(player, ack, self.answer_time(self.now_s), connection)

    def answer_time(self, arrived_s: float) -> float:
        """Return when an intent that arrives now is answered."""
        at_s = arrived_s + self.answer_after_s
        for begins_s, ends_s in self.stalls:
            if begins_s <= at_s < ends_s:
                at_s = ends_s + self.answer_after_s
        return at_s

    def tell(
        self, player: int, message: Any, at_s: float = 0.0, connection: int | None = None
    ) -> None:
        """Send a player something, if its connection is still the one that asked."""
        frame = message if isinstance(message, bytes) else encoder.encode(message)
        on = self.live.get(player) if connection is None else connection
        assert on is not None
        self.at(
            max(at_s, self.now_s),
            self._if_live(player, on, lambda number: self.squad.on_frame(number, frame)),
        )

    def drop(self, player: int) -> None:
        """Close a player's connection from this side."""
        del self.live[player]
        self.squad.on_closed(player)

    def close(self, player: int, how: Literal["bye", "fin", "rst"]) -> None:
        self.live.pop(player, None)
        self.silent.discard(player)
        self.closed.append((player, how))

    def silence(self, player: int) -> None:
        self.silent.add(player)

    def tap(self, player: int, *, updates_too: bool) -> None:
        (self.tapped.add if updates_too else self.tapped.discard)(player)

    def run(self, seconds: float, step_s: float = 0.01) -> None:
        """Let time pass: events, steps and due commands each at their own time."""
        end_s = self.now_s + seconds
        next_step_s = self.now_s + step_s
        while True:
            due_s = self.squad.schedule.next_due_s()
            at_s = min(
                next_step_s,
                self._events[0][0] if self._events else end_s,
                end_s if due_s is None else due_s,
            )
            if at_s >= end_s:
                self.now_s = end_s
                return
            self.now_s = max(self.now_s, at_s)
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()
            self.squad.send_due()
            if self.now_s >= next_step_s:
                self.squad.step()
                self.most_dialling = max(self.most_dialling, self.squad.roster.connecting)
                next_step_s += step_s

    def _refuse(self, player: int) -> None:
        del self.live[player]
        self.squad.on_failed(player, "refused")

    def _if_live(
        self, player: int, connection: int, call: Callable[[int], None]
    ) -> Callable[[], None]:
        def happen() -> None:
            if self.live.get(player) == connection and player not in self.silent:
                call(player)

        return happen


def squad_and_server(**changes: Any) -> tuple[Squad, FakeServer]:
    """Return a squad that has begun, and the server it talks to."""
    server = FakeServer()
    squad = Squad(
        spec(**changes),
        SeedDriver(),
        scan(behaviours, "BEHAVIOUR"),
        scan(executors, "EXECUTOR"),
        all_faults(),
        server,
        lambda: server.now_s,
        lambda at_s: server.at(at_s, lambda: None),
    )
    server.squad = squad
    squad.go(0.0)
    return squad, server


def seen(
    entity: int, kind: int, x: int, y: int, *, faction: int = 0, hp: int = 100, goods: int = 0
) -> SeenEntity:
    """Return a living, connected entity as a player sees it."""
    return SeenEntity(entity, kind | 4 | 8 | faction << 4, x, y, hp, 1, goods)


def delta(*entities: SeenEntity, tick: int = 5) -> Delta:
    """Return an update with everything in one cell."""
    return Delta(tick, (SeenCell(0, tick, entities),))


__all__ = ["Bye", "FakeServer", "delta", "seen", "spec", "squad_and_server"]
