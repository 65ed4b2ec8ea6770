"""A console on a made-up engine that breaks at a mark: ``python -P -m tests.terminal.breaking``.

With ``BREAK_KEYS`` in the environment it breaks in the thread that reads keys.
"""

import asyncio
import os
import sys

os.environ.setdefault("ESCDELAY", "25")

from textual.events import Key
from textual.message import Message

from console.app import ConsoleOptions, StormApp
from console.outcome import Outcome
from console.paint.driver import StormDriver
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


class DeafDriver(StormDriver):
    """Breaks at the first letter."""

    def process_message(self, message: Message) -> None:
        """See ``Driver.process_message``."""
        if isinstance(message, Key) and message.key == "j":
            raise ValueError("no such key")
        super().process_message(message)


async def show() -> Outcome:
    """Run the console until it breaks or is left; return how that was."""
    link = Breaking(FakeEngine())

    async def connect() -> EngineLink:
        link.push(link.engine.snapshot(20.0))
        return link

    driver = DeafDriver if "BREAK_KEYS" in os.environ else StormDriver
    app = StormApp(connect, ConsoleOptions(hz=20.0), driver_class=driver)
    return await app.run_storm()


if __name__ == "__main__":
    outcome = asyncio.run(show())
    sys.exit(outcome.text if outcome.exit_code else 0)
