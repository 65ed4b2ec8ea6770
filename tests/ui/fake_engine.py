"""An engine made up from a seed: the same second always looks the same."""

import functools
import math
import random

import msgspec

from engine.protocol import limits
from engine.protocol.cheats import CheatCount, CheatsSummary, HonestCount
from engine.protocol.command import (
    ArmFault,
)
from engine.protocol.events import EVENT_KINDS, Event
from engine.protocol.feed import (
    CommandsView,
    EventsView,
    FaultView,
    GeneratorView,
    OutageView,
    Percentiles,
    PlayersView,
    RunState,
    SeriesView,
    Snapshot,
    TickView,
    ViolationRow,
    ViolationsView,
    WorldView,
)
from engine.protocol.filters import STAGES
from engine.protocol.query import (
    AckRow,
    EntityRow,
    FaultSpec,
    ParamSpec,
    PlayerView,
)
from engine.protocol.story import NarratorState
from tests.ui.fake_story import story

RARE = {
    "world_started",
    "invariant_broken",
    "resumed",
    "disconnected",
    "left",
    "policy_changed",
    "mutated",
    "cascade_cut",
}
KINDS = tuple(
    kind for kind in EVENT_KINDS for _ in range(4 if kind == "moved" else 1) if kind not in RARE
)
SAYINGS = ("to the market", "help, raiders!", "who sells iron?", "good hunting", "hold the bridge")
POLICIES = (
    ("speed", "9.2 tiles in 6 ticks, allowed 8.0"),
    ("reach", "player-88 is 5.1 tiles away, allowed 2"),
    ("rate", "bucket empty: 12 in a second"),
    ("dead-actor", "the dead do not trade"),
)
MENU = (
    FaultSpec(
        "disconnect-storm",
        "d",
        "players",
        "connections drop and stay away until the hold ends",
        (
            ParamSpec("how", "rst", "how the connection ends", allowed=("rst", "fin", "silent")),
            ParamSpec("spread", 0.0, "seconds over which they drop", at_least=0, at_most=60),
        ),
    ),
    FaultSpec(
        "tick-stall",
        "k",
        "server",
        "the world holds its breath",
        (ParamSpec("ms", 500, "how long", at_least=1, at_most=5000),),
    ),
    FaultSpec("kill", "x", "server", "the world process dies", available=False, why_not="not yet"),
)


CHEATS = CheatsSummary(
    {
        "cooldown": CheatCount(41, 30, 2, 9),
        "reach": CheatCount(180, 171, 9),
        "speed": CheatCount(212, 205, 4, 1, 2),
    },
    HonestCount(6210, 31, 4, {"gather": 20, "sanity": 11, "speed": 4}),
)
PHASES_MS = {
    "govern": 1.1,
    "step": 2.9,
    "react": 0.8,
    "hash": 0.4,
    "append": 3.2,
    "fan_out": 6.6,
}


class FakeEngine:
    """Figures of a run at any second of it; commands change them.

    Attributes:
        faults: Armed and past.
        target: Players wanted.
        rate: Commands a second for each.
        log: Every event, oldest first.
    """

    def __init__(self, seed: int = 7, players: int = 1000) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self.target = players
        self.rate = 1.0
        self.faults: list[FaultView] = []
        self.outages: tuple[OutageView, ...] = ()
        self.state: RunState = "running"
        self.narrator: NarratorState = "telling"
        self.at_s = 0.0
        self._seq = 0
        self.log: list[Event] = []
        self._violations: list[ViolationRow] = []
        self._players_were: dict[int, float] = {}
        self._heads = [(self._random.random(), self._random.random()) for _ in range(7)]

    def _players_view(self, at_s: float, connected: int) -> PlayersView:
        stage = "hold" if at_s > 12 else f"ramp to {self.target}, {12 - at_s:.0f}s left"
        return PlayersView(self.target, connected, 0, 2000, 12, self.rate, stage)

    def snapshot(self, at_s: float) -> Snapshot:
        """Return the snapshot ``at_s`` seconds into the run; call with rising seconds."""
        first_s = max(0, int(at_s) - limits.SERIES_SECONDS_MAX + 1)
        self.at_s = at_s
        for second in range(first_s, int(at_s) + 1):
            self._players_were.setdefault(second, self._players(second))
        seconds = range(first_s, int(at_s) + 1)
        noise = [self._noise(second) for second in seconds]
        players = [self._players_were[second] for second in seconds]
        ticks = [9 + 4 * n + 0.004 * p for n, p in zip(noise, players, strict=True)]
        ticks = [t + (52 if s % 47 == 46 else 0) for t, s in zip(ticks, seconds, strict=True)]
        late = [
            88 + 22 * n + (60 if s % 71 > 67 else 0) for n, s in zip(noise, seconds, strict=True)
        ]
        half = [50 + 6 * n for n in noise]
        gone = [self._gone(second) for second in seconds]
        now = players[-1]
        tail = tuple(self._event(at_s) for _ in range(18))
        return Snapshot(
            run="market-day",
            state=self.state if at_s > 12 else "ramping",
            at_s=at_s,
            seed=self._seed,
            capsule="/var/lib/seedstorm/runs/20261123-2210-market-day",
            players=self._players_view(at_s, round(now)),
            commands=CommandsView(
                int(at_s * 1000),
                int(at_s * 999),
                int(at_s * 996),
                len(self._violations),
                0,
                0,
                40,
                now * self.rate,
            ),
            latency_ms=Percentiles(int(now * 10), half[-1], 81, 92, late[-1], 141, 188),
            latency_total_ms=Percentiles(int(at_s * 996), 51, 84, 93, 104, 151, 240),
            tick=TickView(
                int(at_s * 10),
                100,
                ticks[-1] * 0.6,
                ticks[-1],
                max(ticks[-10:]),
                0,
                0,
                dict(PHASES_MS),
            ),
            events=EventsView(self._seq, 3204 + 300 * noise[-1], tail, 760),
            violations=self._violations_view(at_s),
            cheats=CHEATS,
            faults=tuple(self._faults_now(at_s)),
            outages=self.outages,
            generator=GeneratorView(1, 12.4 + noise[-1], 0.7, 3.1, 0.9, 118.0, False),
            world=WorldView(4242, 14.1 + noise[-1], 141.0, 200, 400, 1560, 84, "9f3a77c0", 12.4),
            story=story(at_s, self.narrator),
            series=_series(
                first_s,
                self.rate,
                players,
                _without(ticks, gone),
                _without(half, gone),
                _without(late, gone),
                noise,
            ),
            heat=self._heat(at_s),
            thresholds=(("latency_ms.p99 < 150", True), ("tick.overruns == 0", True)),
        )

    def entities(self) -> list[EntityRow]:
        """Return everybody, by id."""
        chance = random.Random(self._seed)
        rows = []
        for index in range(200 + 300):
            player = index >= 200
            base = limits.PLAYER_ID_BASE + index - 200 if player else limits.NPC_ID_BASE + index
            hp_max = chance.choice((80, 100, 120))
            alive = chance.random() > 0.05
            x, y = chance.random() * 256, chance.random() * 256
            rows.append(
                EntityRow(
                    base,
                    "player" if player else "npc",
                    alive,
                    player and chance.random() > 0.1,
                    int(y / 32) * 8 + int(x / 32),
                    x,
                    y,
                    int(hp_max * chance.random() ** 0.4) if alive else 0,
                    hp_max,
                    int(20 / (chance.random() + 0.004)),
                    chance.randrange(60),
                    1 + int(-4 * math.log(chance.random() + 0.01)),
                    chance.randrange(4),
                    chance.choice(STAGES),
                    chance.randrange(1, 4),
                )
            )
        return rows

    def player(self, number: int) -> PlayerView:
        """Return a virtual player's own side."""
        chance = random.Random(number)
        acks = []
        for back in range(limits.ACKS_REMEMBERED_MAX, 0, -1):
            kind = chance.choice(("move", "move", "attack", "gather", "trade"))
            verdict, reason = "permit", ""
            if chance.random() < 0.25:
                policy, found = chance.choice(POLICIES)
                verdict, reason = chance.choice(("deny", "mutate")), f"{policy}: {found}"
            latency_ms = 40 + 70 * chance.random()
            acks.append(
                AckRow(120 - back, kind, verdict, reason, latency_ms, self.at_s - back * 1.01)
            )
        held = tuple(f.id for f in self.faults if f.cleared_at_s is None and number % 3 == 0)
        phase = "held" if held else "playing"
        since_s = 0.0 if held else max(0.0, self.at_s - 4)
        return PlayerView(0, "trader", phase, since_s, 0, 1, 0.062, 120, 119, held, tuple(acks))

    def history(self, count: int) -> tuple[Event, ...]:
        """Return an entity's events, the same whenever they are asked for."""
        other = FakeEngine(self._seed, self.target)
        return tuple(other._event(self.at_s - (count - index)) for index in range(count))

    def arm(self, command: ArmFault) -> None:
        """Arm a fault now."""
        pct = command.scope.players_pct
        planned = round(self.target * (pct or 100) / 100)
        scope = f"{pct:g}%" if pct is not None else ""
        self.faults.append(
            FaultView(
                f"f{len(self.faults) + 1}", command.name, scope, self.at_s, command.hold_s,
                planned, planned,
            )
        )  # fmt: skip

    def clear(self, every: bool) -> int:
        """Clear the fault armed last, or every one; return how many were cleared."""
        armed = [index for index, fault in enumerate(self.faults) if fault.cleared_at_s is None]
        chosen = armed if every else armed[-1:]
        for index in chosen:
            self.faults[index] = msgspec.structs.replace(
                self.faults[index], cleared_at_s=self.at_s, cleared_why="operator"
            )
        return len(chosen)

    def _faults_now(self, at_s: float) -> list[FaultView]:
        for index, fault in enumerate(self.faults):
            end_s = fault.armed_at_s + fault.hold_s
            if fault.cleared_at_s is None and at_s >= end_s:
                fault = msgspec.structs.replace(fault, cleared_at_s=end_s, cleared_why="hold")
            if fault.cleared_at_s is not None and at_s >= fault.cleared_at_s + 3:
                fault = msgspec.structs.replace(fault, recovered_at_s=fault.cleared_at_s + 3)
            self.faults[index] = fault
        return self.faults

    def _players(self, second: float) -> float:
        value = min(self.target, self.target * (second + 1) / 12)
        for fault in self.faults:
            end_s = fault.cleared_at_s or fault.armed_at_s + fault.hold_s
            if fault.armed_at_s <= second < end_s:
                value -= fault.planned
            elif end_s <= second < end_s + 3:
                value -= fault.planned * (end_s + 3 - second) / 3
        return max(0.0, value)

    def _gone(self, second: int) -> bool:
        """Whether there is no world in a whole second."""
        return any(
            span.lost_at_s <= second and (span.back_at_s is None or second + 1 <= span.back_at_s)
            for span in self.outages
        )

    def _noise(self, second: int) -> float:
        return (math.sin(second / 5) + math.sin(second / 2.3 + 1)) / 4 + (
            random.Random(second).random() - 0.5
        )

    def _event(self, at_s: float) -> Event:
        self._seq += 1
        chance = random.Random(self._seq)
        kind = chance.choice(KINDS)
        actor = limits.PLAYER_ID_BASE + chance.randrange(self.target)
        if chance.random() < 0.2:
            actor = limits.NPC_ID_BASE + chance.randrange(200)
        target = limits.PLAYER_ID_BASE + chance.randrange(self.target)
        a, b, text = chance.randrange(1, 40), 0, ""
        if kind == "moved":
            a, b, target = chance.randrange(65536), chance.randrange(65536), 0
        elif kind == "said":
            text, target = chance.choice(SAYINGS), 0
        elif kind == "gathered":
            target = limits.NODE_ID_BASE + chance.randrange(400)
        elif kind == "denied":
            policy, reason = chance.choice(POLICIES)
            text = f"{policy}: {reason}"
            row = ViolationRow(self._seq, int(at_s * 10), policy, actor, reason)
            self._violations = [*self._violations, row][-200:]
            target = 0
        elif kind == "stage_changed":
            text, target = chance.choice(STAGES), 0
        elif kind not in {"attacked", "retaliated", "traded", "looted"}:
            target = 0
        made = Event(self._seq, int(at_s * 10), kind, actor, a, actor, target, a, b, text)
        self.log.append(made)
        return made

    def _violations_view(self, at_s: float) -> ViolationsView:
        by_policy: dict[str, int] = {}
        for row in self._violations:
            by_policy[row.policy] = by_policy.get(row.policy, 0) + 1
        return ViolationsView(
            len(self._violations), 0, 1.4, by_policy, tuple(self._violations[-60:])
        )

    def _heat(self, at_s: float) -> bytes:
        side = limits.HEATMAP_SIDE
        heads = [
            (
                (cx + 0.002 * at_s * math.cos(index)) % 1,
                (cy + 0.002 * at_s * math.sin(index)) % 1,
                90 + 40 * index,
            )
            for index, (cx, cy) in enumerate(self._heads)
        ]
        grid = []
        for y in range(side):
            for x in range(side):
                value = _noise(x * side + y + int(at_s))
                for cx, cy, sharpness in heads:
                    gap = (x / side - cx) ** 2 + (y / side - cy) ** 2
                    value += 9 * math.exp(-gap * sharpness)
                grid.append(min(255, int(value)))
        return bytes(grid)


def _without(values: list[float], gone: list[bool]) -> list[float | None]:
    return [None if hole else value for value, hole in zip(values, gone, strict=True)]


@functools.cache
def _noise(place: int) -> float:
    return 0.6 * random.Random(place).random()


def _series(
    first_s: int,
    rate: float,
    players: list[float],
    ticks: list[float | None],
    half: list[float | None],
    late: list[float | None],
    noise: list[float],
) -> SeriesView:
    return SeriesView(
        first_s,
        tuple(players),
        tuple(p * rate for p in players),
        tuple(3 * p for p in players),
        tuple(ticks),
        tuple(half),
        tuple(late),
        tuple(max(0.0, 2 * n) for n in noise),
    )
