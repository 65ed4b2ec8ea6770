"""Who plays: a real squad on simulated wires, and hecklers who keep to no rule."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Literal

from engine.assault import behaviours, executors
from engine.assault.drivers.seed import SeedDriver
from engine.assault.squad import Squad
from engine.faults.registry import all_faults
from engine.protocol.child import SquadSpec
from engine.protocol.gateway import (
    INTENT_KINDS,
    Ack,
    Hello,
    Intent,
    Welcome,
    encoder,
    server_decoder,
)
from engine.protocol.limits import NODE_ID_BASE, NPC_ID_BASE, PLAYER_ID_BASE, POSITION_MAX
from engine.protocol.registry import scan
from engine.protocol.scenario import Stage
from tests.sim.network import Line, Network

SQUAD_STEP_S = 0.05
_DRIVER = SeedDriver()
_INTENT = b"\xa4type\xa6intent"


class SquadWires:
    """``Wires`` of a squad over the simulated network.

    Args:
        network: The network.
        chance: Of commands that are sent twice.
        twice: Share of commands that are.
    """

    def __init__(self, network: Network, chance: Random, twice: float) -> None:
        self.squad: Squad
        self.lines: dict[int, Line] = {}
        self._network = network
        self._chance = chance
        self._twice = twice
        self._tapped: set[int] = set()

    def open(self, player: int) -> None:
        seat = _Seat(self, player)
        seat.line = self.lines[player] = self._network.connect(seat)

    def send(self, player: int, frame: bytes) -> None:
        line = self.lines[player]
        line.post(frame)
        if frame[1:13] == _INTENT and self._chance.random() < self._twice:
            line.post(frame)

    def close(self, player: int, how: Literal["bye", "fin", "rst"]) -> None:
        del how
        line = self.lines.pop(player, None)
        if line is not None:
            line.close()

    def silence(self, player: int) -> None:
        self.lines[player].silence()

    def tap(self, player: int, *, updates_too: bool) -> None:
        (self._tapped.add if updates_too else self._tapped.discard)(player)

    def hear(self, player: int, frame: bytes) -> None:
        """Give the squad a frame as the real wires do: updates go no further than the player."""
        if player not in self._tapped and _DRIVER.is_update(frame):
            self.squad.player(player).newest = frame
        else:
            self.squad.on_frame(player, frame)


class _Seat:
    """One player's end of one connection."""

    def __init__(self, wires: SquadWires, player: int) -> None:
        self._wires = wires
        self._player = player
        self.line: Line

    @property
    def _is_current(self) -> bool:
        return self._wires.lines.get(self._player) is self.line

    def on_open(self) -> None:
        if self._is_current:
            self._wires.squad.on_open(self._player)

    def on_frame(self, frame: bytes) -> None:
        if self._is_current:
            self._wires.hear(self._player, frame)

    def on_failed(self) -> None:
        if self._is_current:
            del self._wires.lines[self._player]
            self._wires.squad.on_failed(self._player, "refused")

    def on_closed(self) -> None:
        if self._is_current:
            del self._wires.lines[self._player]
            self._wires.squad.on_closed(self._player)


def make_squad(
    network: Network,
    chance: Random,
    *,
    seed: int,
    players: int,
    rate: float,
    twice: float,
    mix: Mapping[str, float],
) -> tuple[Squad, SquadWires]:
    """Return a squad that steps by itself from now on."""
    timeline = network.timeline
    wires = SquadWires(network, chance, twice)
    spec = SquadSpec(
        squad=0,
        squads=1,
        seed=seed,
        url="ws://simulated/play",
        players_max=players,
        stages=(Stage("constant-players", players, 0.0),),
        mix=dict(mix),
        commands_per_s=rate,
        warm_up_s=0.0,
    )
    squad = Squad(
        spec,
        _DRIVER,
        scan(behaviours, "BEHAVIOUR"),
        scan(executors, "EXECUTOR"),
        all_faults(),
        wires,
        timeline.now_s,
    )
    wires.squad = squad
    squad.go(0.0)

    def step() -> None:
        squad.step()
        squad.send_due()
        timeline.after(SQUAD_STEP_S, step)

    timeline.after(0.0, step)
    return squad, wires


class Heckler:
    """A client that sends what it likes: old seqs, future ones, one with two contents, nonsense.

    Args:
        network: The network.
        chance: What it likes.
        name: A guest's name, or a player's.
        every_s: Between two deeds.
    """

    def __init__(self, network: Network, chance: Random, name: str, every_s: float) -> None:
        self._network = network
        self._chance = chance
        self._name = name
        self._every_s = every_s
        self._token: str | None = None
        self._seq = 0
        self._plays = False
        self._line: Line | None = None
        self.is_quiet = False
        self._dial()

    def on_open(self) -> None:
        assert self._line is not None
        self._line.post(encoder.encode(Hello(self._name, self._token)))
        self._network.timeline.after(self._every_s, partial(self._act, self._line))

    def on_frame(self, frame: bytes) -> None:
        if _DRIVER.is_update(frame):
            return
        message = server_decoder.decode(frame)
        if isinstance(message, Welcome):
            self._token, self._plays = message.resume_token, True
            self._seq = max(self._seq, message.seq)
        elif isinstance(message, Ack):
            self._seq = max(self._seq, message.seq)

    def on_failed(self) -> None:
        self._network.timeline.after(0.5, self._dial)

    def on_closed(self) -> None:
        self._plays = False
        self._network.timeline.after(0.2 + self._chance.random(), self._dial)

    def _dial(self) -> None:
        self._plays = False
        self._line = self._network.connect(self)

    def _act(self, line: Line) -> None:
        if line is not self._line or not line.heard:
            return
        self._network.timeline.after(self._every_s, partial(self._act, line))
        if self.is_quiet:
            return
        deed = self._chance.random()
        if deed < 0.01:
            line.post(self._chance.randbytes(self._chance.randrange(1, 40)))
        elif deed < 0.02:
            line.close()
            self.on_closed()
        elif self._plays:
            for _ in range(self._chance.choice((1, 1, 1, 3))):
                line.post(encoder.encode(self._intent()))

    def _intent(self) -> Intent:
        chance = self._chance
        seq = max(1, self._seq + chance.choice((1, 1, 1, 2, 0, -1, -7, 30)))
        targets = (
            PLAYER_ID_BASE + chance.randrange(12),
            NPC_ID_BASE + chance.randrange(200),
            NODE_ID_BASE + chance.randrange(200),
        )
        return Intent(
            seq=seq,
            kind=chance.choice(INTENT_KINDS),
            x=chance.randrange(POSITION_MAX + 1),
            y=chance.randrange(POSITION_MAX + 1),
            target=chance.choice(targets),
            amount=chance.randrange(-30, 30),
            text=chance.choice(("", "hear, hear", "\x1b[2J")),
        )
