"""The world's shell: gives the pure core its clock, its inputs, its log and its readers."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.link.channel import Channel
from engine.protocol.child import EventBatch, TickRow, WorldOrderDone, WorldReport, WorldSpec
from engine.protocol.events import correlation_of
from engine.protocol.gateway import Ack, VerdictKind, Welcome
from engine.protocol.limits import (
    CHECKPOINT_EVENTS,
    CHECKPOINT_TICKS,
    ORDER_SEQ_BASE,
    REPORTS_PER_S_MAX,
    TICKS_CATCH_UP_MAX,
)
from engine.protocol.policy import WorldPolicies, WorldPolicy, WorldPolicyDone
from engine.server import figures
from engine.server.answered import ANSWERED_TICKS_MAX, UNKNOWN, Answer, Answered
from engine.server.clock import Clock
from engine.server.fanout import FanOut
from engine.server.gateway import Gateway
from engine.server.inbox import Inbox
from engine.server.pace import Pace
from engine.server.publisher import Publisher
from engine.server.roster import Roster
from engine.server.schedule import Schedule
from engine.server.session import Phase, Session
from engine.server.shared import SharedState
from engine.store.base import EventStore, StoreUnavailable, TickRecord
from engine.world.inputs import TickInputs
from engine.world.interest import CellFrames
from engine.world.world import TickResult, World

_VERDICTS: Final[tuple[VerdictKind, ...]] = ("permit", "deny", "mutate")


def checkpoint_is_due(
    tick: int,
    events: int,
    every_ticks: int = CHECKPOINT_TICKS,
    every_events: int = CHECKPOINT_EVENTS,
) -> bool:
    """Whether the state before ``tick`` is stored, ``events`` after the one stored last."""
    return tick % every_ticks == 0 or events >= every_events


@dataclass(frozen=True, slots=True)
class Parts:
    """What a shell is wired from; whoever made them closes them."""

    spec: WorldSpec
    world: World
    store: EventStore
    inbox: Inbox
    roster: Roster
    gateway: Gateway
    shared: SharedState | None
    publisher: Publisher | None


class WorldShell:
    """Ticks, stores and talks to players, until cancelled.

    Args:
        parts: What it is wired from.
        channel: Where reports go, and event batches when there is no publisher.
        clock: Time.
        restarted: The world was recovered: nobody is connected any more.
    """

    def __init__(self, parts: Parts, channel: Channel, clock: Clock, restarted: bool) -> None:
        self._parts = parts
        self._channel = channel
        self._clock = clock
        self._restarted = restarted
        interval_ms = parts.spec.shape.interval_ms
        self._schedule = Schedule(interval_ms / 1000.0, clock.now_s())
        self._watch = figures.Stopwatch(clock.now_s)
        self._ledger = figures.Ledger(interval_ms)
        self._pace = Pace(interval_ms)
        self._fan_out = FanOut(self._pace)
        self._skipped = 0
        # Of a world that was recovered nobody knows how much it had to step: soon a new one.
        self._checkpointed_seq = 0
        self._store_error = ""
        newest = parts.store.ticks(max(0, parts.world.tick - ANSWERED_TICKS_MAX))
        self._answered = Answered(record.block() for record in newest)
        # Of the newest durable tick: while the store is full, the world is one further.
        self._durable_tick = parts.world.tick - 1
        self._durable_seq = parts.world.next_seq - 1
        self._hash = parts.world.hash
        self._policies_told = -1

    async def run(self) -> None:
        """Tick and keep house until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick_forever())
            tasks.create_task(self._keep_house())

    # --- a tick ---

    async def _tick_forever(self) -> None:
        self._schedule = Schedule(self._schedule.interval_s, self._clock.now_s())
        while True:
            await self._clock.sleep_until(self._schedule.due_s)
            await self._tick()

    async def _tick(self) -> None:
        world, watch = self._parts.world, self._watch
        begin = self._schedule.begin(self._clock.now_s())
        if begin.skipped:
            self._skipped += begin.skipped
            self._ledger.tell(
                f"tick {world.tick}: {begin.skipped} ticks before it were skipped, "
                f"more than {TICKS_CATCH_UP_MAX} were late"
            )
        watch.reset()
        state = world.state
        wishes = self._parts.inbox.drain_policies()
        changes = [wish.change for wish in wishes]
        inputs = self._parts.inbox.drain(self._is_connected, self._restarted, changes)
        self._restarted = False
        watch.lap("other")
        result = world.step(inputs, watch.lap)
        await self._append(inputs, result)
        self._durable_tick, self._hash = result.tick, result.hash
        self._durable_seq = world.next_seq - 1
        self._welcome(inputs, result.tick)
        answered = self._fan_out.acknowledge(self._answers(result))
        self._answer_orders(result)
        self._answer_policies(wishes, result)
        frames = CellFrames(state, state.cell_versions, result.tick)
        playing = self._parts.gateway.playing()
        self._fan_out.plan(result.tick, answered, playing, state.cell_versions)
        watch.lap("fan_out")
        cut = await self._spread(frames, result)
        spec, unsaved = self._parts.spec, world.next_seq - self._checkpointed_seq
        every = (spec.checkpoint_ticks, spec.checkpoint_events)
        if checkpoint_is_due(world.tick, unsaved, *every):
            self._checkpoint()
        overrun = self._schedule.end(self._clock.now_s())
        phases = watch.phases_ms
        self._pace.observe(phases["fan_out"], cut)
        row = TickRow(
            tick=result.tick,
            ms=watch.busy_ms,
            **{f"{phase}_ms": phases[phase] for phase in figures.PHASES},
            late_ms=begin.late_s * 1000.0,
            overrun=overrun,
            intents=len(inputs.intents),
            events=len(result.events.rows),
            denied=int((result.verdicts.verdict == _VERDICTS.index("deny")).sum()),
        )
        self._ledger.add(row, watch)

    def _is_connected(self, entity: int) -> bool:
        state = self._parts.world.state
        row = state.row_of(entity)
        return row is not None and bool(state.connected[row])

    async def _append(self, inputs: TickInputs, result: TickResult) -> None:
        """Make the tick durable; while it cannot be stored nothing else happens, nor is told."""
        record = TickRecord.of(result, inputs)
        waited = False
        while True:
            try:
                self._parts.store.append(record)
            except StoreUnavailable as problem:
                self._store_error = str(problem)
                self._watch.lap("append")
            else:
                break
            waited = True
            await self._clock.sleep_until(self._clock.now_s() + self._schedule.interval_s)
            self._watch.resume()
        self._store_error = ""
        self._watch.lap("append")
        if waited:
            self._ledger.tell(f"tick {result.tick}: waited until it could be stored")

    async def _spread(self, frames: CellFrames, result: TickResult) -> bool:
        """Send the slices when they are due; return whether the next tick came first."""
        schedule, watch, fan_out = self._schedule, self._watch, self._fan_out
        cells = self._parts.world.state.cell
        for index in range(fan_out.slices):
            if index:
                await self._clock.sleep_until(schedule.slice_due_s(index))
                watch.resume()
                if self._clock.now_s() > schedule.next_due_s:
                    fan_out.cut(index)
                    return True
            fan_out.send_slice(index, frames, cells)
            watch.lap("fan_out")
            if index == 0:
                self._publish(result)
        if not fan_out.slices:
            self._publish(result)
        return False

    def _publish(self, result: TickResult) -> None:
        """Let readers see the tick; it is durable."""
        parts, events = self._parts, result.events
        if parts.shared is not None:
            parts.shared.publish(parts.world.state, result.tick)
        batch = EventBatch(
            tick=result.tick,
            first_seq=events.first_seq,
            count=len(events.rows),
            columns=events.pack(),
            texts=events.texts,
        )
        if parts.publisher is None:
            self._channel.post(batch)
        else:
            parts.publisher.publish(batch)
        self._watch.lap("other")

    def _welcome(self, inputs: TickInputs, tick: int) -> None:
        state = self._parts.world.state
        for entity, _ in inputs.joins:
            session = self._parts.gateway.players.get(entity)
            row = state.row_of(entity)
            if session is None or row is None or session.phase is not Phase.JOINING:
                continue
            welcome = Welcome(
                player=entity,
                tick=tick,
                interval_ms=self._parts.spec.shape.interval_ms,
                resume_token=self._parts.roster.token(session.name),
                seq=int(state.last_seq[row]),
                x=int(state.x[row]),
                y=int(state.y[row]),
            )
            self._parts.gateway.welcome(session, row, welcome)

    def _answers(self, result: TickResult) -> Iterator[tuple[Session, Ack]]:
        verdicts, players = result.verdicts, self._parts.gateway.players
        columns = (verdicts.player, verdicts.seq, verdicts.verdict, verdicts.event)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        again = [correlation_of(player, seq) for player, seq, _, event in rows if not event]
        before = self._answered.recall(again)
        for index, (player, seq, verdict, event) in enumerate(rows):
            session = players.get(player)
            if session is None or not session.plays or seq > ORDER_SEQ_BASE:
                continue
            reason = verdicts.reasons.get(index)
            answer = Answer(_VERDICTS[verdict], reason, event)
            if not event:
                answer = before.get(correlation_of(player, seq), UNKNOWN)
            yield session, Ack(seq, result.tick, answer.verdict, answer.reason, answer.event)
        self._answered.remember(result.events)

    def _answer_orders(self, result: TickResult) -> None:
        """Tell the hub what became of operators' orders; their players are told nothing."""
        verdicts = result.verdicts
        for index in np.flatnonzero(verdicts.seq > ORDER_SEQ_BASE).tolist():
            player, seq = int(verdicts.player[index]), int(verdicts.seq[index])
            verdict, event = _VERDICTS[int(verdicts.verdict[index])], int(verdicts.event[index])
            answer = Answer(verdict, verdicts.reasons.get(index), event)
            if not event:
                key = correlation_of(player, seq)
                answer = self._answered.recall([key]).get(key, UNKNOWN)
            done = WorldOrderDone(
                id=seq - ORDER_SEQ_BASE,
                tick=result.tick,
                verdict=answer.verdict,
                reason=answer.reason or "",
                event=answer.event or 0,
            )
            self._channel.post(done)

    def _answer_policies(self, wishes: list[WorldPolicy], result: TickResult) -> None:
        """Tell the hub what became of changes of policies, and how they stand if that changed."""
        for wish, done in zip(wishes, result.changes, strict=True):
            if wish.id:
                self._channel.post(WorldPolicyDone(wish.id, result.tick, done.ok, done.text))
        version = self._parts.world.governor.standing.version
        if version != self._policies_told:
            self._tell_policies()

    def _tell_policies(self) -> None:
        governor = self._parts.world.governor
        if self._channel.post(WorldPolicies(governor.views())):
            self._policies_told = governor.standing.version

    def _checkpoint(self) -> None:
        world = self._parts.world
        self._checkpointed_seq = world.next_seq
        try:
            self._parts.store.checkpoint(world.tick, world.checkpoint())
        except StoreUnavailable as problem:
            # The log has everything; only a restart takes longer.
            self._ledger.tell(f"tick {world.tick}: no checkpoint: {problem}")
        self._watch.lap("append")

    # --- beside the ticks ---

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(1.0 / REPORTS_PER_S_MAX)
            self._parts.gateway.sweep()
            self.report()

    def report(self) -> None:
        """Post what happened since the last report that was taken."""
        parts, ledger, fan_out = self._parts, self._ledger, self._fan_out
        message = WorldReport(
            ticks=tuple(ledger.ticks),
            tick=self._durable_tick,
            skipped=self._skipped,
            events_stored=self._durable_seq,
            connected=len(parts.gateway.playing()),
            cpu_s=figures.cpu_s(),
            rss_mb=figures.rss_mb(),
            log_bytes=parts.store.size_bytes,
            state_hash=self._hash.hex(),
            frames_sent=fan_out.frames_sent,
            frames_skipped=fan_out.frames_skipped,
            bytes_sent=fan_out.bytes_sent,
            bad_frames=dict(parts.gateway.bad_frames),
            stalls=tuple(ledger.stalls),
            store_error=self._store_error,
            update_stride=self._pace.stride,
            policies=parts.world.governor.counts(),
        )
        if self._channel.post(message):
            ledger.ticks.clear()
            ledger.stalls.clear()
        ledger.watch_steal()
