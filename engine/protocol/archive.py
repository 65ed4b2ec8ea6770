"""What the hub and those who read the log beside the world say to each other.

The indexer fills ``index.db``, the historian tells of past ticks. See ``engine.protocol.child``.
"""

from msgspec import Struct

from engine.protocol.manifest import WorldShape


class IndexerSpec(Struct, frozen=True, tag="indexer_spec"):
    """Everything the indexer needs to start: paths of ``events.db`` and ``index.db``."""

    database: str
    index: str


class IndexerReady(Struct, frozen=True, tag="indexer_ready"):
    """The indexer runs."""

    pid: int


class IndexAnew(Struct, frozen=True, tag="index_anew"):
    """Throw the index away and begin anew; why."""

    why: str


class IndexReport(Struct, frozen=True, tag="index_report"):
    """How far the index has come; ``anew``: why it was begun anew, empty when it was not."""

    position: int
    anew: str = ""


class HistorySpec(Struct, frozen=True, tag="history_spec"):
    """Everything the historian needs: the log, and what its world was made from."""

    database: str
    shape: WorldShape


class HistoryReady(Struct, frozen=True, tag="history_ready"):
    """The historian runs."""

    pid: int


class AskHistory(Struct, frozen=True, tag="ask_history"):
    """Tell of all entities as they were after a tick; ``id`` comes back in the answer."""

    id: int
    tick: int
    columns: tuple[str, ...]


class WithdrawHistory(Struct, frozen=True, tag="withdraw_history"):
    """Nobody waits for the answer to that question any more: do not work for it."""

    id: int


class HistoryTold(Struct, frozen=True, tag="history_told"):
    """Answer to ``ask_history``: ``columns`` of the world's arrays by name, as bytes.

    ``code`` and ``message`` say why there is none; both empty when there is one. A question that
    was withdrawn is answered as well: only then is it off the historian's hands.
    """

    id: int
    tick: int
    columns: dict[str, bytes]
    code: str = ""
    message: str = ""
