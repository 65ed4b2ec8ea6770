"""``Oracle``: asks after every tick whether the world is still true. It tells, and mends nothing.

Every invariant is checked in full in every tick. A break is told as ``invariant_broken`` in
the world's stream, caused by the newest event of the tick that touched what is broken, with
the chain that led there in its text.

It is told when it begins and whenever something else or more is wrong: each report names
the first place that was not named yet. After one report the next of that invariant comes
``INVARIANT_REPEAT_TICKS`` later at the earliest, says how many more there were, and what led
to the newest when it was found: what stays broken is no news, and nothing goes untold.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from blake3 import blake3
from msgspec import Struct

from engine.protocol.events import CORRELATION_SEQ_BITS, EVENT_KINDS, entity_name
from engine.protocol.limits import INVARIANT_NAMED_MAX, INVARIANT_REPEAT_TICKS, ORDER_SEQ_BASE
from engine.protocol.registry import scan
from engine.world import invariants as folder
from engine.world.arrays import Array
from engine.world.events import Code
from engine.world.invariants.base import Break, Breaks, Invariant, Scene
from engine.world.turn import Turn

_STEPS_MAX: Final = 8
"""Causes that a text names."""


class News(Struct, frozen=True):
    """A break as it was found, with what led to it.

    Attributes:
        found: What is.
        expected: What must be.
        words: Both, for people.
        led: The chain of events that led to it, for people.
        cause: ``seq`` of the newest event that touched it; 0 for none.
        correlation: Of that event.
    """

    found: int
    expected: int
    words: str
    led: str
    cause: int = 0
    correlation: int = 0


class Told(Struct):
    """What is known of an invariant that broke; part of the world's state.

    Attributes:
        tick: When it was told last.
        figure: How much is wrong now, and a checksum of what and by how much; None while it
            holds again.
        named: Places that are wrong and were named, with by how much they were; the newest
            ``INVARIANT_NAMED_MAX``.
        untold: Breaks since it was told.
        news: The newest of those.
    """

    tick: int
    figure: tuple[int, int] | None = None
    named: dict[int, int] = {}
    untold: int = 0
    news: News | None = None


class Oracle:
    """The invariants of one world.

    Args:
        invariants: What must hold.
        told: What was told already, by invariant.
    """

    def __init__(self, invariants: Sequence[Invariant], told: dict[str, Told]) -> None:
        self._invariants = invariants
        self.told = told

    def look(self, turn: Turn, scene: Scene) -> None:
        """Emit what is wrong and is news."""
        for invariant in self._invariants:
            breaks = invariant.check(scene)
            if breaks is None and invariant.name not in self.told:
                continue
            self._weigh(turn, scene, invariant.name, breaks)

    def _weigh(self, turn: Turn, scene: Scene, name: str, breaks: Breaks | None) -> None:
        told = self.told.get(name)
        figure, named = None, {}
        news: News | None = None
        if breaks is not None:
            figure, named = _figure(breaks), _still(breaks, told.named if told else {})
            if told is None or told.figure != figure:
                news = _find_news(scene, breaks, named)
        may_tell = told is None or turn.tick - told.tick >= INVARIANT_REPEAT_TICKS
        if news is not None and may_tell:
            more = f"; {told.untold} more since tick {told.tick}" if told and told.untold else ""
            _tell(turn, name, news, more)
            self.told[name] = Told(turn.tick, figure, named)
            return
        if told is None:
            return
        told.figure, told.named = figure, named
        if news is not None:
            told.untold += 1
            told.news = news
        if not may_tell:
            return
        if told.news is not None:
            more = f"; the newest of {told.untold} since tick {told.tick}"
            _tell(turn, name, told.news, more)
            self.told[name] = Told(turn.tick, figure, named)
        elif breaks is None:
            del self.told[name]


def _tell(turn: Turn, name: str, news: News, more: str) -> None:
    seq = turn.emit(
        Code.INVARIANT_BROKEN,
        np.zeros(1, np.int64),
        a=news.found,
        b=news.expected,
        cause=news.cause,
        correlation=news.correlation,
    )
    turn.text(seq, f"{name}: {news.words}{more}; {news.led}")


def find_invariants() -> tuple[Invariant, ...]:
    """Return every invariant of the folder, by name."""
    return tuple(scan(folder, "INVARIANT").values())


def pack_told(told: dict[str, Told]) -> bytes:
    """Return what was told, as bytes; empty when nothing ever broke."""
    return msgspec.msgpack.encode(sorted(told.items())) if told else b""


def unpack_told(data: bytes) -> dict[str, Told]:
    """Return what was told behind such bytes.

    Raises:
        ValueError: The bytes are no such thing.
    """
    return dict(msgspec.msgpack.decode(data, type=list[tuple[str, Told]])) if data else {}


def _figure(breaks: Breaks) -> tuple[int, int]:
    """Return how many places are wrong, and a checksum of which and by how much."""
    columns = b"".join(np.ascontiguousarray(c).tobytes() for c in (breaks.where, breaks.off))
    return len(breaks.where), int.from_bytes(blake3(columns).digest(8), "big") >> 1


def _still(breaks: Breaks, named: dict[int, int]) -> dict[int, int]:
    """Return what was named and is wrong still."""
    if not named:
        return {}
    wrong = breaks.where[np.isin(breaks.where, list(named))].tolist()
    return {where: off for where, off in named.items() if where in wrong}


def _find_news(scene: Scene, breaks: Breaks, named: dict[int, int]) -> News | None:
    """Return what is told of the first place that was not named yet, and name it.

    Where all were named, of the first that is wrong otherwise than then; None when there is
    none: some were mended, and that is all.
    """
    place = int(np.argmax(new := ~np.isin(breaks.where, list(named))))
    if not new.any():
        then = [named[where] for where in breaks.where.tolist()]
        place = int(np.argmax(other := breaks.off != np.array(then)))
        if not other.any():
            return None
    where = int(breaks.where[place])
    named.pop(where, None)
    named[where] = int(breaks.off[place])
    if len(named) > INVARIANT_NAMED_MAX:
        del named[next(iter(named))]
    broken, count = breaks.at(place), len(breaks.where)
    words = broken.words if count == 1 else f"{broken.words} (one of {count})"
    row = _newest(scene, broken)
    if row is None:
        return News(broken.found, broken.expected, words, "no event of this tick led to it")
    return News(
        broken.found,
        broken.expected,
        words,
        f"after {_chain(scene, row)}",
        scene.first_seq + row,
        int(scene.events["correlation"][row]),
    )


def _newest(scene: Scene, broken: Break) -> int | None:
    """Return the row of the newest event that touched what is broken."""
    if broken.seq:
        return broken.seq - scene.first_seq
    if not broken.entity:
        return None
    events, who = scene.events, broken.entity
    touched = (events["stream"] == who) | (events["target"] == who) | (events["actor"] == who)
    rows = np.nonzero(touched)[0]
    return int(rows[-1]) if len(rows) else None


def _chain(scene: Scene, row: int) -> str:
    """Return an event and its causes, newest first, up to the command."""
    steps: list[str] = []
    events, seqs = scene.events, scene.pending.seqs
    event, seq = events[row], scene.first_seq + row
    while True:
        steps.append(f"#{seq} {EVENT_KINDS[event['kind']]} {entity_name(int(event['stream']))}")
        cause = int(event["cause"])
        if not cause or cause >= seq or len(steps) == _STEPS_MAX:
            break
        seq = cause
        found = _find(scene.first_seq, events, seqs, scene.pending.rows, seq)
        if found is None:
            steps.append(f"#{seq}")
            break
        event = found
    root = _root(int(event["correlation"])) if not int(event["cause"]) else "…"
    return " ← ".join(steps) + (f" ← {root}" if root else "")


def _find(first_seq: int, events: Array, seqs: Array, rows: Array, seq: int) -> Array | None:
    """Return an event of this tick, or one that waited for it."""
    if seq >= first_seq:
        found: Array = events[seq - first_seq]
        return found
    at = int(np.searchsorted(seqs, np.uint64(seq)))
    return rows[at] if at < len(seqs) and int(seqs[at]) == seq else None


def _root(correlation: int) -> str:
    """Return whose command a chain came from, empty when it was nobody's."""
    if not correlation:
        return ""
    who, seq = correlation >> CORRELATION_SEQ_BITS, correlation & (2**CORRELATION_SEQ_BITS - 1)
    if seq > ORDER_SEQ_BASE:
        return f"an order for {entity_name(who)}"
    return f"command {seq} of {entity_name(who)}"
