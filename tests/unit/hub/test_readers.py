"""The threads that read the log: few, whatever becomes of those who asked."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engine.hub.readers import Readers
from engine.protocol.limits import LOG_READERS_MAX


class Slow:
    """Looks that end when they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        self.now = 0
        self.most = 0
        self._lock = threading.Lock()

    def look(self) -> int:
        with self._lock:
            self.begun += 1
            self.now += 1
            self.most = max(self.most, self.now)
        self.go.wait(20)
        with self._lock:
            self.now -= 1
        return 7


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


async def _begun(slow: Slow, count: int) -> None:
    async with asyncio.timeout(20):
        while slow.begun < count:
            await asyncio.sleep(0.005)


async def test_askers_who_give_up_make_no_room_for_more(slow: Slow) -> None:
    readers = Readers()
    for _ in range(3):
        asking = [asyncio.create_task(readers.look(slow.look)) for _ in range(4)]
        await _begun(slow, LOG_READERS_MAX)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert all(task.cancelled() for task in asking)
    last = asyncio.create_task(readers.look(slow.look))
    slow.go.set()
    assert await asyncio.wait_for(last, 20) == 7
    # Those who gave up before their turn are not looked for.
    assert (slow.most, slow.begun) == (LOG_READERS_MAX, LOG_READERS_MAX + 1)
    readers.close()


async def test_who_waits_when_it_closes_is_told(slow: Slow) -> None:
    readers = Readers()
    asking = [asyncio.create_task(readers.look(slow.look)) for _ in range(LOG_READERS_MAX + 1)]
    await _begun(slow, LOG_READERS_MAX)
    readers.close()
    with pytest.raises(OSError, match="over"):
        await asyncio.wait_for(asking[-1], 20)
    slow.go.set()
    assert await asyncio.wait_for(asyncio.gather(*asking[:-1]), 20) == [7] * LOG_READERS_MAX
    with pytest.raises(OSError, match="over"):
        await readers.look(slow.look)
