"""Listening on a port: what cannot be had is told with the port and the flag that moves it."""

import errno
import socket
from typing import Final

from engine.protocol.errors import UserError

BACKLOG: Final = 4096
"""Connections that wait to be accepted: a whole storm may come at once."""

_PORT_MAX: Final = 65535
_ADVICE: Final = "choose other ports with --port-base, 0 picks free ones"


def listen(
    host: str,
    port: int,
    what: str,
    *,
    send_buffer_bytes: int | None = None,
    receive_buffer_bytes: int | None = None,
) -> socket.socket:
    """Return a socket that listens; sockets it accepts inherit its options.

    Args:
        host: The address.
        port: The port, 0 for a free one.
        what: Whose port it is, for people.
        send_buffer_bytes: SO_SNDBUF; the kernel's choice when None.
        receive_buffer_bytes: SO_RCVBUF; the kernel's choice when None.

    Raises:
        UserError: The address cannot be used.
    """
    if not 0 <= port <= _PORT_MAX:  # getaddrinfo would take it modulo 65536
        raise UserError(f"port {port} ({what}): allowed are 0 to {_PORT_MAX}; {_ADVICE}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise UserError(f"cannot listen on {host}: {problem.strerror}") from problem
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if send_buffer_bytes is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        if receive_buffer_bytes is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} ({what}) on {host} is in use; {_ADVICE}") from problem
        text = f"cannot listen on {host} port {port} ({what}): {problem.strerror}; {_ADVICE}"
        raise UserError(text) from problem
    return listener
