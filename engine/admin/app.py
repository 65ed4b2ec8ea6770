"""The Litestar application: routes, errors, and what ``/openapi.json`` is made of."""

from typing import Any, Final

from litestar import Litestar, Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from engine.admin.call import SERVICE, Call, check_query
from engine.admin.changes import CHANGES
from engine.admin.docs import DESCRIPTION
from engine.admin.errors import Problem
from engine.admin.governed import GOVERNED
from engine.admin.reads import READS, openapi
from engine.admin.service import AdminService
from engine.admin.stream import STREAMS, Streams, no_stream, stream
from engine.protocol.explaining import allowed_in
from engine.protocol.limits import ADMIN_BODY_BYTES_MAX
from engine.protocol.text import printable

_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_often",
}
_SHOWN_CHARS_MAX: Final = 80


def make_app(service: AdminService, version: str, streams: Streams) -> Litestar:
    """Return the application.

    Args:
        service: The engine.
        version: Of SeedStorm.
        streams: Counts those that follow.
    """

    def failed(request: Request[Any, Any, Any], problem: Exception) -> Response[bytes]:
        return _answer(request, problem, service)

    return Litestar(
        route_handlers=[*READS, *GOVERNED, openapi, *CHANGES, stream, no_stream],
        request_class=Call,
        before_request=check_query,
        exception_handlers={Exception: failed, HTTPException: failed},
        request_max_body_size=ADMIN_BODY_BYTES_MAX,
        state=State({SERVICE: service, STREAMS: streams}),
        openapi_config=_openapi(version),
        # Litestar would start a thread for a log of its own.
        logging_config=None,
    )


def _answer(
    request: Request[Any, Any, Any], problem: Exception, service: AdminService
) -> Response[bytes]:
    """Return the answer to what a handler, or Litestar itself, refused."""
    if isinstance(problem, Problem):
        told = problem
    elif isinstance(problem, ValidationException):
        told = _invalid(request, problem)
    elif isinstance(problem, HTTPException) and problem.status_code in _CODES:
        told = _refused(request, problem)
    else:
        service.note("admin", f"{request.method} {request.url.path}: {problem!r}")
        told = Problem("internal", "a fault of our own; the run's log has more")
    return Response(
        told.body(),
        status_code=told.status,
        media_type="application/json",
        headers=told.headers,
    )


def _invalid(request: Request[Any, Any, Any], problem: ValidationException) -> Problem:
    """Return the first parameter that is wrong, and how."""
    extra = problem.extra
    first = extra[0] if isinstance(extra, list) and extra else {}
    field, message = str(first.get("key", "")), str(first.get("message", problem.detail))
    if field == "data":
        return Problem("bad_request", "found nothing; allowed is a JSON object", "body")
    found = request.query_params.get(field)
    if found is not None:
        allowed = allowed_in(request.route_handler.signature_model, field)
        message = f"allowed is {allowed}" if allowed else message
        message = f"found {printable(str(found), _SHOWN_CHARS_MAX)!r}; {message}"
    return Problem("bad_request", message, printable(field, _SHOWN_CHARS_MAX))


def _refused(request: Request[Any, Any, Any], problem: HTTPException) -> Problem:
    code = _CODES[problem.status_code]
    headers = dict(problem.headers or {})
    path = printable(request.url.path, _SHOWN_CHARS_MAX)
    text = {
        "not_found": f"nothing is at {path}; /openapi.json tells what there is",
        "method_not_allowed": f"{request.method} is not for {path}; "
        f"allowed: {headers.get('allow', '')}",
        "too_large": f"a body holds at most {ADMIN_BODY_BYTES_MAX} bytes",
    }.get(code, problem.detail)
    return Problem(code, text, headers=headers)


def _nobody(_: ASGIConnection[Any, Any, Any, Any], __: BaseRouteHandler) -> None:
    """Turn everyone away from Litestar's own pages, which fetch scripts from elsewhere."""
    raise NotFoundException


def _openapi(version: str) -> OpenAPIConfig:
    token = SecurityScheme(
        type="http", scheme="bearer", description="The file 'token' of the run's folder."
    )
    return OpenAPIConfig(
        title="SeedStorm admin",
        version=version,
        description=DESCRIPTION,
        components=Components(security_schemes={"token": token}),
        use_handler_docstrings=True,
        openapi_router=Router(
            "/openapi", route_handlers=[], guards=[_nobody], include_in_schema=False
        ),
        render_plugins=[JsonRenderPlugin()],
    )
