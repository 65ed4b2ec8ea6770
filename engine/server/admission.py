"""Who may upgrade to a WebSocket: path, codec, and the ``Host`` and ``Origin`` headers.

A page in a browser can open a WebSocket to any address, its user's loopback too, and a
name can be made to point there. So a name that is not ours is refused.
"""

import ipaddress
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from picows import WSUpgradeRequest

Codec = Literal["msgpack", "json"]


class Refused(Exception):
    """An upgrade that is not granted.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def _host_name(authority: str) -> str:
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own_name(name: str, bound_to: str) -> bool:
    """Whether a host name is one of this machine's: loopback, or the address bound to.

    Bound to another address than loopback, plain addresses are ours too: a name that
    was made to point here stays a name.
    """
    if name == "localhost" or name.endswith(".localhost") or (name and name == bound_to.lower()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not _is_loopback(bound_to)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not is_own_name(_host_name(hosts[0]), bound_to):
        raise Refused(HTTPStatus.FORBIDDEN, "this Host is not served here")
    for origin in request.headers.getall("Origin", []):
        if not is_own_name(_host_name(origin.partition("://")[2]), bound_to):
            raise Refused(HTTPStatus.FORBIDDEN, "pages of this Origin may not connect")
    codec = options.get("codec", ["msgpack"])[-1]
    if codec == "msgpack":
        return "msgpack"
    if codec == "json":
        return "json"
    raise Refused(HTTPStatus.BAD_REQUEST, "codec is msgpack or json")
