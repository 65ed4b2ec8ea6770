"""``Turn``: one tick in the making, what its parts share."""

from dataclasses import dataclass, field

import numpy as np

from engine.world.apply import apply
from engine.world.arrays import Array, join_rows
from engine.world.events import EVENT_DTYPE
from engine.world.state import State

Column = Array | int


@dataclass(slots=True, eq=False)
class Turn:
    """The state, the tick, and the events so far.

    Attributes:
        state: The world; changed by ``emit`` alone.
        tick: The tick.
        now_ms: World time: tick x interval.
        seed: The world's seed.
        first_seq: ``seq`` of the tick's first event.
        blocks: Events so far, each block of one kind.
        count: Events so far.
        texts: Row in the tick to text.
    """

    state: State
    tick: int
    now_ms: int
    seed: int
    first_seq: int
    blocks: list[Array] = field(default_factory=list)
    count: int = 0
    texts: dict[int, str] = field(default_factory=dict)

    def emit(
        self,
        kind: int,
        stream: Array,
        *,
        actor: Column = 0,
        target: Column = 0,
        a: Column = 0,
        b: Column = 0,
        cause: Column = 0,
        correlation: Column = 0,
    ) -> int:
        """Record events of one kind, apply them, and return the ``seq`` of the first.

        ``version`` is filled in when the tick is sealed.
        """
        first = self.first_seq + self.count
        if not len(stream):
            return first
        rows = np.empty(len(stream), EVENT_DTYPE)
        rows["kind"] = kind
        rows["stream"] = stream
        rows["version"] = 0
        rows["actor"] = actor
        rows["target"] = target
        rows["a"] = a
        rows["b"] = b
        rows["cause"] = cause
        rows["correlation"] = correlation
        apply(self.state, rows, self.now_ms)
        self.blocks.append(rows)
        self.count += len(rows)
        return first

    def text(self, seq: int, text: str) -> None:
        """Give an event its text."""
        self.texts[seq - self.first_seq] = text

    def tell(self, first: int, texts: list[str]) -> None:
        """Give each of several events in a row its text."""
        row = first - self.first_seq
        self.texts.update(zip(range(row, row + len(texts)), texts, strict=True))

    def events(self) -> Array:
        """Return every event so far, in order."""
        return join_rows(self.blocks, EVENT_DTYPE)
