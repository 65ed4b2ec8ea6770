"""What reading endpoints have in common: bounds of what is asked, and the engine's answer."""

from typing import Annotated, Any, Final

from litestar.params import QueryParameter

from engine.admin.errors import of_refusal
from engine.admin.service import AdminService
from engine.protocol.limits import PAGE_ROWS_MAX
from engine.protocol.query import Answer, Refused

SEQ_ASKED_MAX: Final = 2**63 - 1

Limit = Annotated[
    int, QueryParameter(ge=1, le=PAGE_ROWS_MAX, description="Rows, at most.", required=False)
]


async def answered(service: AdminService, query: Any) -> Answer:
    """Return the engine's answer to a query.

    Raises:
        Problem: It was refused.
    """
    answer = await service.answer(query)
    if isinstance(answer, Refused):
        raise of_refusal(answer)
    return answer
