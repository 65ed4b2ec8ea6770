"""What was wrong, as a handler raises it."""

from engine.protocol.command import Reply
from engine.protocol.query import Refused
from engine.protocol.refusal import STATUS, error_body


class Problem(Exception):
    """An answer that is an error.

    Attributes:
        code: One of ``STATUS``.
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
        return STATUS[self.code]

    def body(self) -> bytes:
        """Return the body, JSON."""
        return error_body(self.code, self.message, self.field)


def of_refusal(refused: Refused, field: str = "") -> Problem:
    """Return the problem that a query's refusal is."""
    code = refused.code if refused.code in STATUS else "internal"
    return Problem(code, refused.message, field if code == "bad_request" else "")


def of_reply(reply: Reply) -> Problem:
    """Return the problem that a refused command is: well-formed, but not to be done."""
    code = "invalid" if reply.code == "bad_request" else reply.code
    return Problem(code if code in STATUS else "internal", reply.text)
