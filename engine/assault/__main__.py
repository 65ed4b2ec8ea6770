"""``python -P -m engine.assault FD``: a squad in its own process, on uvloop."""

import asyncio
import signal
import socket
import sys

import uvloop

from engine.assault.worker import serve_squad
from engine.link.channel import SocketChannel
from engine.protocol.child import to_child_decoder


async def _main(descriptor: int) -> None:
    sock = socket.socket(fileno=descriptor)
    channel = await SocketChannel.over(sock, to_child_decoder)
    await serve_squad(channel, own_process=True)


def main() -> None:
    """Serve the hub at the other end of the socket whose number is the only argument."""
    # The terminal's ctrl+c reaches every process; the hub decides when squads stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(int(sys.argv[1])))


if __name__ == "__main__":
    main()
