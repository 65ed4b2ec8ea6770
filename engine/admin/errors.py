"""What was wrong, as the doors say it: ``{"error": {"code", "message", "field"?}}``."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.protocol.command import Reply
from engine.protocol.query import Refused
from engine.protocol.text import printable

_MESSAGE_CHARS_MAX: Final = 500

_STATUS: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "too_large": 413,
    "invalid": 422,
    "too_often": 429,
    "busy": 429,
    "gone": 503,
    "deadline": 503,
    "internal": 503,
}
CODES: Final = tuple(_STATUS)


class ErrorText(Struct, frozen=True, omit_defaults=True):
    """What was wrong."""

    code: Annotated[str, Meta(description=f"One of {', '.join(CODES)}.")]
    message: Annotated[str, Meta(description="What was found, and what is allowed.")]
    field: Annotated[str, Meta(description="The parameter or the body's field it is about.")] = ""


class ErrorBody(Struct, frozen=True):
    """The body of every answer that is an error."""

    error: ErrorText


class Problem(Exception):
    """An answer that is an error.

    Attributes:
        code: One of ``CODES``.
        message: For a person.
        field: The parameter or field it is about, or nothing.
        headers: To be sent with it.
    """

    def __init__(
        self, code: str, message: str, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS[self.code]

    def body(self) -> bytes:
        """Return the body, JSON."""
        message = printable(self.message, _MESSAGE_CHARS_MAX)
        return msgspec.json.encode(ErrorBody(ErrorText(self.code, message, self.field)))


def of_refusal(refused: Refused, field: str = "") -> Problem:
    """Return the problem that a query's refusal is."""
    code = refused.code if refused.code in _STATUS else "internal"
    return Problem(code, refused.message, field if code == "bad_request" else "")


def of_reply(reply: Reply) -> Problem:
    """Return the problem that a refused command is: well-formed, but not to be done."""
    code = "invalid" if reply.code == "bad_request" else reply.code
    return Problem(code if code in _STATUS else "internal", reply.text)
