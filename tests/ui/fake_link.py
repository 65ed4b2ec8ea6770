"""A link to a made-up engine."""

import asyncio
from collections.abc import Callable

from engine.link.base import LinkClosed
from engine.protocol.audit import PoliciesAnswer, PoliciesQuery, PolicyRow
from engine.protocol.command import (
    ArmFault,
    ClearFault,
    Command,
    Lease,
    Panic,
    Reply,
    ScalePlayers,
    ScaleRate,
    SetPlayers,
    Stop,
)
from engine.protocol.feed import Ended, Gap, Notice, Snapshot
from engine.protocol.filters import ENTITY_FIELDS, EVENT_FIELDS, parse_filter
from engine.protocol.limits import PLAYER_ID_BASE
from engine.protocol.policy import PolicyCount, PolicyScope, PolicyView
from engine.protocol.query import (
    Answer,
    ChainQuery,
    EntitiesAnswer,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EventsAnswer,
    EventsQuery,
    FaultsAnswer,
    FaultsQuery,
    Query,
    Refused,
)
from tests.ui.fake_chain import chain
from tests.ui.fake_engine import MENU, FakeEngine

STANDS = PolicyRow(
    PolicyView(
        name="speed",
        help="walking faster than 5 tiles a second, and leaps",
        priority=40,
        enabled=True,
        scope=PolicyScope(zones=(9, 14)),
        params={"step_tiles_max": 8},
    ),
    PolicyCount(12_345, 56, 7),
)


class FakeLink:
    """An ``EngineLink`` to a made-up engine; snapshots come when ``push`` is called.

    Attributes:
        calls: Every command but leases.
        queries: Every query.
        leases: How many leases came.
    """

    def __init__(self, engine: FakeEngine | None = None) -> None:
        self.engine = engine or FakeEngine()
        self.calls: list[Command] = []
        self.queries: list[Query] = []
        self.leases = 0
        self.closed = False
        self.ended: Ended | None = None
        self.on_stop: Callable[[], None] | None = None
        self._snapshot: Snapshot | None = None
        self._notices: list[Notice | Gap] = []
        self._something = asyncio.Event()

    def push(self, item: Snapshot | Notice | Gap | Ended) -> None:
        """Put an item into the feed."""
        if isinstance(item, Snapshot):
            self._snapshot = item
        elif isinstance(item, Ended):
            self.ended = item
        else:
            self._notices.append(item)
        self._something.set()

    def cut(self) -> None:
        """Close from the engine's side."""
        self.closed = True
        self._something.set()

    async def call(self, command: Command) -> Reply:
        """See ``EngineLink.call``."""
        if self.closed:
            raise LinkClosed("the engine is gone")
        if isinstance(command, Lease):
            self.leases += 1
            return Reply(ok=True)
        self.calls.append(command)
        return self._reply(command)

    async def ask(self, query: Query, deadline_s: float = 2.0) -> Answer:
        """See ``EngineLink.ask``."""
        if self.closed:
            raise LinkClosed("the engine is gone")
        self.queries.append(query)
        if isinstance(query, FaultsQuery):
            return FaultsAnswer(MENU)
        if isinstance(query, PoliciesQuery):
            return PoliciesAnswer((STANDS,))
        tick = int(self.engine.at_s * 10)
        rows = self.engine.entities()
        if isinstance(query, EntityQuery):
            found = [row for row in rows if row.id == query.id]
            if not found:
                return Refused("not_found", f"no entity {query.id}")
            events = self.engine.history(min(30, query.events))
            number = query.id - PLAYER_ID_BASE
            player = self.engine.player(number) if number >= 0 else None
            return EntityAnswer(tick, found[0], events, player)
        if isinstance(query, ChainQuery):
            return chain(query.seq, self.engine.log[-1].seq if self.engine.log else 0)
        if isinstance(query, EventsQuery):
            wanted = parse_filter(query.where, EVENT_FIELDS)
            found = tuple(event for event in self.engine.log if wanted.matches(event))
            if query.about is not None:
                found = tuple(event for event in found if event.stream == query.about)
            return EventsAnswer(
                self.engine.log[-1].seq if self.engine.log else 0, found[-query.limit :]
            )
        assert isinstance(query, EntitiesQuery)
        terms = parse_filter(query.where, ENTITY_FIELDS)
        rows = [row for row in rows if terms.matches(row)]
        column = query.sort.removeprefix("-")
        rows.sort(key=lambda row: (getattr(row, column), row.id), reverse=query.sort[0] == "-")
        page = tuple(rows[query.after : query.after + query.limit])
        return EntitiesAnswer(tick, len(rows), page)

    def take_snapshot(self) -> Snapshot | None:
        """See ``EngineLink.take_snapshot``."""
        taken, self._snapshot = self._snapshot, None
        return taken

    def take_notices(self) -> list[Notice | Gap]:
        """See ``EngineLink.take_notices``."""
        taken, self._notices = self._notices, []
        return taken

    async def wait(self) -> None:
        """See ``EngineLink.wait``."""
        await self._something.wait()

    async def aclose(self) -> None:
        """See ``EngineLink.aclose``."""
        self.closed = True

    def _reply(self, command: Command) -> Reply:
        engine = self.engine
        match command:
            case ArmFault():
                engine.arm(command)
                return Reply(ok=True, text=f"{command.name} armed for {command.hold_s:g}s")
            case ClearFault():
                return Reply(ok=True, text=f"{engine.clear(every=False)} fault reverted")
            case Panic():
                return Reply(ok=True, text=f"panic: {engine.clear(every=True)} faults reverted")
            case ScalePlayers(pct=pct):
                engine.target = min(2000, round(engine.target * (1 + pct / 100)))
                return Reply(ok=True, text=f"{engine.target:,} players")
            case SetPlayers(players=players):
                engine.target = players
                return Reply(ok=True, text=f"{players:,} players")
            case ScaleRate(pct=pct):
                engine.rate *= 1 + pct / 100
                return Reply(ok=True, text=f"{engine.rate:.2f} commands/s each")
            case Stop():
                if self.on_stop is not None:
                    self.on_stop()
                return Reply(ok=True, text="stopping")
            case _:
                return Reply(ok=True, text="done")
