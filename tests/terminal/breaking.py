"""A console on a made-up engine that breaks at a mark: ``python -P -m tests.terminal.breaking``."""

import asyncio
import os
import sys

os.environ.setdefault("ESCDELAY", "25")

from console.app import ConsoleOptions, StormApp
from engine.link.base import EngineLink
from engine.protocol.command import Command, Mark, Reply
from tests.ui.fake_engine import FakeEngine
from tests.ui.fake_link import FakeLink


class Breaking(FakeLink):
    """Keeps its promise until it is told of a mark."""

    async def call(self, command: Command) -> Reply:
        """See ``EngineLink.call``."""
        if type(command) is Mark:
            raise RuntimeError("the link broke its promise")
        return await super().call(command)


async def show() -> None:
    """Run the console until it breaks or is left."""
    link = Breaking(FakeEngine())

    async def connect() -> EngineLink:
        link.push(link.engine.snapshot(20.0))
        return link

    await StormApp(connect, ConsoleOptions(hz=20.0)).run_storm()


if __name__ == "__main__":
    try:
        asyncio.run(show())
    except RuntimeError as problem:
        sys.exit(f"broke: {problem}")
