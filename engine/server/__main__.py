"""The world's process: ``python -P -m engine.server FD``, FD one end of a socket pair."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys

import structlog
import uvloop

from engine.link.channel import SocketChannel
from engine.protocol.child import to_child_decoder
from engine.protocol.errors import ExitCode
from engine.server.serve import run_world


def _freeze() -> None:
    gc.collect()
    gc.freeze()


async def _run(descriptor: int) -> ExitCode:
    channel = await SocketChannel.over(socket.socket(fileno=descriptor), to_child_decoder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return await run_world(channel, settled=_freeze, stop=stop)


def main() -> int:
    """Run a world over the socket whose number is the only argument; return the exit code."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.stderr.write("usage: python -P -m engine.server FD (the hub starts it)\n")
        return ExitCode.USAGE
    # ctrl+c goes to the whole foreground group; the hub decides when the world stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return uvloop.run(_run(int(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())
