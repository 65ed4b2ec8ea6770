"""TCP listeners: bound before anything else is started, so that a taken port is said at once."""

import errno
import socket

from engine.protocol.errors import UserError

_PORT_MAX = 65535
_ADVICE = "choose other ports with --port-base, 0 picks free ones"


def listen(
    host: str, port: int, what: str, *, backlog: int, send_buffer_bytes: int
) -> socket.socket:
    """Return a listening socket; sockets it accepts inherit its options.

    Args:
        host: Address to listen on.
        port: Port, 0 for a free one.
        what: What listens there, for the message.
        backlog: Connections that may wait to be accepted.
        send_buffer_bytes: ``SO_SNDBUF``, so that a client that never reads is noticed.

    Raises:
        UserError: The address cannot be used; names the port and the flag.
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
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} ({what}) on {host} is in use; {_ADVICE}") from problem
        text = f"cannot listen on {host} port {port} ({what}): {problem.strerror}; {_ADVICE}"
        raise UserError(text) from problem
    return listener
