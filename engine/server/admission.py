"""Who may upgrade to a WebSocket: path, codec, and the ``Host`` and ``Origin`` headers."""

from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from picows import WSUpgradeRequest

from engine.protocol.hosts import foreign

Codec = Literal["msgpack", "json"]


class Refused(Exception):
    """An upgrade that is not granted.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def admit(request: WSUpgradeRequest, path: str, bound_to: str) -> Codec:
    """Return the codec that the client asked for.

    Raises:
        Refused: The upgrade is not granted.
    """
    try:
        target = urlsplit(request.path.decode("ascii"))
        options = parse_qs(target.query, max_num_fields=16)
    except ValueError as problem:
        raise Refused(HTTPStatus.BAD_REQUEST, "not an address") from problem
    if target.path != path:
        raise Refused(HTTPStatus.NOT_FOUND, f"players connect to {path}")
    headers = request.headers
    objection = foreign(headers.getall("Host", []), headers.getall("Origin", []), bound_to)
    if objection:
        raise Refused(HTTPStatus.FORBIDDEN, objection)
    codec = options.get("codec", ["msgpack"])[-1]
    if codec == "msgpack":
        return "msgpack"
    if codec == "json":
        return "json"
    raise Refused(HTTPStatus.BAD_REQUEST, "codec is msgpack or json")
