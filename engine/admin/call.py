"""``Call``: a request that knows the engine, and reads its body and parameters strictly."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import PathParameter

from engine.admin.errors import Problem
from engine.admin.gate import check_token
from engine.admin.service import AdminService
from engine.protocol.events import entity_id
from engine.protocol.explaining import explain, plain_json
from engine.protocol.limits import ENTITY_ID_MAX, NAME_IN_PATH_CHARS_MAX
from engine.protocol.text import nearest, printable

SERVICE: Final = "service"
_SHOWN_CHARS_MAX: Final = 40
_RESERVED: Final = frozenset({"request", "data", "body", "headers", "cookies", "scope", "state"})


Who = Annotated[
    str,
    PathParameter(
        min_length=1,
        max_length=NAME_IN_PATH_CHARS_MAX,
        description="The entity's number, or its name such as player-12, npc-7 or node-3.",
    ),
]


class Call(Request[Any, Any, Any]):
    """A request to the admin interface."""

    @property
    def service(self) -> AdminService:
        """The engine."""
        service: AdminService = self.app.state[SERVICE]
        return service

    async def json(self) -> Any:
        """Return the body as the type that the handler takes.

        Litestar would turn ``"5"`` into 5; here a number is a number.

        Raises:
            Problem: The body is not that.
        """
        data = self.route_handler.parsed_data_field
        return decoded(await self.body(), Any if data is None else data.annotation)


def decoded(body: bytes, type_: Any) -> Any:
    """Return a JSON body as ``type_``.

    Raises:
        Problem: Names the field that is wrong, what was found, and what is allowed.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as problem:
        field, text = explain(problem, plain_json(body), type_)
        raise Problem("bad_request", text, printable(field, _SHOWN_CHARS_MAX)) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Problem("bad_request", f"the body is no JSON: {problem}", "body") from problem


def check_parameters(given: Iterable[str], allowed: Iterable[str]) -> None:
    """Check the names of query parameters.

    Raises:
        Problem: One is unknown, or given twice.
    """
    names = list(given)
    known = list(allowed)
    for name in names:
        shown = printable(name, _SHOWN_CHARS_MAX)
        if name not in known:
            some = f"allowed: {', '.join(known)}" if known else "none is allowed here"
            text = f"no such parameter{nearest(name, known)}; {some}"
            raise Problem("bad_request", text, shown)
        if names.count(name) > 1:
            raise Problem("bad_request", "given more than once; allowed is one", shown)


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Refuse query parameters that the handler does not know.

    Raises:
        Problem: One is unknown, or given twice.
    """
    signature = request.route_handler.parsed_fn_signature.parameters
    allowed = [name for name in signature if name not in _RESERVED | set(request.path_params)]
    check_parameters([name for name, _ in request.query_params.multi_items()], allowed)


def needs_token(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only those pass who know the run's token; a guard of every change.

    Raises:
        Problem: The token is missing or wrong.
    """
    service: AdminService = connection.app.state[SERVICE]
    check_token(connection.headers.get("authorization", ""), service.token)


def entity_of(name: str | int, field: str) -> int:
    """Return the id behind an entity's name or number.

    Raises:
        Problem: It is neither.
    """
    found = entity_id(name) if isinstance(name, str) else name
    if found is None or not 0 <= found <= ENTITY_ID_MAX:
        shown = printable(str(name), _SHOWN_CHARS_MAX)
        text = f"found {shown!r}; allowed is a name such as player-12 or npc-7, or a number"
        raise Problem("bad_request", text, field)
    return found
