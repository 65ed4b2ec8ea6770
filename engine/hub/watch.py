"""Reads the world's event batches from its socket."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from engine.protocol.child import EventBatch
from engine.protocol.codec import Deframer, FrameTooLarge
from engine.protocol.limits import CHILD_FRAME_BYTES_MAX

_READ_BYTES = 256 * 1024


async def watch_events(path: str, take: Callable[[EventBatch], Awaitable[None]]) -> str:
    """Pass on batches until the world closes; return why it ended.

    Args:
        path: The world's unix socket.
        take: Gets every batch, one after the other.
    """
    decoder = msgspec.msgpack.Decoder(EventBatch)
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as problem:
        return f"cannot watch events: {problem}"
    deframer = Deframer(CHILD_FRAME_BYTES_MAX)
    try:
        while data := await reader.read(_READ_BYTES):
            for payload in deframer.feed(data):
                await take(decoder.decode(payload))
    except (OSError, FrameTooLarge, msgspec.DecodeError, ValueError) as problem:
        return f"stopped watching events: {problem}"
    finally:
        writer.transport.abort()
    return "the world closed"
