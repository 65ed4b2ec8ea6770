"""``Past``: the whole log, its index, and the world at any tick, for whoever asks the hub."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.hub.historypost import HistoryPost
from engine.hub.indexpost import IndexPost
from engine.hub.keeper import Keeper
from engine.hub.logbook import Logbook
from engine.hub.placement import Placement
from engine.hub.plan import WorldPlace, history_spec
from engine.hub.readers import Readers
from engine.hub.worldpost import Teller
from engine.protocol.archive import IndexerSpec
from engine.protocol.spec import RunSpec
from engine.store.search import Found, Wanted, search
from engine.store.why import Chain, read_chain

INDEX_NAME = "index.db"

T = TypeVar("T")


class Past:
    """Looks into the log on disk, a few looks at a time, never in the hub's loop.

    Args:
        spec: The run.
        place: Where its world is to be found.
        placement: Where the indexer and the historian run.
        readers: Look into the log.
        logbook: The engine's log.
        tell: Publishes a notice.

    Attributes:
        history: What the world was like.
    """

    def __init__(
        self,
        spec: RunSpec,
        place: WorldPlace,
        placement: Placement,
        readers: Readers,
        logbook: Logbook,
        tell: Teller,
    ) -> None:
        self._log = Path(place.database)
        self._index = self._log.with_name(INDEX_NAME)
        self._logbook = logbook
        self._readers = readers
        paths = IndexerSpec(place.database, str(self._index))
        self._indexer = IndexPost(paths, placement, logbook, tell)
        self.history = HistoryPost(history_spec(spec, place), placement, logbook)

    @property
    def keepers(self) -> list[Keeper]:
        """Those of the processes that run."""
        history = self.history.keeper
        return [self._indexer.keeper, *([] if history is None else [history])]

    def start(self) -> None:
        """Begin to start the indexer, once there is a log; nothing waits for it."""
        self._indexer.start()

    async def quit(self, grace_s: float) -> None:
        """End indexer and historian, by force after ``grace_s``; safe to call again."""
        await self.history.quit(grace_s)
        await self._indexer.quit(grace_s)

    async def search(self, wanted: Wanted, limit: int, *, newest: bool) -> Found | None:
        """Search the log (see ``engine.store.search``); None when it cannot be read."""
        found = await self._look(
            lambda: search(self._log, self._index, wanted, limit, newest=newest)
        )
        if found is not None and found.damage:
            self._indexer.begin_anew(found.damage)
        return found

    async def chain(self, seq: int) -> Chain | OSError | None:
        """Return an event's causes and effects; None for no such event, or what went wrong."""
        try:
            chain = await self._readers.look(lambda: read_chain(self._log, self._index, seq))
        except (OSError, ValueError) as problem:
            self._logbook.write("event log", text=f"cannot be read: {problem}")
            return OSError(str(problem))
        if chain is not None and chain.damage:
            self._indexer.begin_anew(chain.damage)
        return chain

    async def _look(self, look: Callable[[], T]) -> T | None:
        try:
            return await self._readers.look(look)
        except (OSError, ValueError) as problem:
            self._logbook.write("event log", text=f"cannot be read: {problem}")
            return None
