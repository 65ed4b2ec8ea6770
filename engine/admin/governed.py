"""What anyone may read of governance: how the policies stand, and what they decided."""

from typing import Annotated, Final, cast, get_args

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from engine.admin.asking import SEQ_ASKED_MAX, Limit, answered
from engine.admin.call import Call, entity_of
from engine.admin.docs import GONE, OPEN
from engine.admin.errors import Problem, of_refusal
from engine.admin.views import AuditPage, PoliciesPage, PolicyShown
from engine.protocol.audit import (
    AuditAnswer,
    AuditQuery,
    AuditVerdict,
    PoliciesAnswer,
    PoliciesQuery,
)
from engine.protocol.limits import NAME_IN_PATH_CHARS_MAX, PAGE_ROWS_DEFAULT
from engine.protocol.query import Refused
from engine.protocol.text import nearest, printable

_SHOWN_CHARS_MAX: Final = 40


@get("/governance/policies", summary="How the policies stand", responses=OPEN)
async def policies(request: Call) -> PoliciesPage:
    """Every policy in the order in which they judge, with its parameters and what it did."""
    answer = cast("PoliciesAnswer", await answered(request.service, PoliciesQuery()))
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
            le=SEQ_ASKED_MAX,
            description="Rows after this number, oldest first; 0 from the first. "
            "Without it the newest.",
        ),
    ] = None,
    before: Annotated[
        int | None,
        QueryParameter(ge=0, le=SEQ_ASKED_MAX, description="Rows before this number."),
    ] = None,
) -> AuditPage:
    """Read from the log: every intent with its verdict, its reason, and the policies asked.

    A request searches a bounded stretch of the log: while ``complete`` is false, go on with the
    answer's ``after`` as ``after``, or for the newest ones with its ``before`` as ``before``,
    also when no row was found.
    """
    allowed = get_args(AuditVerdict)
    if verdict and verdict not in allowed:
        shown = printable(verdict, _SHOWN_CHARS_MAX)
        text = f"found {shown!r}{nearest(verdict, allowed)}; allowed: {', '.join(allowed)}"
        raise Problem("bad_request", text, "verdict")
    who = entity_of(actor, "actor") if actor else None
    wanted = cast("AuditVerdict", verdict) if verdict else None
    query = AuditQuery(policy, wanted, who, limit, after, before)
    answer = await request.service.answer(query)
    if isinstance(answer, Refused):
        raise of_refusal(answer, "policy")
    page = cast("AuditAnswer", answer)
    return AuditPage(page.tick, page.after, page.rows, page.complete, page.before)


GOVERNED: Final[tuple[HTTPRouteHandler, ...]] = (policies, audit)
