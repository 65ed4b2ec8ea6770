"""The hub's post at the world: its keeper, its event batches, its shared arrays."""

import asyncio
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from engine.hub.bell import Bell
from engine.hub.fold import Fold
from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.logbook import Logbook
from engine.hub.orders import WorldOrders
from engine.hub.placement import Placement
from engine.hub.plan import HOST, NODES, WorldPlace, gateway_port, world_spec
from engine.hub.remark import Remark
from engine.hub.watch import watch_events
from engine.protocol.child import EventBatch, WorldOrderDone, WorldReady, WorldReport
from engine.protocol.errors import ExitCode
from engine.protocol.feed import NoticeKind
from engine.protocol.limits import (
    EVENT_WATCH_PAUSE_S,
    EVENT_WATCHES_MAX,
    LOG_EVENTS_READ_MAX,
    LOG_TICKS_READ_MAX,
)
from engine.protocol.policy import WorldPolicies, WorldPolicyDone
from engine.protocol.spec import RunSpec
from engine.server.shared import SharedState, SharedStateBusy
from engine.store.reading import read_events
from engine.world.events import TickEvents


class Teller(Protocol):
    """Publishes a notice."""

    def __call__(self, kind: NoticeKind, text: str, *, bad: bool = False) -> None:
        """Tell everyone."""
        ...


class Reports(Struct):
    """Where the post reports to.

    Attributes:
        fold: Takes figures.
        at_s: Seconds since the run's start.
        tell: Publishes a notice.
        remark: Publishes what the fold noticed.
        broken: The world cannot be kept.
        bell: Rung when the world has told something.
        orders: Those that wait for the world's answer.
    """

    fold: Fold
    at_s: Callable[[], float]
    tell: Teller
    remark: Callable[[Iterable[Remark]], None]
    broken: Callable[[str, ExitCode], None]
    bell: Bell
    orders: WorldOrders


class WorldPost:
    """Keeps the world and reads what it publishes.

    Attributes:
        keeper: Starts it, and starts it again.
        port: The gateway's; kept when the world comes back.
        is_up: Whether the world ticks: not while it is being started, nor once it is killed.
    """

    def __init__(
        self,
        spec: RunSpec,
        place: WorldPlace,
        placement: Placement,
        logbook: Logbook,
        reports: Reports,
    ) -> None:
        self._spec = spec
        self._place = place
        self._logbook = logbook
        self._reports = reports
        self._shared: SharedState | None = None
        self._watch: asyncio.Task[None] | None = None
        self._held_down: set[str] = set()
        self.is_up = False
        self.port = gateway_port(spec.port_base)
        owner = Owner(
            spec=lambda: world_spec(self._spec, self._place, self.port),
            ready=self._ready,
            message=self._take,
            lost=self._lost,
            broken=lambda why: reports.broken(why, ExitCode.TARGET_LOST),
            heard=lambda line: logbook.write("child", child="world", line=line),
        )
        self.keeper = Keeper("world", "the world", placement, owner)

    @property
    def url(self) -> str:
        """Where players connect."""
        return f"ws://{HOST}:{self.port}/play"

    def field(self, names: tuple[str, ...]) -> tuple[int, dict[str, Any]] | None:
        """Return the tick and copies of the named columns; None while there is no world."""
        return self.last_field(names) if self.is_up else None

    def last_field(self, names: tuple[str, ...]) -> tuple[int, dict[str, Any]] | None:
        """Return the same of a world that is gone: as it was when it was published last."""
        if self._shared is None:
            return None
        try:
            return self._shared.read(names)
        except SharedStateBusy as problem:
            self._logbook.write("shared memory", text=str(problem))
            return None

    def kill(self, fault: str) -> None:
        """Kill the world for a fault; it stays down until every such fault has let go."""
        self._held_down.add(fault)
        self.is_up = False
        if self.keeper.pid:
            self._reports.fold.faults.world_gone(self._reports.at_s())
        self.keeper.hold_down()

    def start(self, fault: str) -> None:
        """A fault lets go of the world."""
        self._held_down.discard(fault)
        if not self._held_down:
            self.keeper.let_up()

    async def aclose(self) -> None:
        """Stop reading."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    async def _ready(self, ready: Ready, again: bool) -> None:
        if not isinstance(ready, WorldReady):
            raise TypeError(f"the world began with {type(ready).__name__}")
        self.port = ready.gateway_port
        reports = self._reports
        if ready.recovered:
            self._logbook.write("recovered", text=ready.recovered)
        for text in ready.passed_over:
            reports.tell("problem", f"the world's log: passed over: {text}", bad=True)
        reports.fold.world_is(ready.pid, self._spec.scenario.npcs, NODES, reports.at_s())
        if self._place.shared_memory:
            # Anew for a world that is back: one that ended in order took its block with it.
            if self._shared is not None:
                self._shared.close()
            self._shared = SharedState.attach(self._place.shared_memory)
        if again:
            await self._catch_up()
        if self._place.events_socket:
            if self._watch is not None:
                self._watch.cancel()
            self._watch = asyncio.create_task(self._watch_events(), name="hub-events")
        self.is_up = True
        if again:
            self._reports.fold.outages.back("world", self._reports.at_s())
            self._reports.tell("child_back", f"the world is back at tick {ready.tick}")

    async def _watch_events(self) -> None:
        """Follow the world's events while it lives; a socket that fails is opened again."""
        for _ in range(EVENT_WATCHES_MAX):
            try:
                why = await watch_events(self._place.events_socket, self._take_watched)
            except Exception as problem:  # noqa: BLE001 - whatever it is, events must be followed on
                self._logbook.write("failure", traceback=traceback.format_exc())
                why = f"{type(problem).__name__}: {problem}"
            self._logbook.write("events", text=why)
            await asyncio.sleep(EVENT_WATCH_PAUSE_S)
            if not self.is_up or not self.keeper.pid:
                return
            self._reports.tell("problem", f"the world's events were cut off: {why}", bad=True)
        text = "the world's events cannot be followed any more; its log has them"
        self._reports.tell("problem", text, bad=True)

    async def _catch_up(self) -> None:
        """Take in what a world that was killed had stored and not yet published."""
        while await self._read_on():
            pass

    async def _take_watched(self, batch: EventBatch) -> None:
        """Take in a batch, and before it what did not come and stands in the log."""
        log = self._reports.fold.log
        while log.last_seq + 1 < batch.first_seq and await self._read_on():
            pass
        self._take(batch)

    async def _read_on(self) -> bool:
        """Take in some of what the log has beyond the newest event; whether there was any."""
        log = self._reports.fold.log
        before = log.last_seq
        for tick in await asyncio.to_thread(self._stored_after, before):
            block = tick.block
            columns, count = block.pack(), len(block.rows)
            self._take(EventBatch(tick.tick, block.first_seq, count, columns, block.texts))
        return log.last_seq > before

    def _stored_after(self, seq: int) -> list[TickEvents]:
        try:
            return read_events(
                Path(self._place.database),
                seq,
                ticks_max=LOG_TICKS_READ_MAX,
                events_max=LOG_EVENTS_READ_MAX,
            )
        except (OSError, ValueError) as problem:
            # The gap is counted and told when the next batch comes.
            self._logbook.write("events", text=f"after a restart: {problem}")
            return []

    def _take(self, message: Struct) -> None:
        reports = self._reports
        if isinstance(message, WorldReport):
            for cause in message.stalls:
                self._logbook.write("stall", text=cause)
            reports.remark(reports.fold.take_world(message, reports.at_s()))
        elif isinstance(message, EventBatch):
            reports.remark(reports.fold.take_events(message))
        elif isinstance(message, WorldOrderDone | WorldPolicyDone):
            reports.orders.done(message)
        elif isinstance(message, WorldPolicies):
            for text in reports.fold.policies.take(message):
                self._logbook.write("policy", text=text)
                reports.tell("problem", text, bad=True)
        reports.bell.ring()

    def _lost(self, why: str) -> None:
        self.is_up = False
        at_s = self._reports.at_s()
        self._reports.fold.world_gone(at_s)
        self._reports.fold.outages.lost("world", at_s, why)
        self._reports.orders.world_gone()
        self._reports.tell("child_lost", f"the world is gone: {why}", bad=True)
