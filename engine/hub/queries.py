"""Answers to queries, from the world's shared arrays, the hub's memory and the past."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from engine.hub.columns import Column, entity_column, mask, squares_of
from engine.hub.eventlog import EventLog
from engine.hub.governance import Governance
from engine.hub.logsearch import LogSearch
from engine.hub.past import Past
from engine.hub.story import Story
from engine.hub.ticks import Ticks
from engine.protocol.audit import AuditQuery, PoliciesQuery
from engine.protocol.errors import UserError
from engine.protocol.events import entity_name
from engine.protocol.filters import (
    ENTITY_FIELDS,
    ENTITY_KINDS,
    STAGES,
    Filter,
    Term,
    parse_filter,
)
from engine.protocol.limits import (
    GUEST_ID_BASE,
    HEATMAP_SIDE,
    PLAYER_ID_BASE,
    POSITION_UNITS_PER_TILE,
    TICK_INTERVAL_MS,
    ZONES,
)
from engine.protocol.query import (
    Answer,
    ChainQuery,
    EntitiesAnswer,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EntityRow,
    EventsQuery,
    FaultsAnswer,
    FaultSpec,
    FaultsQuery,
    PlayerView,
    PopulationAnswer,
    PopulationQuery,
    Query,
    Refused,
    StoryQuery,
    SummaryAnswer,
    SummaryQuery,
    TicksAnswer,
    TicksQuery,
)
from engine.protocol.summary import Summary
from engine.protocol.text import nearest
from engine.report.summary import encode_summary
from engine.world.state import present

_COLUMNS = tuple(ENTITY_FIELDS)
_PRESENCE = ("x", "y", "zone", "kind", "alive", "connected")

Columns = Mapping[str, Column]
Field = tuple[int, Columns]


class Looks(Struct):
    """Ways to look at what is there now.

    Attributes:
        field: The world's tick and arrays, None while there is no world.
        last_field: The same of a world that is gone, as it was last; None before the first.
        player: Player number to what its squad tells of it.
    """

    field: Callable[[tuple[str, ...]], Field | None]
    last_field: Callable[[tuple[str, ...]], Field | None]
    player: Callable[[int], Awaitable[PlayerView | None]]


class Answers:
    """Answers queries.

    Args:
        looks: Ways to look at what is there now.
        log: The newest events.
        past: Everything that was.
        ticks: The newest ticks.
        story: The newest beats.
        faults: The fault menu.
        summary: The summary as it stands.
        governance: How the policies stand, and what they decided.
    """

    def __init__(
        self,
        looks: Looks,
        log: EventLog,
        past: Past,
        ticks: Ticks,
        story: Story,
        faults: tuple[FaultSpec, ...],
        summary: Callable[[], Summary],
        governance: Governance,
    ) -> None:
        self._looks = looks
        self._past = past
        self._search = LogSearch(log, past)
        self._ticks = ticks
        self._story = story
        self._faults = faults
        self._summary = summary
        self._governance = governance

    async def answer(self, query: Query) -> Answer:
        """Return the answer; ``Refused`` for what cannot be answered."""
        try:
            match query:
                case EntitiesQuery():
                    return await self._entities(query)
                case EntityQuery():
                    return await self._entity(query)
                case EventsQuery():
                    return await self._search.events(query)
                case ChainQuery():
                    return await self._search.chain(query)
                case TicksQuery():
                    rows = tuple(self._ticks.newest)[-query.last :]
                    return TicksAnswer(TICK_INTERVAL_MS, rows)
                case PopulationQuery():
                    return self._population()
                case StoryQuery():
                    return self._story.answer(query)
                case FaultsQuery():
                    return FaultsAnswer(self._faults)
                case PoliciesQuery() | AuditQuery():
                    return await self._governance.answer(query)
                case SummaryQuery():
                    return SummaryAnswer(msgspec.Raw(encode_summary(self._summary())))
        except UserError as problem:
            return Refused("bad_request", problem.message)

    async def _entities(self, query: EntitiesQuery) -> Answer:
        terms = list(parse_filter(query.where, ENTITY_FIELDS).terms)
        for name, value in (("zone", query.zone), ("kind", query.kind)):
            if value is not None:
                terms.append(Term(name, "=", (value,)))
        wanted = Filter(tuple(terms))
        down, name = query.sort.startswith("-"), query.sort.removeprefix("-")
        if name not in ENTITY_FIELDS:
            raise UserError(
                f"sort: no field {name!r}{nearest(name, ENTITY_FIELDS)}; "
                f"fields: {', '.join(ENTITY_FIELDS)}"
            )
        columns: Columns
        if query.at_tick is not None:
            then = await self._past.history.after(query.at_tick, _COLUMNS)
            if isinstance(then, Refused):
                return then
            tick, columns = query.at_tick, then
        else:
            field = self._looks.field(_COLUMNS)
            if field is None:
                return Refused("gone", "there is no world to look at")
            tick, columns = field

        def column(name: str) -> Column:
            return entity_column(columns, name)

        rows = np.flatnonzero(mask(wanted, ENTITY_FIELDS, column, len(columns["id"])))
        keys = columns[name][rows].astype(np.int64)
        order = np.lexsort((columns["id"][rows], -keys if down else keys))
        page = rows[order[query.after : query.after + query.limit]]
        return EntitiesAnswer(tick, len(rows), tuple(_row(columns, row) for row in page.tolist()))

    def _population(self) -> Answer:
        field = self._looks.field(_PRESENCE)
        if field is None:
            return Refused("gone", "there is no world to look at")
        tick, columns = field
        squares = squares_of(columns)
        there = present(columns)
        zones = np.bincount(columns["zone"][there], minlength=ZONES)
        lines = squares.reshape(HEATMAP_SIDE, HEATMAP_SIDE).tolist()
        return PopulationAnswer(
            tick, HEATMAP_SIDE, tuple(tuple(line) for line in lines), tuple(zones.tolist())
        )

    async def _entity(self, query: EntityQuery) -> Answer:
        if query.at_tick is not None:
            return await self._entity_then(query, query.at_tick)
        player = None
        if PLAYER_ID_BASE <= query.id < GUEST_ID_BASE:
            player = await self._looks.player(query.id - PLAYER_ID_BASE)
        field = self._looks.last_field(_COLUMNS)
        if field is None:
            return Refused("gone", "there is no world to look at")
        tick, columns = field
        found = np.flatnonzero(columns["id"] == query.id)
        if not len(found):
            return Refused("not_found", f"no entity {entity_name(query.id)}")
        row = _row(columns, int(found[0]))
        events = await self._search.events(EventsQuery(limit=query.events, about=query.id))
        return EntityAnswer(tick, row, events.rows, player)

    async def _entity_then(self, query: EntityQuery, tick: int) -> Answer:
        """Return an entity as it was after a tick, with its newest events up to then."""
        columns = await self._past.history.after(tick, _COLUMNS)
        if isinstance(columns, Refused):
            return columns
        who = entity_name(query.id)
        found = np.flatnonzero(columns["id"] == query.id)
        if not len(found):
            first = await self._search.events(
                EventsQuery(f"stream={query.id}", limit=1, after_seq=0)
            )
            came = f"; it came in tick {first.rows[0].tick}" if first.rows else ""
            return Refused("not_found", f"no entity {who} was in the world after tick {tick}{came}")
        events = await self._search.events(
            EventsQuery(f"tick<={tick}", limit=query.events, about=query.id)
        )
        return EntityAnswer(tick, _row(columns, int(found[0])), events.rows)


def _row(columns: Mapping[str, Any], row: int) -> EntityRow:
    def number(name: str) -> int:
        return int(columns[name][row])

    return EntityRow(
        id=number("id"),
        kind=ENTITY_KINDS[number("kind")],
        alive=bool(columns["alive"][row]),
        connected=bool(columns["connected"][row]),
        zone=number("zone"),
        x=number("x") / POSITION_UNITS_PER_TILE,
        y=number("y") / POSITION_UNITS_PER_TILE,
        hp=number("hp"),
        hp_max=number("hp_max"),
        gold=number("gold"),
        goods=number("goods"),
        level=number("level"),
        faction=number("faction"),
        stage=STAGES[number("stage")],
        lives=number("lives"),
    )
