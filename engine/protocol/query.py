"""Questions to the engine and their answers: paged, bounded, with a deadline."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.protocol.events import Event
from engine.protocol.limits import FILTER_CHARS_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX

PageLimit = Annotated[int, Meta(ge=1, le=PAGE_ROWS_MAX)]
FilterText = Annotated[str, Meta(max_length=FILTER_CHARS_MAX)]


class EntitiesQuery(Struct, frozen=True, tag="entities"):
    """Entities that match ``where`` (see ``filters``), sorted, a page at a time.

    Attributes:
        where: Filter text, empty for all.
        sort: Column, ``-`` before it for descending.
        limit: Rows wanted.
        after: Rows to skip (position in the sorted list).
    """

    where: FilterText = ""
    sort: Annotated[str, Meta(max_length=32)] = "id"
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class EntityQuery(Struct, frozen=True, tag="entity"):
    """One entity with its recent events."""

    id: int
    events: PageLimit = 20


class EventsQuery(Struct, frozen=True, tag="events"):
    """Recent events that match ``where``, newest last."""

    where: FilterText = ""
    limit: PageLimit = PAGE_ROWS_DEFAULT
    after_seq: Annotated[int, Meta(ge=0)] = 0


class FaultsQuery(Struct, frozen=True, tag="faults"):
    """The faults there are, for the menu."""


class SummaryQuery(Struct, frozen=True, tag="summary"):
    """The summary as it stands now (``summary.json`` as JSON text)."""


Query = EntitiesQuery | EntityQuery | EventsQuery | FaultsQuery | SummaryQuery


class EntityRow(Struct, frozen=True, array_like=True):
    """One entity, for lists. Positions in tiles."""

    id: int
    kind: str
    alive: bool
    connected: bool
    zone: int
    x: float
    y: float
    hp: int
    hp_max: int
    gold: int
    goods: int
    level: int
    faction: int
    stage: str
    lives: int


class EntitiesAnswer(Struct, frozen=True, tag="entities"):
    """A page of entities; ``total`` counts every match, ``tick`` says when it was true."""

    tick: int
    total: int
    rows: tuple[EntityRow, ...]


class EntityAnswer(Struct, frozen=True, tag="entity"):
    """One entity and its recent events, oldest first."""

    tick: int
    row: EntityRow
    events: tuple[Event, ...]


class EventsAnswer(Struct, frozen=True, tag="events"):
    """Events, oldest first; ``last_seq`` is the newest event there is."""

    last_seq: int
    rows: tuple[Event, ...]


class ParamSpec(Struct, frozen=True):
    """One parameter of a fault.

    ``default`` shows its type; ``allowed`` lists the choices where there are some.
    """

    name: str
    default: str | int | float | bool
    help: str
    allowed: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None


class FaultSpec(Struct, frozen=True):
    """One fault of the menu: the key that picks it, what it does, what it takes."""

    name: str
    key: str
    side: str
    help: str
    params: tuple[ParamSpec, ...] = ()
    available: bool = True
    why_not: str = ""


class FaultsAnswer(Struct, frozen=True, tag="faults"):
    """The fault menu."""

    faults: tuple[FaultSpec, ...]


class SummaryAnswer(Struct, frozen=True, tag="summary"):
    """The summary, as the JSON that will be written."""

    summary: msgspec.Raw


class Refused(Struct, frozen=True, tag="refused"):
    """A query that was not answered.

    ``code``: bad_request, not_found, busy, deadline, gone.
    """

    code: str
    message: str


Answer = EntitiesAnswer | EntityAnswer | EventsAnswer | FaultsAnswer | SummaryAnswer | Refused
