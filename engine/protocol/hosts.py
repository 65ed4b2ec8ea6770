"""Whose page may speak to us: the rules for ``Host`` and ``Origin`` headers. Pure.

A page in a browser can reach any address, its user's loopback too, and a name can be
made to point there (DNS rebinding). So a name that is not ours is refused.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit


def host_name(authority: str) -> str:
    """Return the host of ``host:port``, lower case, without a last dot; empty for nonsense."""
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
    return address.is_loopback or not is_loopback(bound_to)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine's alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def foreign(hosts: Iterable[str], origins: Iterable[str], bound_to: str) -> str:
    """Return why a request is refused for its ``Host`` and ``Origin`` headers, or nothing.

    Args:
        hosts: Every ``Host`` header; exactly one is right.
        origins: Every ``Origin`` header; a client that sends none is no browser.
        bound_to: The address listened on.
    """
    names = list(hosts)
    if len(names) != 1 or not is_own_name(host_name(names[0]), bound_to):
        return "this Host is not served here"
    for origin in origins:
        if not is_own_name(host_name(origin.partition("://")[2]), bound_to):
            return "pages of this Origin may not connect"
    return ""
