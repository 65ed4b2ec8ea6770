"""Event batches on a unix socket; a watcher that does not read loses batches, and is told."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine.protocol.child import EventBatch, from_child_decoder
from engine.protocol.codec import Deframer
from engine.protocol.errors import UserError
from engine.protocol.limits import (
    BATCHES_KEPT_UNWATCHED_MAX,
    CHILD_FRAME_BYTES_MAX,
    WATCHER_BACKLOG_BYTES_MAX,
    WATCHERS_MAX,
)
from engine.server.publisher import Publisher


def batch(tick: int, size: int = 10) -> EventBatch:
    return EventBatch(tick=tick, first_seq=tick, count=1, columns=b"x" * size, texts={0: "hi"})


class Watcher:
    """A client that reads batches."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._deframer = Deframer(CHILD_FRAME_BYTES_MAX)
        self._inbox: list[EventBatch] = []

    async def next(self) -> EventBatch:
        while not self._inbox:
            data = await asyncio.wait_for(self.reader.read(2**20), 10)
            assert data, "closed"
            for payload in self._deframer.feed(data):
                message = from_child_decoder.decode(payload)
                assert isinstance(message, EventBatch)
                self._inbox.append(message)
        return self._inbox.pop(0)

    async def aclose(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def watch(path: Path, publisher: Publisher, limit: int = 2**16) -> Watcher:
    before = len(publisher._watchers)
    watcher = Watcher(*await asyncio.open_unix_connection(path, limit=limit))
    while len(publisher._watchers) == before:
        await asyncio.sleep(0)
    return watcher


async def test_every_watcher_gets_every_batch(tmp_path: Path):
    path = tmp_path / "events.sock"
    publisher = Publisher(str(path))
    await publisher.open()
    assert not publisher._watchers
    assert path.stat().st_mode & 0o777 == 0o600
    watchers = [await watch(path, publisher) for _ in range(3)]
    assert publisher._watchers
    for tick in range(5):
        publisher.publish(batch(tick))
    for watcher in watchers:
        assert [await watcher.next() for _ in range(5)] == [batch(tick) for tick in range(5)]
        await watcher.aclose()
    while publisher._watchers:
        await asyncio.sleep(0)
    await publisher.aclose()
    assert not path.exists()


async def test_the_first_watcher_gets_what_came_before_it_the_second_does_not(tmp_path: Path):
    path = tmp_path / "events.sock"
    publisher = Publisher(str(path))
    await publisher.open()
    for tick in range(BATCHES_KEPT_UNWATCHED_MAX + 5):
        publisher.publish(batch(tick))
    first = await watch(path, publisher)
    second = await watch(path, publisher)
    publisher.publish(batch(100))
    got = [(await first.next()).tick for _ in range(BATCHES_KEPT_UNWATCHED_MAX + 1)]
    assert got == [*range(5, BATCHES_KEPT_UNWATCHED_MAX + 5), 100]
    assert (await second.next()).tick == 100
    for watcher in (first, second):
        await watcher.aclose()
    await publisher.aclose()


async def test_a_watcher_that_does_not_read_loses_batches_and_is_told_how_many(tmp_path: Path):
    path = tmp_path / "events.sock"
    publisher = Publisher(str(path))
    await publisher.open()
    slow, quick = await watch(path, publisher, limit=1024), await watch(path, publisher)
    size = WATCHER_BACKLOG_BYTES_MAX // 4
    for tick in range(20):
        publisher.publish(batch(tick, size))
        assert (await quick.next()).dropped == 0
    got = [await slow.next()]
    while got[-1].dropped == 0:
        if slow._inbox == [] and len(got) < 20:
            publisher.publish(batch(100 + len(got), 1))
        got.append(await slow.next())
    kept = [each.tick for each in got[:-1]]
    assert kept == sorted(kept)
    whole = [tick for tick in kept if tick < 20]
    assert whole == list(range(len(whole)))
    assert got[-1].dropped >= 20 - len(whole)
    for watcher in (slow, quick):
        await watcher.aclose()
    await publisher.aclose()


async def test_watchers_are_bounded(tmp_path: Path):
    path = tmp_path / "events.sock"
    publisher = Publisher(str(path))
    await publisher.open()
    watchers = [await watch(path, publisher) for _ in range(WATCHERS_MAX)]
    reader, writer = await asyncio.open_unix_connection(path)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await publisher.aclose()
    for watcher in watchers:
        await watcher.aclose()


async def test_a_socket_left_by_a_killed_world_is_replaced_and_a_file_is_not(tmp_path: Path):
    path = tmp_path / "events.sock"
    server = await asyncio.start_unix_server(lambda _reader, writer: writer.close(), path)
    server.close()
    first = Publisher(str(path))
    await first.open()
    await first.aclose()
    path.write_text("precious")
    with pytest.raises(UserError, match="cannot listen"):
        await Publisher(str(path)).open()
    assert path.read_text() == "precious"


def test_a_told_batch_differs_in_the_count_alone():
    told = msgspec.structs.replace(batch(1), dropped=3)
    assert msgspec.structs.replace(told, dropped=0) == batch(1)
