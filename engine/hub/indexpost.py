"""The hub's post at the indexer: its keeper. A run without its index is still a run."""

import asyncio

from msgspec import Struct

from engine.hub.keeper import Keeper, Owner, Ready
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.hub.worldpost import Teller
from engine.protocol.archive import IndexAnew, IndexerSpec, IndexReport
from engine.protocol.errors import UserError


class IndexPost:
    """Keeps the indexer, beside everything else: nothing waits for it.

    Args:
        spec: Its first message; without a log on disk there is no indexer, nor in one process.
        placement: Where it runs.
        logbook: The engine's log.
        tell: Publishes a notice.

    Attributes:
        keeper: Starts it, and starts it again.
        position: The newest event that is indexed, as far as was told.
    """

    def __init__(
        self, spec: IndexerSpec, placement: Placement, logbook: Logbook, tell: Teller
    ) -> None:
        self._wanted = bool(spec.database) and not placement.in_process
        self._logbook = logbook
        self._tell = tell
        self._starting: asyncio.Task[None] | None = None
        self.position = 0
        owner = Owner(
            spec=lambda: spec,
            ready=self._ready,
            message=self._heard,
            lost=self._lost,
            broken=self._broken,
            heard=lambda line: logbook.write("child", child="indexer", line=line),
        )
        self.keeper = Keeper("indexer", "the indexer", placement, owner)

    def start(self) -> None:
        """Begin to start the indexer; returns at once, and nothing happens a second time."""
        if self._wanted and self._starting is None:
            self._starting = asyncio.create_task(self._start(), name="indexer-start")

    def begin_anew(self, why: str) -> None:
        """Have a damaged index thrown away and made anew."""
        self._logbook.write("index", text=f"found damaged: {why}")
        self.keeper.post(IndexAnew(why))

    async def quit(self, grace_s: float) -> None:
        """Stop it in order, by force after ``grace_s``; safe to call again."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if not await self.keeper.quit(grace_s):
            self._logbook.write("killed", child=self.keeper.name)

    async def _start(self) -> None:
        try:
            await self.keeper.start()
        except UserError as problem:
            self._broken(problem.message)

    async def _ready(self, _: Ready, again: bool) -> None:
        if again:
            self._logbook.write("index", text="the indexer is back")

    def _heard(self, message: Struct) -> None:
        if isinstance(message, IndexReport):
            self.position = message.position
            if message.anew:
                self._tell("problem", f"the index of the log is made anew: {message.anew}")

    def _lost(self, why: str) -> None:
        # Told in the engine's log alone: no answer changes, old events take longer to find.
        self._logbook.write("index", text=f"the indexer is gone: {why}")

    def _broken(self, why: str) -> None:
        text = f"the log is not indexed any more: {why}; old events take longer to find"
        self._tell("problem", text, bad=True)
