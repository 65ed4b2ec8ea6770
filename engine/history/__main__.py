"""The historian's process: ``python -P -m engine.history FD``, FD one end of a socket pair."""

import asyncio
import os
import signal
import socket
import sys

from engine.history.serve import serve_history
from engine.link.channel import SocketChannel
from engine.protocol.child import to_child_decoder
from engine.protocol.errors import ExitCode

_NICE = 10


async def _run(descriptor: int) -> None:
    channel = await SocketChannel.over(socket.socket(fileno=descriptor), to_child_decoder)
    await serve_history(channel)


def main() -> int:
    """Answer over the socket whose number is the only argument; return the exit code."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.stderr.write("usage: python -P -m engine.history FD (the hub starts it)\n")
        return ExitCode.USAGE
    # ctrl+c goes to the whole foreground group; the hub decides when the historian stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    asyncio.run(_run(int(sys.argv[1])))
    return ExitCode.HELD


if __name__ == "__main__":
    sys.exit(main())
