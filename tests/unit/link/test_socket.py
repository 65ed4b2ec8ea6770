"""The console's end of the socket: what the engine said last is heard."""

import socket
from pathlib import Path

import pytest

from engine.link.base import LinkClosed
from engine.link.socket import SocketLink
from engine.protocol.codec import frame
from engine.protocol.command import Lease
from engine.protocol.feed import Ended
from engine.protocol.link_frames import encoder


async def test_last_words_are_heard_although_a_call_failed_first(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        link = await SocketLink.connect(path)
        # Nothing is awaited from here to the call, so that its write comes before any read.
        with listener.accept()[0] as engine:
            engine.sendall(frame(encoder.encode(Ended(0, "held", "/capsule"))))
    with pytest.raises(LinkClosed):
        await link.call(Lease())
    assert link.ended == Ended(0, "held", "/capsule")
    assert link.closed
    await link.aclose()


async def test_an_engine_that_says_nothing_more_is_gone(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        link = await SocketLink.connect(path)
        listener.accept()[0].close()
    with pytest.raises(LinkClosed):
        await link.call(Lease())
    assert link.ended is None
    assert link.closed
    with pytest.raises(LinkClosed):
        await link.call(Lease())
    await link.aclose()
