"""What anyone may read."""

import asyncio
from typing import Annotated, Any, Final, cast, get_args

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from engine.admin.call import Call, Who, entity_of
from engine.admin.docs import GONE, NEVER, NO_SUCH, OPEN
from engine.admin.errors import Problem, of_refusal
from engine.admin.metrics import metrics_text
from engine.admin.page import page_html
from engine.admin.service import AdminService, Health
from engine.admin.sift import kind_codes
from engine.admin.views import (
    AuditPage,
    ChainView,
    EntitiesPage,
    EntityDetail,
    EntityView,
    EventsPage,
    FaultsPage,
    PoliciesPage,
    PolicyShown,
)
from engine.protocol.audit import (
    AuditAnswer,
    AuditQuery,
    AuditVerdict,
    PoliciesAnswer,
    PoliciesQuery,
)
from engine.protocol.errors import UserError
from engine.protocol.filters import ENTITY_FIELDS, ENTITY_KINDS
from engine.protocol.limits import (
    FILTER_CHARS_MAX,
    NAME_IN_PATH_CHARS_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
    ZONES,
)
from engine.protocol.query import (
    Answer,
    ChainAnswer,
    ChainQuery,
    EntitiesAnswer,
    EntitiesQuery,
    EntityAnswer,
    EntityQuery,
    EventsAnswer,
    EventsQuery,
    FaultsAnswer,
    FaultsQuery,
    PopulationAnswer,
    PopulationQuery,
    Refused,
    StoryAnswer,
    StoryQuery,
    TicksAnswer,
    TicksQuery,
)
from engine.protocol.text import nearest, printable

_PROMETHEUS: Final = "text/plain; version=0.0.4"
_SEQ_MAX: Final = 2**63 - 1
_SHOWN_CHARS_MAX: Final = 40

Limit = Annotated[
    int, QueryParameter(ge=1, le=PAGE_ROWS_MAX, description="Rows, at most.", required=False)
]
AfterSeq = Annotated[
    int | None,
    QueryParameter(
        ge=0,
        le=_SEQ_MAX,
        description="Events after this one, oldest first; 0 from the very first. "
        "Without it the newest.",
    ),
]
BeforeSeq = Annotated[
    int | None, QueryParameter(ge=0, le=_SEQ_MAX, description="Events before this one.")
]
AtTick = Annotated[
    int | None,
    QueryParameter(
        ge=0, le=_SEQ_MAX, description="As it was after this tick; without it, as it is now."
    ),
]
Kinds = Annotated[
    str,
    QueryParameter(
        max_length=FILTER_CHARS_MAX, description="Kinds of events, with commas between them."
    ),
]


@get("/", summary="A small status page", media_type="text/html", responses=OPEN)
async def front(request: Call) -> Response[str]:
    """Shows how the run is, for people."""
    service = request.service
    return Response(page_html(service.health(), service.snapshot), media_type="text/html")


@get("/health", summary="How the run is", responses=OPEN)
async def health(request: Call) -> Health:
    """Answers whatever happens to the world: tick and pid are the world's, pid 0 means none."""
    return request.service.health()


@get("/entities", summary="Entities, a page at a time", responses=OPEN | GONE | NEVER)
async def entities(
    request: Call,
    zone: Annotated[int | None, QueryParameter(ge=0, lt=ZONES, description="Its zone.")] = None,
    kind: Annotated[
        str, QueryParameter(max_length=16, description=f"One of {', '.join(ENTITY_KINDS)}.")
    ] = "",
    where: Annotated[
        str,
        QueryParameter(
            max_length=FILTER_CHARS_MAX,
            description="A filter such as 'hp<20 gold>100'; terms are FIELD OPERATOR VALUE, "
            f"all of them must hold. Fields: {', '.join(ENTITY_FIELDS)}.",
        ),
    ] = "",
    sort: Annotated[
        str, QueryParameter(max_length=32, description="A field, '-' before it for descending.")
    ] = "id",
    limit: Limit = PAGE_ROWS_DEFAULT,
    after: Annotated[
        int, QueryParameter(ge=0, le=1_000_000, description="Rows to skip; see 'after' of a page.")
    ] = 0,
    at_tick: AtTick = None,
) -> EntitiesPage:
    """Answered from the world's shared arrays; 503 ``gone`` while there is no world.

    With ``at_tick`` the past is stepped again from the nearest checkpoint, world or no world.
    """
    if kind and kind not in ENTITY_KINDS:
        shown, allowed = printable(kind, _SHOWN_CHARS_MAX), ", ".join(ENTITY_KINDS)
        text = f"found {shown!r}{nearest(kind, ENTITY_KINDS)}; allowed: {allowed}"
        raise Problem("bad_request", text, "kind")
    query = EntitiesQuery(where, sort, limit, after, zone, kind or None, at_tick)
    answer = await request.service.answer(query)
    if isinstance(answer, Refused):
        raise of_refusal(answer, "sort" if answer.message.startswith("sort") else "where")
    page = cast("EntitiesAnswer", answer)
    end = after + len(page.rows)
    return EntitiesPage(
        tick=page.tick,
        total=page.total,
        after=end if page.rows and end < page.total else None,
        entities=tuple(EntityView.of(row) for row in page.rows),
    )


@get("/entities/{who:str}", summary="One entity", responses=OPEN | GONE | NO_SUCH | NEVER)
async def entity(request: Call, who: Who, at_tick: AtTick = None) -> EntityDetail:
    """One entity with its newest events, now or as it was after a tick.

    The past is stepped again from the nearest checkpoint, in a process of its own.
    """
    found = await _answer(request.service, EntityQuery(entity_of(who, "who"), at_tick=at_tick))
    detail = cast("EntityAnswer", found)
    return EntityDetail(detail.tick, EntityView.of(detail.row), detail.events, detail.player)


@get("/entities/{who:str}/events", summary="Events of one entity", responses=OPEN)
async def entity_events(
    request: Call,
    who: Who,
    after_seq: AfterSeq = None,
    before_seq: BeforeSeq = None,
    kind: Kinds = "",
    limit: Limit = PAGE_ROWS_DEFAULT,
) -> EventsPage:
    """Events in the entity's stream, done by it, or done to it; see ``/events``."""
    query = EventsQuery(
        limit=limit,
        after_seq=after_seq,
        before_seq=before_seq,
        kinds=_kinds(kind),
        about=entity_of(who, "who"),
    )
    return await _events(request.service, query)


@get("/events", summary="Events, a page at a time", responses=OPEN)
async def events(
    request: Call,
    after_seq: AfterSeq = None,
    before_seq: BeforeSeq = None,
    kind: Kinds = "",
    actor: Annotated[
        str, QueryParameter(max_length=NAME_IN_PATH_CHARS_MAX, description="Who did it.")
    ] = "",
    stream: Annotated[
        str, QueryParameter(max_length=NAME_IN_PATH_CHARS_MAX, description="Whom it is about.")
    ] = "",
    correlation: Annotated[
        int | None,
        QueryParameter(ge=0, le=_SEQ_MAX, description="The root command they follow from."),
    ] = None,
    tick: Annotated[
        int | None, QueryParameter(ge=0, le=_SEQ_MAX, description="The tick that made them.")
    ] = None,
    limit: Limit = PAGE_ROWS_DEFAULT,
) -> EventsPage:
    """Events of the whole log, found by its index.

    With ``after_seq`` the oldest after it, without it the newest. A request searches a
    bounded stretch of the log: go on with the answer's ``after_seq``, also when no event was
    found, until it has reached ``last_seq``; or, of the newest, with its ``before_seq`` while
    there is one.
    """
    terms = (
        f"actor={entity_of(actor, 'actor')}" if actor else "",
        f"stream={entity_of(stream, 'stream')}" if stream else "",
        "" if correlation is None else f"correlation={correlation}",
        "" if tick is None else f"tick={tick}",
    )
    query = EventsQuery(
        where=" ".join(term for term in terms if term),
        limit=limit,
        after_seq=after_seq,
        before_seq=before_seq,
        kinds=_kinds(kind),
    )
    return await _events(request.service, query)


@get("/events/{seq:int}/chain", summary="Why it happened", responses=OPEN | GONE | NO_SUCH)
async def chain(
    request: Call,
    seq: Annotated[int, PathParameter(description="The event's number.")],
) -> ChainView:
    """An event's causes, the root first, and everything that came of it, breadth first."""
    if not 0 < seq <= _SEQ_MAX:
        raise Problem("bad_request", f"found {seq}; allowed is a number from 1", "seq")
    found = cast("ChainAnswer", await _answer(request.service, ChainQuery(seq)))
    return ChainView(found.causes, found.event, found.effects, found.cut)


@get("/population", summary="Who is where", responses=OPEN | GONE)
async def population(request: Call) -> PopulationAnswer:
    """Players connected and NPCs alive, by square of the map and by zone."""
    return cast("PopulationAnswer", await _answer(request.service, PopulationQuery()))


@get("/ticks", summary="Figures of the newest ticks", responses=OPEN)
async def ticks(request: Call, last: Limit = PAGE_ROWS_DEFAULT) -> TicksAnswer:
    """Milliseconds of every phase, oldest tick first."""
    return cast("TicksAnswer", await _answer(request.service, TicksQuery(last)))


@get("/faults", summary="Faults, and which there are", responses=OPEN)
async def faults(request: Call) -> FaultsPage:
    """The newest faults of the run, armed or over, and the menu."""
    menu = cast("FaultsAnswer", await _answer(request.service, FaultsQuery()))
    return FaultsPage(request.service.snapshot.faults, menu.faults)


@get("/story/beats", summary="The story so far", responses=OPEN)
async def beats(
    request: Call,
    after: Annotated[
        int,
        QueryParameter(ge=0, le=_SEQ_MAX, description="Beats after this number; 0: the newest."),
    ] = 0,
    limit: Limit = PAGE_ROWS_DEFAULT,
) -> StoryAnswer:
    """Beats that the narrator told, oldest first."""
    return cast("StoryAnswer", await _answer(request.service, StoryQuery(after, limit)))


@get("/governance/policies", summary="How the policies stand", responses=OPEN)
async def policies(request: Call) -> PoliciesPage:
    """Every policy in the order in which they judge, with its parameters and what it did."""
    answer = cast("PoliciesAnswer", await _answer(request.service, PoliciesQuery()))
    return PoliciesPage(tuple(PolicyShown.of(row) for row in answer.rows))


@get("/governance/audit", summary="What was decided, and who was asked", responses=OPEN | GONE)
async def audit(
    request: Call,
    policy: Annotated[
        str,
        QueryParameter(
            max_length=NAME_IN_PATH_CHARS_MAX,
            description="What this policy decided; 'world': what the world could not give.",
        ),
    ] = "",
    verdict: Annotated[
        str,
        QueryParameter(
            max_length=16,
            description="permit, deny, mutate or resent; without it deny and mutate.",
        ),
    ] = "",
    actor: Annotated[
        str, QueryParameter(max_length=NAME_IN_PATH_CHARS_MAX, description="Who was to act.")
    ] = "",
    limit: Limit = PAGE_ROWS_DEFAULT,
    after: Annotated[
        int | None,
        QueryParameter(
            ge=0,
            le=_SEQ_MAX,
            description="Rows after this number, oldest first; without it the newest.",
        ),
    ] = None,
    before: Annotated[
        int | None, QueryParameter(ge=0, le=_SEQ_MAX, description="Rows before this number.")
    ] = None,
) -> AuditPage:
    """Read from the log: every intent with its verdict, its reason, and the policies asked.

    A request searches a bounded stretch of the log: while ``complete`` is false, go on with the
    answer's ``after``, or for the newest ones with its ``before``, also when no row was found.
    """
    allowed = get_args(AuditVerdict)
    if verdict and verdict not in allowed:
        shown = printable(verdict, _SHOWN_CHARS_MAX)
        text = f"found {shown!r}{nearest(verdict, allowed)}; allowed: {', '.join(allowed)}"
        raise Problem("bad_request", text, "verdict")
    who = entity_of(actor, "actor") if actor else None
    wanted = cast("AuditVerdict", verdict) if verdict else None
    answer = await request.service.answer(AuditQuery(policy, wanted, who, limit, after, before))
    if isinstance(answer, Refused):
        raise of_refusal(answer, "policy")
    page = cast("AuditAnswer", answer)
    return AuditPage(page.tick, page.after, page.rows, page.complete, page.before)


@get("/metrics", summary="Figures for Prometheus", media_type="text/plain", responses=OPEN)
async def metrics(request: Call) -> Response[str]:
    """The text format 0.0.4."""
    service = request.service
    return Response(metrics_text(service.health(), service.snapshot), media_type=_PROMETHEUS)


@get("/openapi.json", include_in_schema=False)
async def openapi(request: Call) -> Response[bytes]:
    """Describes every endpoint, OpenAPI 3.1."""
    # Its making takes tens of milliseconds, in which the hub would do nothing else.
    schema = await asyncio.to_thread(_schema, request)
    return Response(msgspec.json.encode(schema), media_type="application/json")


def _schema(request: Call) -> dict[str, Any]:
    return request.app.openapi_schema.to_schema()


READS: Final[tuple[HTTPRouteHandler, ...]] = (
    front,
    health,
    entities,
    entity,
    entity_events,
    events,
    chain,
    population,
    ticks,
    faults,
    beats,
    policies,
    audit,
    metrics,
)


async def _answer(service: AdminService, query: Any) -> Answer:
    answer = await service.answer(query)
    if isinstance(answer, Refused):
        raise of_refusal(answer)
    return answer


def _kinds(names: str) -> tuple[str, ...]:
    kinds = tuple(names.split(",")) if names else ()
    try:
        kind_codes(kinds)
    except UserError as problem:
        raise Problem("bad_request", problem.message, "kind") from problem
    return kinds


async def _events(service: AdminService, query: EventsQuery) -> EventsPage:
    answer = cast("EventsAnswer", await _answer(service, query))
    if query.after_seq is None:
        return EventsPage(
            last_seq=answer.last_seq,
            after_seq=answer.last_seq,
            lost=answer.lost,
            events=answer.rows,
            before_seq=None if answer.complete else answer.searched,
        )
    return EventsPage(answer.last_seq, answer.searched, answer.lost, answer.rows)
