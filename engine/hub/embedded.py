"""The whole engine in the caller's process, over memory links."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.hub.engine import Engine
from engine.hub.placement import LocalPlacement, Placement
from engine.link.memory import MemoryLink
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.feed import Ended
from engine.protocol.spec import RunSpec


class Embedded:
    """An engine in this loop.

    Args:
        spec: The run.
        placement: Where children run; tasks in this loop when None.
    """

    def __init__(self, spec: RunSpec, placement: Placement | None = None) -> None:
        self._spec = spec
        self._placement = placement or LocalPlacement()
        self._engine: Engine | None = None
        self._task: asyncio.Task[Ended] | None = None

    async def start(self) -> MemoryLink:
        """Start everything and return a link.

        Raises:
            UserError: Says what could not be started.
        """
        self._engine = Engine(self._spec, self._placement)
        await self._engine.start(os.getpid())
        self._task = asyncio.create_task(self._engine.finished(), name="engine")
        return MemoryLink.open(self._engine.exchange)

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            UserError: It was never started.
        """
        if self._engine is None:
            raise UserError("the engine was never started", ExitCode.OWN_FAULT)
        return self._engine

    async def aclose(self) -> Ended | None:
        """End the run if it has not ended, and return its end; None if it never began."""
        if self._engine is None or self._task is None:
            return None
        if not self._task.done():
            self._engine.hub.stop("its console closed")
        return await asyncio.shield(self._task)


@asynccontextmanager
async def embedded(spec: RunSpec, placement: Placement | None = None) -> AsyncIterator[MemoryLink]:
    """Run an engine in this loop for the length of the block.

    Args:
        spec: The run.
        placement: Where children run; tasks in this loop when None.

    Raises:
        UserError: Says what could not be started.
    """
    engine = Embedded(spec, placement)
    link = await engine.start()
    try:
        yield link
    finally:
        await engine.aclose()
