"""What became of the newest intents: the answer to one that is sent again."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from engine.protocol.gateway import VerdictKind
from engine.world.arrays import Array
from engine.world.events import Code, EventBlock

ANSWERED_TICKS_MAX: Final = 150
"""Longer than any player waits for an answer; what is older is permitted without an event."""


class Answer(NamedTuple):
    """An intent's verdict, and its root event."""

    verdict: VerdictKind
    reason: str | None
    event: int | None


UNKNOWN: Final = Answer("permit", None, None)


class _Roots(NamedTuple):
    correlation: Array
    kind: Array
    seq: Array
    texts: dict[int, str]
    """By root event: why it was denied, or what was changed."""


class Answered:
    """Remembers the root events of the newest ticks, by what they answered.

    Every intent that the world has taken has exactly one root event, which carries its
    correlation; so the log alone is enough to answer again, also after a restart.
    """

    def __init__(self, blocks: Iterable[EventBlock] = ()) -> None:
        self._ticks: deque[_Roots] = deque(maxlen=ANSWERED_TICKS_MAX)
        for block in blocks:
            self.remember(block)

    def remember(self, block: EventBlock) -> None:
        """Take in a tick's events."""
        rows = block.rows
        index = np.nonzero((rows["cause"] == 0) & (rows["correlation"] > 0))[0]
        seq = index + block.first_seq
        texts = block.reasons()
        self._ticks.append(_Roots(rows["correlation"][index], rows["kind"][index], seq, texts))

    def recall(self, correlations: list[int]) -> dict[int, Answer]:
        """Return the answers that are known, by correlation (``correlation_of``)."""
        if not self._ticks or not correlations:
            return {}
        wanted = np.array(correlations, np.uint64)
        found: dict[int, Answer] = {}
        for roots in self._ticks:
            for at in np.nonzero(np.isin(roots.correlation, wanted))[0].tolist():
                event = int(roots.seq[at])
                text = roots.texts.get(event)
                found[int(roots.correlation[at])] = _answer(int(roots.kind[at]), text, event)
        return found


def _answer(kind: int, text: str | None, event: int) -> Answer:
    if kind == Code.DENIED:
        return Answer("deny", text, event)
    if text is not None:
        return Answer("mutate", text, event)
    return Answer("permit", None, event)
