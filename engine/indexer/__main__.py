"""The indexer's process: ``python -P -m engine.indexer FD``, FD one end of a socket pair."""

import asyncio
import contextlib
import os
import signal
import socket
import sys

from engine.indexer.serve import serve_indexer
from engine.link.channel import SocketChannel
from engine.protocol.child import to_child_decoder
from engine.protocol.errors import ExitCode
from engine.protocol.text import printable

_NICE = 19


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the hub is gone; so will this process be
        sys.stderr.write(f"{printable(text, 400)}\n")
        sys.stderr.flush()


async def _run(descriptor: int) -> None:
    channel = await SocketChannel.over(socket.socket(fileno=descriptor), to_child_decoder)
    await serve_indexer(channel, _say)


def _stand_back() -> None:
    """Take only what nobody else wants of the processor."""
    os.nice(_NICE)
    with contextlib.suppress(OSError, AttributeError):  # not allowed, or not this system's
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> int:
    """Fill an index over the socket whose number is the only argument; return the exit code."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.stderr.write("usage: python -P -m engine.indexer FD (the hub starts it)\n")
        return ExitCode.USAGE
    # ctrl+c goes to the whole foreground group; the hub decides when the indexer stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stand_back()
    asyncio.run(_run(int(sys.argv[1])))
    return ExitCode.HELD


if __name__ == "__main__":
    sys.exit(main())
