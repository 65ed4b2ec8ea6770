"""Who should have what after a tick: its events read again, apart from ``apply``.

Asked only when something is missing, to name the purse and the event.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.world.arrays import Array
from engine.world.events import Code
from engine.world.invariants.base import Scene

_Entry = tuple[int, str, Callable[[Array], Array]]
"""Kind of event, whose holding changes (``stream`` or ``target``), and by how much."""

_GOLD: Final[tuple[_Entry, ...]] = (
    (Code.JOINED, "stream", lambda e: e["b"]),
    (Code.RESPAWNED, "stream", lambda e: e["b"]),
    (Code.LOOTED, "stream", lambda e: e["a"]),
    (Code.LOOTED, "target", lambda e: -e["a"]),
    (Code.TRADED, "stream", lambda e: -e["b"]),
    (Code.TRADED, "target", lambda e: e["b"]),
)
_GOODS: Final[tuple[_Entry, ...]] = (
    (Code.LOOTED, "stream", lambda e: e["b"]),
    (Code.LOOTED, "target", lambda e: -e["b"]),
    (Code.GATHERED, "stream", lambda e: e["a"]),
    (Code.GATHERED, "target", lambda e: -e["a"]),
    (Code.TRADED, "stream", lambda e: e["a"]),
    (Code.TRADED, "target", lambda e: -e["a"]),
    (Code.NODE_REGROWN, "stream", lambda e: e["b"]),
)
_ENTRIES: Final = {"gold": _GOLD, "goods": _GOODS}


def blame(scene: Scene, column: str) -> tuple[int, int]:
    """Return whose holding is not what its events say, and an event that went nowhere.

    Args:
        scene: The world after the tick.
        column: ``gold`` or ``goods``.

    Returns:
        Entity and ``seq``, each 0 when there is none.
    """
    state, events = scene.state, scene.events
    count = state.count
    due = np.zeros(count, np.int64)
    earlier = getattr(scene.before, column)
    due[: len(earlier)] = earlier
    for kind, whose, amount_of in _ENTRIES[column]:
        places = np.nonzero(events["kind"] == kind)[0]
        some = events[places]
        rows, amounts = state.rows_of(some[whose]), amount_of(some).astype(np.int64)
        nowhere = np.nonzero((rows < 0) & (amounts != 0))[0]
        if len(nowhere):
            return 0, scene.first_seq + int(places[nowhere[0]])
        np.add.at(due, rows[rows >= 0], amounts[rows >= 0])
    wrong = np.nonzero(due != state.columns[column][:count])[0]
    return (int(state.id[wrong[0]]) if len(wrong) else 0), 0
