"""The gate before everything: foreign Hosts and Origins are turned away, HTTP or WebSocket."""

import hmac
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from engine.admin.errors import Problem
from engine.protocol.hosts import foreign

_BEARER: Final = "bearer "


class Gate:
    """An ASGI application around another one.

    Args:
        app: What is behind the gate.
        bound_to: The address listened on.
    """

    def __init__(self, app: ASGIApp, bound_to: str) -> None:
        self._app = app
        self._bound_to = bound_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        headers = scope["headers"]
        why = foreign(
            [value.decode("latin-1") for name, value in headers if name.lower() == b"host"],
            [value.decode("latin-1") for name, value in headers if name.lower() == b"origin"],
            self._bound_to,
        )
        if why:
            await refuse(scope, send, Problem("forbidden", why))
        elif scope["type"] == ScopeType.WEBSOCKET:
            await self._app(scope, receive, _speaking(scope, send))
        elif scope["method"] == "HEAD":
            # Answered as GET; the server sends no body, and the right length.
            as_get: Any = {**scope, "method": "GET"}
            await self._app(as_get, receive, send)
        else:
            await self._app(scope, receive, send)


def _speaking(scope: Scope, send: Send) -> Send:
    """Return ``send``, but so that an upgrade to what is nowhere is answered like a request."""
    begun = False

    async def speak(message: Message) -> None:
        nonlocal begun
        if message["type"] == "websocket.close" and not begun:
            text = "no WebSocket is at this path; /stream is one"
            await refuse(scope, send, Problem("not_found", text))
            return
        begun = True
        await send(message)

    return speak


async def refuse(scope: Scope, send: Send, problem: Problem) -> None:
    """Answer a request, or an upgrade that is not granted, with a problem."""
    websocket = "websocket." if scope["type"] == ScopeType.WEBSOCKET else ""
    body = problem.body()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    # An upgrade is refused by an extension of ASGI that uvicorn has: an answer like any other.
    start: Any = {
        "type": f"{websocket}http.response.start",
        "status": problem.status,
        "headers": headers,
    }
    await send(start)
    end: Any = {"type": f"{websocket}http.response.body", "body": body, "more_body": False}
    await send(end)


def check_token(authorization: str, token: str) -> None:
    """Check the ``Authorization`` header of a change.

    Raises:
        Problem: It carries no token, or another one.
    """
    found = ""
    if authorization[: len(_BEARER)].lower() == _BEARER:
        found = authorization[len(_BEARER) :].strip()
    # Compared as bytes and in constant time: how long it takes tells nothing of the token.
    if not hmac.compare_digest(found.encode("utf-8", "replace"), token.encode()):
        raise Problem(
            "unauthorized",
            "a change needs the header 'Authorization: Bearer TOKEN'; "
            "the token is in the file 'token' of the run's folder",
            headers={"WWW-Authenticate": "Bearer"},
        )
