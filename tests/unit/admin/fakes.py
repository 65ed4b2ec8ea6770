"""An engine that is not there: the doors' other side."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np

from engine.admin.service import ArmedFault, FaultNews, Health, Status
from engine.protocol.child import WorldOrderDone
from engine.protocol.command import Command, Reply
from engine.protocol.events import EVENT_CODE
from engine.protocol.feed import Ended, Snapshot
from engine.protocol.gateway import Intent, Role
from engine.protocol.query import (
    Answer,
    EntitiesAnswer,
    EntityRow,
    EventsAnswer,
    Query,
    Refused,
    StoryAnswer,
    TickFigures,
    TicksAnswer,
)
from engine.protocol.story import Beat, Judged, NewBeat
from engine.world.events import EVENT_DTYPE, EventBlock, TickEvents

TOKEN = "the-token"
OWN = {"authorization": f"Bearer {TOKEN}"}


def tick_of(
    tick: int, first_seq: int, kinds: list[str], texts: Mapping[int, str] | None = None
) -> TickEvents:
    """Return a tick whose events have these kinds; row i is done by entity i."""
    rows = np.zeros(len(kinds), EVENT_DTYPE)
    rows["kind"] = [EVENT_CODE[kind] for kind in kinds]
    rows["stream"] = rows["actor"] = np.arange(len(kinds))
    rows["target"] = 100 + np.arange(len(kinds))
    rows["correlation"] = 7
    return TickEvents(tick, EventBlock(first_seq, rows, dict(texts or {})))


class FakeService:
    """An ``AdminService`` of what a test puts into it.

    Attributes:
        ticks: What ``ticks_after`` gives, a page of two at a time.
        commands: Those it was given.
        replies: What it replies, in order; then "done".
        order_answer: What ``order`` gives.
    """

    run = "market <day>"
    token = TOKEN

    def __init__(self) -> None:
        self.snapshot = Snapshot(self.run)
        self.ended: Ended | None = None
        self.ticks: list[TickEvents] = []
        self.figures: list[TickFigures] = []
        self.beats: list[Beat] = []
        self.news: list[FaultNews] = []
        self.faults_armed: tuple[ArmedFault, ...] = ()
        self.judged: Judged | Refused | None = None
        self.status: Status = "running"
        self.pid = 4711
        self.commands: list[Command] = []
        self.replies: list[Reply] = []
        self.orders: list[tuple[int, Intent]] = []
        self.roles: list[Role] = []
        self.order_answer: WorldOrderDone | Refused = WorldOrderDone(3, 12, "deny", "rate: x", 99)
        self.answers: dict[str, Answer] = {}
        self.queries: list[Query] = []
        self.notes: list[tuple[str, str]] = []
        self.fails = False
        self._change = asyncio.Event()

    @property
    def last_seq(self) -> int:
        return self.ticks[-1].last_seq if self.ticks else 0

    @property
    def faults_told(self) -> int:
        return self.news[-1].number if self.news else 0

    def health(self) -> Health:
        if self.fails:
            raise RuntimeError("secret of the inside")
        tick = self.ticks[-1].tick if self.ticks else 0
        return Health(self.status, self.run, tick, 7, self.pid)

    async def answer(self, query: Query) -> Answer:
        self.queries.append(query)
        name = type(query).__name__
        plain: dict[str, Answer] = {
            "EntitiesQuery": EntitiesAnswer(5, 3, (row(1_000_012), row(100_007))),
            "TicksQuery": TicksAnswer(100, tuple(self.figures)),
            "EventsQuery": EventsAnswer(self.last_seq, ()),
            "StoryQuery": StoryAnswer(len(self.beats), tuple(self.beats)),
        }
        return (plain | self.answers).get(name, Refused("not_found", f"no {name} here"))

    async def command(self, command: Command) -> Reply:
        self.commands.append(command)
        return self.replies.pop(0) if self.replies else Reply(ok=True, text="done")

    async def order(
        self, entity: int, intent: Intent, role: Role = "operator"
    ) -> WorldOrderDone | Refused:
        self.orders.append((entity, intent))
        self.roles.append(role)
        return self.order_answer

    def tell_beats(self, beats: tuple[NewBeat, ...]) -> Judged | Refused:
        return self.judged or Judged(f"beats taken: {len(beats)}", len(beats), 0, ())

    async def ticks_after(self, seq: int) -> list[TickEvents]:
        return [tick for tick in self.ticks if tick.last_seq > seq][:2]

    def figures_after(self, tick: int) -> list[TickFigures]:
        return [row for row in self.figures if row.tick > tick]

    def beats_after(self, number: int) -> list[Beat]:
        return [beat for beat in self.beats if beat.number > number]

    def faults_after(self, number: int) -> list[FaultNews]:
        return [news for news in self.news if news.number > number]

    def next_change(self) -> asyncio.Event:
        return self._change

    def change(self) -> None:
        """Ring."""
        rung, self._change = self._change, asyncio.Event()
        rung.set()

    def note(self, event: str, text: str) -> None:
        self.notes.append((event, text))


def row(entity: int) -> EntityRow:
    """Return an entity's row."""
    return EntityRow(entity, "player", True, True, 3, 1.5, 2.0, 90, 100, 10, 0, 1, 2, "genesis", 1)


def figures_of(tick: int) -> TickFigures:
    """Return a tick's figures."""
    return TickFigures(tick, 1.0, 0.1, 0.2, 0.1, 0.1, 0.2, 0.3, 0.0, False, 3, 4, 0)


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the error after checking its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) <= {"code", "message", "field"}
    assert body["error"]["code"] == code
    assert "Traceback" not in answer.text
    found: dict[str, Any] = body["error"]
    return found
