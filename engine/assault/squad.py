"""A squad: its load, its players, its faults and its figures. Sans-IO but for ``Wires``.

The worker calls ``step`` a hundred times a second, ``send_due`` when a command is due and
the ``on_…`` methods when a connection has news; every time comes from the clock it gave.
"""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final

from engine.assault.behaviours.base import Behaviour
from engine.assault.drivers.base import Driver
from engine.assault.executors.base import Executor
from engine.assault.plan import Plan
from engine.assault.player import Player
from engine.assault.portrait import player_view
from engine.assault.roster import Phase, Roster, Wires
from engine.assault.schedule import Schedule
from engine.assault.shaper import Shaper
from engine.assault.tally import Tally
from engine.faults.base import Crowd, Fault, PlayerFault, PlayerHalf
from engine.protocol.child import SetLoad, SquadFault, SquadReport, SquadSpec
from engine.protocol.errors import UserError
from engine.protocol.limits import (
    COMMANDS_PER_S_PER_PLAYER_MAX,
    FAULTS_KEPT_MAX,
    UNANSWERED_TIMEOUT_S,
)
from engine.protocol.query import PlayerView
from engine.protocol.registry import pick
from engine.stats.chance import Dice, fraction

COMMANDS_PER_PASS_MAX: Final = 64
"""Commands sent before the loop gets to read answers again."""

_ARCHETYPE, _DICE, _PHASE, _BACK_OFF = 1, 2, 3, 4


def archetypes(
    mix: Mapping[str, float], known: Mapping[str, Behaviour], seed: int
) -> Callable[[int], str]:
    """Return player number to archetype: by draw against the mix's cumulative weights.

    Raises:
        UserError: The mix names a behaviour that does not exist.
    """
    names = [name for name, weight in mix.items() if weight > 0]
    for name in names:
        pick(dict(known), name, "behaviour")
    edges = list(accumulate(mix[name] for name in names))

    def archetype_of(player: int) -> str:
        at = fraction(seed, _ARCHETYPE, player) * edges[-1]
        return next((n for n, edge in zip(names, edges, strict=True) if at < edge), names[-1])

    return archetype_of


class _Armed:
    """A fault in force here."""

    def __init__(self, half: PlayerHalf, until_s: float) -> None:
        self.half = half
        self.until_s = until_s


class Squad:
    """One squad.

    Args:
        spec: What it is to do.
        driver: How its players speak.
        behaviours: Archetypes by name.
        executors: Load shapes by name.
        faults: Faults by name.
        wires: The connections.
        clock: Seconds of a clock that never goes back.
        plan: Called with a time at which ``send_due`` has something to do, when that is new.

    Raises:
        UserError: The spec names something that does not exist.
    """

    def __init__(
        self,
        spec: SquadSpec,
        driver: Driver,
        behaviours: Mapping[str, Behaviour],
        executors: Mapping[str, Executor],
        faults: Mapping[str, Fault],
        wires: Wires,
        clock: Callable[[], float],
        plan: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._spec = spec
        self._driver = driver
        self._behaviours = behaviours
        self._faults = faults
        self._wires = Shaper(wires, self._hear, clock, plan, driver.is_update)
        self._clock = clock
        self._archetype_of = archetypes(spec.mix, behaviours, spec.seed)
        self._started_s: float | None = None
        self._armed: dict[str, _Armed] = {}
        self._planned: dict[str, int] = {}
        self._affected: dict[str, set[int]] = {}
        self._timeouts: deque[tuple[float, int, int]] = deque()
        self._draining = False
        self.plan = Plan(spec.stages, executors, spec.players_max)
        self.tally = Tally()
        self.schedule = Schedule(spec.commands_per_s)
        self.roster = Roster(
            spec.squad,
            spec.squads,
            self._wires,
            self.tally,
            self._make_player,
            lambda player, attempt: fraction(spec.seed, _BACK_OFF, player, attempt),
            self._is_held,
        )

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run's start; 0 before ``go``."""
        return 0.0 if self._started_s is None else self._clock() - self._started_s

    @property
    def settled(self) -> bool:
        """Whether the ramp is over and everybody wanted is in."""
        over = self._started_s is not None and self.elapsed_s >= self.plan.settled_s
        return over and 0 < self.roster.wanted <= self.roster.connected

    def go(self, elapsed_s: float) -> None:
        """Begin, ``elapsed_s`` into the run."""
        self._started_s = self._clock() - elapsed_s
        self.tally.measure_from_s = self._started_s + self._spec.warm_up_s

    def set_load(self, load: SetLoad) -> None:
        """Take the load by hand."""
        if load.players is not None:
            self.plan.take_by_hand(load.players)
        if load.commands_per_s is not None:
            rate = min(max(0.0, load.commands_per_s), COMMANDS_PER_S_PER_PLAYER_MAX)
            self.schedule.set_rate(rate, self._clock())

    def arm(self, order: SquadFault) -> None:
        """Arm a fault among the players wanted now.

        Raises:
            UserError: No such fault, or a parameter does not fit.
        """
        now_s = self._clock()
        crowd = Crowd(
            population=self.plan.players(self.elapsed_s) if self._started_s is not None else 0,
            squad=self._spec.squad,
            squads=self._spec.squads,
            archetype_of=self._archetype_of,
            zone_of=self._zone_of,
        )
        fault: Fault = pick(dict(self._faults), order.name, "fault")
        if not isinstance(fault, PlayerFault):
            raise UserError(f"{order.name} is no fault of players")
        half = fault.arm(order, crowd, now_s)
        self._armed[order.id] = _Armed(half, now_s + order.hold_s)
        self._planned[order.id] = half.planned
        self._affected[order.id] = set()
        while len(self._planned) > FAULTS_KEPT_MAX:
            oldest = next(iter(self._planned))
            del self._planned[oldest], self._affected[oldest]

    def clear(self, fault: str) -> None:
        """Revert a fault; nothing happens when it is not armed."""
        armed = self._armed.get(fault)
        if armed is None:
            return
        now_s = self._clock()
        self._note_affected(fault, armed, now_s)
        del self._armed[fault]
        self._shape()
        for number in self.roster.held():
            if not self._is_held(number, now_s):
                self.roster.release(number, now_s + armed.half.back_after_s(number))

    def step(self) -> None:
        """Do what time asks for: load, faults, timeouts, connecting."""
        now_s = self._clock()
        if self._started_s is not None and not self._draining:
            self.roster.want(self.plan.players(now_s - self._started_s), now_s)
        for fault, armed in list(self._armed.items()):
            if armed.until_s <= now_s:
                self.clear(fault)
                continue
            affected = self._affected.get(fault, set())
            affected.update(cut.player for cut in armed.half.step(now_s) if self.roster.cut(cut))
        self._shape()
        while self._timeouts and self._timeouts[0][0] <= now_s:
            _, number, seq = self._timeouts.popleft()
            self.roster.seats[number].player.give_up(seq)
        if not self._draining:
            self.roster.step(now_s)

    def send_due(self) -> float | None:
        """Send what is due, pass on what was held back; return when there is more to do."""
        held_s = self._wires.release()
        seats = self.roster.seats
        for _ in range(COMMANDS_PER_PASS_MAX):
            due = self.schedule.pop(self._clock())
            if due is None:
                break
            due_s, number = due
            seat = seats[number]
            if seat.phase is Phase.PLAYING:
                self._act(number, seat.player, due_s)
            elif seat.wanted:
                self.tally.command_missed()
            elif seat.phase is not Phase.LEAVING:
                self.schedule.stop(number)
        waiting = [at_s for at_s in (held_s, self.schedule.next_due_s()) if at_s is not None]
        return min(waiting, default=None)

    def player(self, number: int) -> Player:
        """Return the player behind a number that was opened."""
        return self.roster.seats[number].player

    def look_into(self, number: int) -> PlayerView | None:
        """Return a player's own side; None when it was never opened."""
        seat = self.roster.seats.get(number)
        if seat is None:
            return None
        now_s = self._clock()
        touching = tuple(
            fault
            for fault, armed in self._armed.items()
            if number in self._affected.get(fault, ())
            or number in armed.half.slowed
            or armed.half.holds(number, now_s)
        )
        return player_view(self._spec.squad, seat, touching, now_s, self._started_s or now_s)

    def on_open(self, number: int) -> None:
        """A connection stands."""
        self.roster.opened(number)

    def on_frame(self, number: int, frame: bytes) -> None:
        """A frame has come."""
        tally = self.tally
        tally.frames += 1
        tally.bytes += len(frame)
        if not self._wires.take_in(number, frame):
            self._hear(number, frame)

    def on_failed(self, number: int, kind: str) -> None:
        """A connection could not be made: refused, handshake, timeout."""
        self.roster.failed(number, kind, self._clock())

    def on_closed(self, number: int) -> None:
        """A connection was closed from the other side."""
        if not self._wires.take_in(number, None):
            self._hear(number, None)

    def drain(self) -> bool:
        """Send nothing new; return whether every answer has come."""
        self._draining = True
        for number in list(self.roster.seats):
            self.schedule.stop(number)
        return not any(player.flights for player in self.roster.inside())

    def finish(self) -> None:
        """Give up what is still in flight and say good-bye."""
        for seat in self.roster.seats.values():
            seat.player.give_up_all()
        self.roster.close_all()

    def report(self, pid: int, cpu_s: float, rss_mb: float, finished: bool = False) -> SquadReport:
        """Return the figures; call ``tally.handed_over`` once the report is taken."""
        tally, roster = self.tally, self.roster
        tally.settle()
        for fault, armed in self._armed.items():
            self._note_affected(fault, armed, self._clock())
        latency = {kind: h for kind, h in tally.latency.items() if h.count}
        elapsed_s = self.elapsed_s
        return SquadReport(
            squad=self._spec.squad,
            pid=pid,
            at_s=elapsed_s,
            target=roster.wanted,
            connected=roster.connected,
            connecting=roster.connecting,
            lost=tally.lost,
            due=tally.due,
            sent=tally.sent,
            acknowledged=tally.acknowledged,
            denied=tally.denied,
            mutated=tally.mutated,
            unanswered=tally.unanswered,
            missed=tally.missed,
            errors=dict(tally.errors),
            latency={kind: h.sparse() for kind, h in latency.items()},
            latency_now=tally.latency_now.sparse(),
            latency_uncorrected=tally.uncorrected.sparse(),
            lateness=tally.lateness.sparse(),
            loop_lag=tally.loop_lag.sparse(),
            latency_max_ms={kind: h.max_ms for kind, h in latency.items()},
            lateness_max_ms=tally.lateness.max_ms,
            cpu_s=cpu_s,
            rss_mb=rss_mb,
            frames_received=tally.frames,
            bytes_received=tally.bytes,
            by_archetype={name: n for name, n in roster.by_archetype.items() if n},
            stage=self.plan.describe(elapsed_s),
            planned=dict(self._planned),
            affected={fault: len(players) for fault, players in self._affected.items()},
            finished=finished,
            latency_now_max_ms=tally.latency_now.max_ms,
            latency_uncorrected_max_ms=tally.uncorrected.max_ms,
            acknowledged_lost=tally.acknowledged_lost,
            updates_dropped=self._wires.dropped,
            cheats=tally.cheats.summary(),
        )

    def _hear(self, number: int, frame: bytes | None) -> None:
        """Take in a frame, or that the connection was closed from the other side."""
        if frame is None:
            self.roster.gone(number, "closed", self._clock())
            return
        heard = self.roster.seats[number].player.hear(frame, self._clock())
        if not heard:
            return
        now_s = self._clock()
        if heard == "welcome":
            self.roster.welcomed(number, now_s)
            if number not in self.schedule:
                self.schedule.start(number, now_s, fraction(self._spec.seed, _PHASE, number))
        else:  # a bye has been counted by its reason, nonsense as a bad frame
            self.roster.refuse(number, "", now_s)

    def _shape(self) -> None:
        """Have frames delayed as the armed faults want it now."""
        self._wires.obey(armed.half for armed in self._armed.values())

    def _act(self, number: int, player: Player, due_s: float) -> None:
        for wish in player.decide(self._clock()):
            now_s = self._clock()
            command = player.command(wish, due_s, now_s)
            if command is not None:
                seq, frame = command
                self._wires.send(number, frame)
                self._timeouts.append((due_s + UNANSWERED_TIMEOUT_S, number, seq))

    def _make_player(self, number: int) -> Player:
        archetype = self._archetype_of(number)
        return Player(
            f"player-{number}",
            archetype,
            self._behaviours[archetype],
            self._driver,
            Dice(self._spec.seed, _DICE, number),
            self.tally,
        )

    def _note_affected(self, fault: str, armed: _Armed, now_s: float) -> None:
        """Count whom a fault slows or keeps away, also who was not in when it struck."""
        affected = self._affected.get(fault, set())
        affected.update(n for n in self.roster.held() if armed.half.holds(n, now_s))
        affected.update(armed.half.touched)

    def _is_held(self, number: int, now_s: float) -> bool:
        return any(armed.half.holds(number, now_s) for armed in self._armed.values())

    def _zone_of(self, number: int) -> int | None:
        seat = self.roster.seats.get(number)
        return seat.player.zone if seat is not None else None
