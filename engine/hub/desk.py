"""``Desk``: the hub's side of the admin doors. An ``AdminService``."""

import asyncio
from collections import deque
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np

from engine.admin.service import ArmedFault, FaultNews, Health, Status
from engine.hub.capsule import Capsule
from engine.hub.hub import Hub
from engine.hub.logbook import Logbook
from engine.protocol.child import WorldOrderDone
from engine.protocol.command import Command, Reply
from engine.protocol.events import entity_name
from engine.protocol.feed import Ended, FaultView, Notice, Snapshot
from engine.protocol.gateway import Intent, Role
from engine.protocol.limits import (
    FAULTS_KEPT_MAX,
    LOG_EVENTS_READ_MAX,
    LOG_TICKS_READ_MAX,
    PAGE_ROWS_MAX,
)
from engine.protocol.phases import PhasesTold
from engine.protocol.query import Answer, Query, Refused, StoryQuery, TickFigures
from engine.protocol.story import Beat, Judged, NewBeat
from engine.store.reading import read_events
from engine.world.events import TickEvents

_NOBODY = 0
"""The console number of whoever commands through the doors: it holds no lease."""


class Desk:
    """Answers the doors from the hub's memory and the capsule.

    Args:
        hub: The run.
        run: Its name.
        capsule: Its folder.
        logbook: The engine's log.

    Attributes:
        snapshot: The newest one.
        ended: The run's last word.
    """

    def __init__(self, hub: Hub, run: str, capsule: Capsule, logbook: Logbook) -> None:
        self.run = run
        self.snapshot = Snapshot(run)
        self.ended: Ended | None = None
        self._hub = hub
        self._token = capsule.token
        self._database = Path(capsule.database)
        self._logbook = logbook
        self._news: deque[FaultNews] = deque(maxlen=FAULTS_KEPT_MAX)
        self._phases = PhasesTold()
        self._armed_tick: dict[str, int] = {}

    def take(self, item: Snapshot | Notice | Ended) -> None:
        """Take in what the consoles are told."""
        if isinstance(item, Snapshot):
            self._tell_faults(item.faults)
            self.snapshot = item
        elif isinstance(item, Ended):
            self.ended = item
        self._hub.bell.ring()

    # --- how it is ---------------------------------------------------------

    @property
    def token(self) -> str:
        """See ``AdminService``."""
        return self._token

    @property
    def last_seq(self) -> int:
        """See ``AdminService``."""
        return self._hub.fold.log.last_seq

    @property
    def faults_told(self) -> int:
        """See ``AdminService``."""
        return self._news[-1].number if self._news else 0

    @property
    def faults_armed(self) -> tuple[ArmedFault, ...]:
        """See ``AdminService``."""
        armed = (fault for fault in self.snapshot.faults if fault.cleared_at_s is None)
        return tuple(ArmedFault(self._armed_tick[fault.id], fault) for fault in armed)

    def health(self) -> Health:
        """See ``AdminService``."""
        hub = self._hub
        pid = hub.world.keeper.pid if hub.world is not None and hub.world.is_up else 0
        ring = hub.fold.log.ring
        tick = max(hub.fold.ticks.tick, ring[-1].tick if ring else 0)
        return Health(self._status(pid), self.run, tick, hub.fold.tally.now("connected"), pid)

    def _status(self, pid: int) -> Status:
        match self._hub.phase:
            case "starting":
                return "starting"
            case "draining":
                return "draining"
            case "ended" | "failed":
                return "ended"
            case _:
                if self._hub.world is not None and not pid:
                    return "world down"
                return "world stalled" if self._hub.fold.pulse.stalled_s else "running"

    # --- questions and commands --------------------------------------------

    async def answer(self, query: Query) -> Answer:
        """See ``AdminService``."""
        return await self._hub.answer(query)

    async def command(self, command: Command) -> Reply:
        """See ``AdminService``."""
        return await self._hub.command(command, _NOBODY)

    async def order(
        self, entity: int, intent: Intent, role: Role = "operator"
    ) -> WorldOrderDone | Refused:
        """See ``AdminService``."""
        world = self._hub.world
        field = None if world is None else world.field(("id",))
        if field is None:
            return Refused("gone", "there is no world to command")
        if not np.any(field[1]["id"] == entity):
            return Refused("not_found", f"no entity {entity_name(entity)} is in the world")
        done = await self._hub.orders.place(entity, intent, role)
        self._logbook.write(
            "order",
            at_s=round(self._hub.at_s, 3),
            entity=entity,
            kind=intent.kind,
            role=role,
            answer=done.reason if isinstance(done, WorldOrderDone) else done.message,
            verdict=done.verdict if isinstance(done, WorldOrderDone) else done.code,
        )
        return done

    def tell_beats(self, beats: tuple[NewBeat, ...]) -> Judged | Refused:
        """See ``AdminService``."""
        return self._hub.story.take(beats, self._hub.at_s)

    def note(self, event: str, text: str) -> None:
        """See ``AdminService``."""
        self._logbook.write(event, text=text)

    # --- what follows what -------------------------------------------------

    def next_change(self) -> asyncio.Event:
        """See ``AdminService``."""
        return self._hub.bell.next_ring()

    async def ticks_after(self, seq: int) -> list[TickEvents]:
        """See ``AdminService``."""
        held = self._hub.fold.log.after(seq, LOG_TICKS_READ_MAX)
        if self.last_seq <= seq or (held and held[0].first_seq <= seq + 1):
            return held
        # Older than the hub's memory, or missed by it; the world has them in its log.
        look = partial(
            read_events,
            self._database,
            seq,
            ticks_max=LOG_TICKS_READ_MAX,
            events_max=LOG_EVENTS_READ_MAX,
        )
        try:
            stored = await self._hub.readers.look(look)
        except (OSError, ValueError) as problem:
            self._logbook.write("event log", text=f"cannot be read: {problem}")
            return held
        # The log may be ahead of what the hub was told; no one is told of it before the hub.
        stored = [tick for tick in stored if tick.first_seq <= self.last_seq]
        if stored and (not held or stored[0].first_seq < held[0].first_seq):
            return stored
        return held

    def figures_after(self, tick: int) -> list[TickFigures]:
        """See ``AdminService``."""
        newest = self._hub.fold.ticks.newest
        newer = list(takewhile(lambda row: row.tick > tick, reversed(newest)))
        return newer[::-1]

    def beats_after(self, number: int) -> list[Beat]:
        """See ``AdminService``."""
        return list(self._hub.story.answer(StoryQuery(number, PAGE_ROWS_MAX)).rows)

    def faults_after(self, number: int) -> list[FaultNews]:
        """See ``AdminService``."""
        return [news for news in self._news if news.number > number]

    def _tell_faults(self, faults: tuple[FaultView, ...]) -> None:
        tick = self.health().tick
        for fault, phase, _ in self._phases.news(faults):
            self._news.append(FaultNews(self.faults_told + 1, phase, tick, fault))
        self._armed_tick = {
            fault.id: self._armed_tick.get(fault.id, tick)
            for fault in faults
            if fault.cleared_at_s is None
        }
