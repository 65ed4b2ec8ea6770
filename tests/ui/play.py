"""Opens the console on a made-up engine, to look at: ``python -P -m tests.ui.play [START_S]``."""

import asyncio
import os
import sys
import time

os.environ.setdefault("ESCDELAY", "25")

from console.app import ConsoleOptions, StormApp
from engine.link.base import EngineLink
from engine.protocol.feed import Ended
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink


async def play(start_s: float) -> None:
    """Run the console until it is left."""
    link = FakeLink(FakeEngine())
    began_s = time.monotonic() - start_s
    feeders: list[asyncio.Task[None]] = []

    def stop() -> None:
        async def end() -> None:
            await asyncio.sleep(2)
            link.push(Ended(0, "held: every threshold held", "/var/lib/seedstorm/runs/market-day"))

        feeders.append(asyncio.create_task(end()))

    async def feed() -> None:
        while True:
            link.push(link.engine.snapshot(time.monotonic() - began_s))
            await asyncio.sleep(0.25)

    async def connect() -> EngineLink:
        await asyncio.sleep(0.4)
        feeders.append(asyncio.create_task(feed()))
        return link

    link.on_stop = stop
    outcome = await StormApp(connect, ConsoleOptions(hz=4.0)).run_storm()
    for task in feeders:
        task.cancel()
    print(outcome)


if __name__ == "__main__":
    asyncio.run(play(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
