"""The door's side of a handshake: whoever is not let in is told why, as the contract has it."""

from http import HTTPStatus
from typing import Any, Final

from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from engine.protocol.refusal import STATUS, error_body

_CODES: Final = {
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_URI_TOO_LONG: "too_large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "too_large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
    HTTPStatus.SERVICE_UNAVAILABLE: "gone",
}
"""What the library's own refusals are in our terms; all others are ``bad_request``."""


class Handshake(ServerProtocol):
    """websockets' protocol, but every refusal is an error of the contract's shape."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._is_answered = False

    def reject(self, status: StatusLike, text: str) -> Response:
        """See ``ServerProtocol.reject``: the library's own refusals come through here."""
        code = _CODES.get(HTTPStatus(status), "bad_request")
        return refusal(code, " ".join(text.split()))

    def send_response(self, response: Response) -> None:
        """See ``ServerProtocol.send_response``."""
        self._is_answered = True
        super().send_response(response)

    def send_eof(self) -> None:
        """See ``Protocol.send_eof``: the library would hang up on what is no HTTP."""
        problem = self.handshake_exc
        if isinstance(problem, InvalidMessage) and not self._is_answered:
            cause = problem.__cause__
            # Whoever went before the end of its request hears nothing any more.
            if not isinstance(cause, EOFError):
                answer = refusal("bad_request", f"{problem}: {cause}")
                self.writes.append(answer.serialize())
        super().send_eof()


def refusal(code: str, message: str) -> Response:
    """Return the answer to a request that is not let in.

    Args:
        code: One of ``engine.protocol.refusal.STATUS``.
        message: For a person.
    """
    status = HTTPStatus(STATUS[code])
    body = error_body(code, message)
    headers = Headers(
        {
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
        }
    )
    return Response(status.value, status.phrase, headers, body)
