"""Drains the link on the console's only frame clock, and asks for what the panels need."""

import asyncio
import time
from typing import Final, Protocol

from console.items import Clock, Cost, Found, Item, Menu, Page, Turn
from console.model import Model
from console.select.places import boxes, entities_wanted
from engine.link.base import EngineLink, LinkClosed
from engine.protocol.command import Lease
from engine.protocol.limits import PAGE_ROWS_MAX
from engine.protocol.query import (
    EntitiesAnswer,
    EntitiesQuery,
    EventsAnswer,
    EventsQuery,
    FaultsAnswer,
    FaultsQuery,
    Refused,
)
from engine.protocol.summary import ConsoleSummary

LEASE_EVERY_S: Final = 1.0
PAGES_EVERY_S: Final = 1.0
COST_EVERY_S: Final = 1.0
PACE_HZ: Final = {"eco": 1.0, "demo": 10.0}


class Stage(Protocol):
    """What the pump works for: the app."""

    def fate(self) -> str:
        """Return what is known of an engine that went without a word."""

    @property
    def model(self) -> Model:
        """The model as it is."""
        ...

    @property
    def link(self) -> EngineLink | None:
        """The link, once there is one."""
        ...

    @property
    def bytes_sent(self) -> int:
        """Bytes sent to the terminal so far."""
        ...

    @property
    def frames_skipped(self) -> int:
        """Frames left out so far."""
        ...

    def frame(self, items: list[Item], period_s: float) -> None:
        """Take in what came and paint a frame."""
        ...


class Pump:
    """One frame clock, one lease a second, one page of each list a second.

    Args:
        stage: The app.
        hz: Frames a second at normal rate.
    """

    def __init__(self, stage: Stage, hz: float) -> None:
        self._stage = stage
        self._hz = hz
        self._ended = False
        self._lost = False
        self._look = asyncio.Event()
        self._cost_at_s = time.monotonic()
        self._cpu_s = time.process_time()
        self._bytes = 0
        self._cost = Cost()

    def look_again(self) -> None:
        """Ask for the lists' pages at once: the view has moved."""
        self._look.set()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._frames())
            group.create_task(self._leases())
            group.create_task(self._pages())

    async def _frames(self) -> None:
        due_s = time.monotonic()
        while True:
            period_s = 1.0 / PACE_HZ.get(self._stage.model.view.pace, self._hz)
            self._stage.frame(self._drained(), period_s)
            now_s = time.monotonic()
            due_s = max(due_s + period_s, now_s + period_s / 4)
            await asyncio.sleep(due_s - now_s)

    def _drained(self) -> list[Item]:
        now_s = time.monotonic()
        items: list[Item] = [Clock(now_s)]
        link = self._stage.link
        if link is not None and not self._lost:
            snapshot = link.take_snapshot()
            if snapshot is not None:
                items.append(snapshot)
            items.extend(link.take_notices())
            if link.ended is not None and not self._ended:
                self._ended = True
                items.append(link.ended)
            if link.closed and not self._ended:
                self._lost = True
                items.append(Turn("lost", self._stage.fate()))
        if now_s - self._cost_at_s >= COST_EVERY_S:
            items.append(self._measured(now_s))
        return items

    def _measured(self, now_s: float) -> Cost:
        cpu_s, sent = time.process_time(), self._stage.bytes_sent
        passed_s = now_s - self._cost_at_s
        self._cost = Cost(
            100 * (cpu_s - self._cpu_s) / passed_s,
            (sent - self._bytes) / passed_s / 1000,
            self._stage.frames_skipped,
        )
        self._cost_at_s, self._cpu_s, self._bytes = now_s, cpu_s, sent
        return self._cost

    def _told_cost(self) -> ConsoleSummary:
        cost = self._cost
        return ConsoleSummary(cost.cpu_pct, cost.kb_per_s * 1000, cost.frames_skipped)

    async def _leases(self) -> None:
        while not self._lost:
            link = self._stage.link
            if link is not None and not link.closed:
                try:
                    await link.call(Lease(self._told_cost()))
                    if not self._stage.model.menu:
                        await self._ask_menu(link)
                except LinkClosed:
                    pass  # the next frame finds the link closed and says so
            await asyncio.sleep(LEASE_EVERY_S if link is not None else 0.05)

    async def _ask_menu(self, link: EngineLink) -> None:
        answer = await link.ask(FaultsQuery())
        if isinstance(answer, FaultsAnswer):
            self._stage.frame([Menu(answer.faults)], 0)

    async def _pages(self) -> None:
        moved = True
        while not self._lost:
            link = self._stage.link
            model = self._stage.model
            self._look.clear()
            # A frozen view asks only for what the operator has moved to.
            if link is not None and not link.closed and (moved or model.held is None):
                shown = {box.panel for box in boxes(model)}
                if "entities" in shown:
                    await self._ask_entities(link, model)
                if "events" in shown and model.view.events.filter:
                    await self._ask_events(link, model)
            every_s = PAGES_EVERY_S if link is not None else 0.05
            try:
                await asyncio.wait_for(self._look.wait(), every_s)
                moved = True
            except TimeoutError:
                moved = False

    async def _ask_entities(self, link: EngineLink, model: Model) -> None:
        view = model.view.entities
        after, limit = entities_wanted(model)
        try:
            answer = await link.ask(EntitiesQuery(view.filter, view.sort, limit, after))
        except LinkClosed:
            return  # the next frame finds the link closed and says so
        if isinstance(answer, EntitiesAnswer):
            self._stage.frame([Page(after, answer)], 0)
        elif isinstance(answer, Refused):
            self._stage.frame([Page(after, None, answer.message)], 0)

    async def _ask_events(self, link: EngineLink, model: Model) -> None:
        where = model.view.events.filter
        if model.held is not None and model.held.found.where == where:
            return  # the rows were frozen with the rest
        try:
            answer = await link.ask(EventsQuery(where, PAGE_ROWS_MAX))
        except LinkClosed:
            return  # the next frame finds the link closed and says so
        if isinstance(answer, EventsAnswer):
            found = Found(
                where, answer.rows, answer.last_seq, answer.searched, answer.complete, answer.lost
            )
            self._stage.frame([found], 0)
        elif isinstance(answer, Refused):
            self._stage.frame([Found(where, problem=answer.message)], 0)
