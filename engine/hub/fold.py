"""``Fold``: reports and event batches go in, one ``Snapshot`` or a summary's figures come out.

No clock of its own: ``at_s`` is the time since the run's start.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.hub.columns import squares_of
from engine.hub.consolecost import ConsoleCost
from engine.hub.doorwatch import DoorWatch
from engine.hub.eventlog import EventLog
from engine.hub.faultwatch import FaultWatch
from engine.hub.generator import Generator
from engine.hub.outages import Outages
from engine.hub.policywatch import PolicyWatch
from engine.hub.pulse import Pulse
from engine.hub.remark import Remark
from engine.hub.state import Armed, HubState
from engine.hub.story import Story
from engine.hub.tally import Tally
from engine.hub.ticks import Ticks
from engine.hub.windows import Window, percentiles
from engine.protocol.child import EventBatch, SquadReport, WorldReport
from engine.protocol.errors import ExitCode
from engine.protocol.feed import (
    CommandsView,
    PlayersView,
    RunState,
    SeriesView,
    Snapshot,
    WorldView,
)
from engine.protocol.limits import (
    HELD_UPDATES_PER_PLAYER_MAX,
    SERIES_SECONDS_MAX,
    TICK_INTERVAL_MS,
)
from engine.protocol.summary import (
    CommandsSummary,
    EventsSummary,
    PlayersSummary,
    ViolationsSummary,
)
from engine.report.figures import Figures, Trouble
from engine.stats.histogram import Histogram

_LATENCY_WINDOW_S = 5


class Second(Struct, frozen=True):
    """One second of the run, for the series and for ``telemetry.db``.

    None where there was nothing to measure: no tick, no answer.
    """

    at_s: int
    players: float
    commands_per_s: float
    events_per_s: float
    tick_ms_p99: float | None
    latency_ms_p50: float | None
    latency_ms_p99: float | None
    violations_per_s: float
    send_lateness_ms_p99: float
    send_lateness_ms_max: float
    cpu_pct: float


class Fold:
    """A run in figures.

    Args:
        run: Its name.
        seed: Its seed.
        warm_up_s: Excluded from percentiles and thresholds.
        capsule: The run's folder.
    """

    def __init__(self, run: str, seed: int, warm_up_s: float, capsule: str) -> None:
        self._run = run
        self._seed = seed
        self._warm_up_s = warm_up_s
        self._capsule = capsule
        self.tally = Tally()
        self.ticks = Ticks(TICK_INTERVAL_MS)
        self.log = EventLog()
        self.story = Story(self.log)
        self.faults = FaultWatch()
        self.policies = PolicyWatch()
        self.generator = Generator()
        self.console = ConsoleCost()
        self.outages = Outages()
        self._door = DoorWatch()
        self.world = WorldView()
        self.has_world = False
        self._stored = 0
        self._stored_begin = 0
        self._latency_now = Window(_LATENCY_WINDOW_S)
        self._latency_total = Histogram()
        self._latency: dict[str, Histogram] = {}
        self._uncorrected = Histogram()
        self._seconds: deque[Second] = deque(maxlen=SERIES_SECONDS_MAX)
        self._series = SeriesView()
        self._marks = (0, 0, 0)
        self._connected_max = 0
        self._connected_end = 0
        self._target_max = 0
        self._heat = b""
        self._world_cpu = (0.0, 0.0)
        self._closed_s: float | None = None
        self.pulse = Pulse()
        self._missed_told = 0
        self._dropped_told = False

    def begin(self) -> None:
        """The players begin now, at 0 s."""
        self.ticks.begin(self._warm_up_s)
        self._stored_begin = max(self._stored, self.log.last_seq)

    def close(self, at_s: float) -> None:
        """The run is over; what follows is its orderly end and no part of the figures."""
        self._closed_s = at_s
        self._connected_end = self.tally.now("connected")
        self.ticks.close()

    def take_squad(self, report: SquadReport, at_s: float) -> None:
        """Take in a squad's report."""
        self.tally.take(report)
        self._latency_now.add(report.latency_now, report.latency_now_max_ms)
        self._latency_total.merge_sparse(report.latency_now, report.latency_now_max_ms)
        for kind, counts in report.latency.items():
            histogram = self._latency.setdefault(kind, Histogram())
            histogram.merge_sparse(counts, report.latency_max_ms.get(kind, 0.0))
        if at_s >= self._warm_up_s:
            self._uncorrected.merge_sparse(
                report.latency_uncorrected, report.latency_uncorrected_max_ms
            )
        if self._closed_s is None:
            self.generator.take(report)
            self._connected_max = max(self._connected_max, self.tally.now("connected"))
            self._target_max = max(self._target_max, self.tally.now("target"))

    def take_world(self, report: WorldReport, at_s: float) -> list[Remark]:
        """Take in the world's report and return what is worth a notice."""
        overruns = self.ticks.take(report)
        self._door.take(report)
        self.policies.count(report.policies)
        before_s, cpu_before_s = self._world_cpu
        cpu_pct = self.world.cpu_pct
        if at_s > before_s and report.cpu_s >= cpu_before_s:
            cpu_pct = (report.cpu_s - cpu_before_s) * 100 / (at_s - before_s)
        self._world_cpu = (at_s, report.cpu_s)
        self._stored = max(self._stored, report.events_stored)
        self.world = replace(
            self.world,
            cpu_pct=cpu_pct,
            rss_mb=report.rss_mb,
            deaths=self.log.deaths,
            state_hash=report.state_hash,
            log_mb=report.log_bytes / 1e6,
        )
        remarks = self.pulse.take(report.tick, report.stalls, overruns, at_s)
        return remarks + self.pulse.store(report.store_error, at_s)

    def world_is(self, pid: int, npcs: int, nodes: int, at_s: float) -> None:
        """The world runs as process ``pid``."""
        self.has_world = True
        self.policies.world_is_new()
        self.faults.world_back(at_s)
        self.world = replace(self.world, pid=pid, npcs=npcs, nodes=nodes)

    def world_gone(self, at_s: float) -> None:
        """The world died; the next one's counters begin at 0."""
        self.faults.world_gone(at_s)
        self.world = replace(self.world, pid=0, cpu_pct=0.0)
        self.ticks.gone()
        self.pulse.gone()
        self._world_cpu = (self._world_cpu[0], 0.0)

    def take_events(self, batch: EventBatch) -> list[Remark]:
        """Take in a tick's events and return what is worth a notice.

        Raises:
            ValueError: It is no batch of events.
        """
        broken = self.log.take(batch)
        return [Remark("violation", f"{row.policy}: {row.reason}") for row in broken[:3]]

    def take_field(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take in the world's arrays: who is where, and how many are alive.

        Args:
            columns: ``x``, ``y``, ``kind``, ``alive``, ``connected``, one row an entity.
        """
        squares = squares_of(columns)
        self._heat = np.minimum(squares, 255).astype(np.uint8).tobytes()
        self.world = replace(self.world, alive=int(squares.sum()), deaths=self.log.deaths)

    def armed(self, fault: Armed) -> None:
        """A fault begins now."""
        self.faults.armed(fault, self.tally)

    def close_second(self, second: int) -> tuple[Second, list[Remark]]:
        """End second ``second``; return it, and what is worth a notice."""
        measured = second >= self._warm_up_s and self._closed_s is None
        saturated = self.generator.close_second(second, self.tally, measured=measured)
        latency = self._latency_now.close_second()
        p50, p99 = latency.percentiles((50, 99)) if latency.count else (None, None)
        now = (self.tally.total("acknowledged"), self.log.last_seq, self.log.total)
        rates = [max(0, fresh - old) for fresh, old in zip(now, self._marks, strict=True)]
        self._marks = now
        generator = self.generator.view(self.tally)
        row = Second(
            at_s=second,
            players=float(self.tally.now("connected")),
            commands_per_s=float(rates[0]),
            events_per_s=float(rates[1]),
            tick_ms_p99=self.ticks.close_second(),
            latency_ms_p50=p50,
            latency_ms_p99=p99,
            violations_per_s=float(rates[2]),
            send_lateness_ms_p99=self.generator.second_ms_p99,
            send_lateness_ms_max=self.generator.second_ms_max,
            cpu_pct=generator.cpu_pct,
        )
        self._seconds.append(row)
        self._series = _series(self._seconds)
        remarks = []
        # A world that stands still, or ends, makes players late: then it is told instead.
        if saturated and not self.pulse.ails and self._closed_s is None:
            late = f"sends are late by {generator.send_lateness_ms_p99:.0f} ms (p99)"
            remarks.append(Remark("saturated", f"the generator cannot keep up: {late}"))
        remarks += [Remark("problem", text) for text in self._door.look()]
        if self.log.missed > self._missed_told:
            missed, self._missed_told = self.log.missed - self._missed_told, self.log.missed
            lost = f"{missed} events never reached the hub; what is counted from them is too low"
            remarks.append(Remark("problem", lost))
        dropped = self.tally.total("updates_dropped")
        if dropped and not self._dropped_told:
            held = f"a player has {HELD_UPDATES_PER_PLAYER_MAX} updates held back; more are dropped"
            remarks.append(Remark("problem", held))
        self._dropped_told = dropped > 0
        self.faults.second(self.tally, p99, float(second + 1))
        return row, remarks

    def look(self, at_s: float) -> list[Remark]:
        """Return what time has shown since the last call: recoveries, a world that stands still."""
        stalled = [] if self._closed_s is not None else self.pulse.look(at_s)
        return stalled + [
            Remark("fault_cleared", f"{fault.id}: recovered from {fault.name}", bad=False)
            for fault in self.faults.look(self.tally, at_s)
        ]

    def snapshot(
        self,
        state: HubState,
        phase: RunState,
        at_s: float,
        thresholds: tuple[tuple[str, bool], ...],
    ) -> Snapshot:
        """Return what a console paints; the event tail is what came since the last call."""
        last = self._seconds[-1] if self._seconds else None
        tally = self.tally
        errors = tally.all_errors()
        stages = [report.stage for report in tally.squads if report.stage]
        return Snapshot(
            run=self._run,
            state=phase,
            at_s=at_s,
            seed=self._seed,
            capsule=self._capsule,
            players=PlayersView(
                target=state.target,
                connected=tally.now("connected"),
                connecting=tally.now("connecting"),
                players_max=state.rules.players_max,
                lost=tally.total("lost"),
                commands_per_s_each=state.commands_per_s,
                stage="manual" if state.manual else (stages[0] if stages else ""),
            ),
            commands=CommandsView(
                due=tally.total("due"),
                sent=tally.total("sent"),
                acknowledged=tally.total("acknowledged"),
                denied=tally.total("denied"),
                errors=sum(errors.values()),
                unanswered=tally.total("unanswered"),
                missed=tally.total("missed"),
                per_s=last.commands_per_s if last else 0.0,
                mutated=tally.total("mutated"),
                errors_by_kind=errors,
            ),
            latency_ms=percentiles(self._latency_now.merged()),
            latency_total_ms=percentiles(self._latency_total),
            tick=self.ticks.view(),
            events=self.log.view(last.events_per_s if last else 0.0),
            violations=self.log.violations_view(last.violations_per_s if last else 0.0),
            faults=self.faults.views(tally),
            outages=self.outages.views(),
            marked_s=state.marked_s,
            generator=self.generator.view(tally),
            world=replace(
                self.world,
                stalled_s=round(self.pulse.stalled_s, 1),
                store_error=self.pulse.store_error,
            ),
            story=self.story.view(),
            cheats=tally.cheats(),
            series=self._series,
            heat=self._heat,
            thresholds=thresholds,
        )

    def figures(self, at_s: float, trouble: tuple[Trouble, ...], *, planned: bool) -> Figures:
        """Return everything a summary says, as it stands at ``at_s``."""
        tally = self.tally
        duration_s = at_s if self._closed_s is None else self._closed_s
        connected = tally.now("connected") if self._closed_s is None else self._connected_end
        stored = max(self.log.last_seq, self._stored)
        saturated = self.generator.saturated_at_s is not None
        if self.pulse.store_error:
            why = f"the event store failed to the end: {self.pulse.store_error}"
            trouble = (*trouble, Trouble(why, ExitCode.INVALID))
        elif self.pulse.stalled_s:
            why = f"{self.pulse.stall}, to the end{self.policies.suspects()}"
            trouble = (*trouble, Trouble(why, ExitCode.INVALID))
        figures = Figures(
            run=self._run,
            seed=self._seed,
            duration_s=max(0.0, duration_s),
            warm_up_s=self._warm_up_s,
            planned=planned,
            players=PlayersSummary(
                self._target_max, self._connected_max, connected, tally.total("lost")
            ),
            commands=CommandsSummary(
                due=tally.total("due"),
                sent=tally.total("sent"),
                acknowledged=tally.total("acknowledged"),
                denied=tally.total("denied"),
                errors=tally.all_errors(),
                unanswered=tally.total("unanswered"),
                missed=tally.total("missed"),
                acknowledged_lost=tally.total("acknowledged_lost"),
            ),
            latency=self._latency,
            latency_uncorrected=self._uncorrected,
            generator=self.generator.summary(tally),
            faults=self.faults.summaries(tally, saturated=saturated),
            trouble=trouble,
            console=self.console.summary(),
            squads_lost=tally.squads_lost,
            events_missed=self.log.missed,
            stall=self.pulse.stall,
            story=self.story.summary(),
            cheats=tally.cheats(),
        )
        if self.has_world:
            per_s = max(0, stored - self._stored_begin) / max(duration_s, 1.0)
            figures.tick = self.ticks.summary()
            figures.events = EventsSummary(stored, round(per_s, 1), self.log.depth_max)
            by_policy = dict(sorted(self.log.by_policy.items()))
            figures.violations = ViolationsSummary(
                self.log.total, by_policy, self.log.critical, dict(sorted(self.log.broken.items()))
            )
            figures.state_hash = self.world.state_hash
        return figures


def _series(seconds: deque[Second]) -> SeriesView:
    return SeriesView(
        start_s=seconds[0].at_s,
        players=tuple(second.players for second in seconds),
        commands_per_s=tuple(second.commands_per_s for second in seconds),
        events_per_s=tuple(second.events_per_s for second in seconds),
        tick_ms_p99=tuple(second.tick_ms_p99 for second in seconds),
        latency_ms_p50=tuple(second.latency_ms_p50 for second in seconds),
        latency_ms_p99=tuple(second.latency_ms_p99 for second in seconds),
        violations_per_s=tuple(second.violations_per_s for second in seconds),
    )
