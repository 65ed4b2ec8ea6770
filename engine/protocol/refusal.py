"""What a door answers that refuses: ``{"error": {"code", "message", "field"?}}``, JSON."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.protocol.text import printable

STATUS: Final[Mapping[str, int]] = {
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
"""The HTTP status of each code."""

_MESSAGE_CHARS_MAX: Final = 500


class ErrorText(Struct, frozen=True, omit_defaults=True):
    """What was wrong."""

    code: Annotated[str, Meta(description=f"One of {', '.join(STATUS)}.")]
    message: Annotated[str, Meta(description="What was found, and what is allowed.")]
    field: Annotated[str, Meta(description="The parameter or the body's field it is about.")] = ""


class ErrorBody(Struct, frozen=True):
    """The body of every answer that is an error."""

    error: ErrorText


def error_body(code: str, message: str, field: str = "") -> bytes:
    """Return the body of an answer that is an error, JSON."""
    text = printable(message, _MESSAGE_CHARS_MAX)
    return msgspec.json.encode(ErrorBody(ErrorText(code, text, field)))
