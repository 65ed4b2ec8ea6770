"""``Oracle``: asks after every tick whether the world is still true. It tells, and mends nothing.

Every invariant is checked in full in every tick. A break is told as ``invariant_broken`` in
the world's stream, caused by the newest event of the tick that touched what is broken, with
the chain that led there in its text.

It is told when it begins and whenever its figure changes, but after one report the next
of that invariant comes ``INVARIANT_REPEAT_TICKS`` later at the earliest and says how many
more there were: what stays broken is no news, and nothing that broke goes untold.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from engine.protocol.events import CORRELATION_SEQ_BITS, EVENT_KINDS, entity_name
from engine.protocol.limits import INVARIANT_REPEAT_TICKS, ORDER_SEQ_BASE
from engine.protocol.registry import scan
from engine.world import invariants as folder
from engine.world.arrays import Array
from engine.world.events import Code
from engine.world.invariants.base import Break, Invariant, Scene
from engine.world.turn import Turn

_STEPS_MAX: Final = 8
"""Causes that a text names."""


class Told(Struct):
    """What is known of an invariant that broke; part of the world's state.

    Attributes:
        tick: When it was told last.
        figure: What is wrong now, None while it holds again.
        untold: Breaks since it was told.
        words: The newest of those.
    """

    tick: int
    figure: tuple[int, int] | None
    untold: int = 0
    words: str = ""


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
            broken = invariant.check(scene)
            if broken is None and invariant.name not in self.told:
                continue
            self._weigh(turn, scene, invariant.name, broken)

    def _weigh(self, turn: Turn, scene: Scene, name: str, broken: Break | None) -> None:
        told = self.told.get(name)
        figure = None if broken is None else _figure(broken)
        is_news = broken is not None and (told is None or told.figure != figure)
        may_tell = told is None or turn.tick - told.tick >= INVARIANT_REPEAT_TICKS
        if broken is not None and is_news and may_tell:
            more = f"; {told.untold} more since tick {told.tick}" if told and told.untold else ""
            self._tell(turn, scene, name, broken, broken.words, more)
            self.told[name] = Told(turn.tick, figure)
            return
        if told is None:
            return
        told.figure = figure
        if broken is not None and is_news:
            told.untold += 1
            told.words = broken.words
        if not may_tell:
            return
        if told.untold:
            more = f"; the newest of {told.untold} since tick {told.tick}"
            self._tell(turn, scene, name, broken or Break(0, 0, ""), told.words, more)
            self.told[name] = Told(turn.tick, figure)
        elif broken is None:
            del self.told[name]

    def _tell(
        self, turn: Turn, scene: Scene, name: str, broken: Break, words: str, more: str
    ) -> None:
        row = _newest(scene, broken)
        cause = correlation = 0
        led = "no event of this tick led to it"
        if row is not None:
            cause = scene.first_seq + row
            correlation = int(scene.events["correlation"][row])
            led = f"after {_chain(scene, row)}"
        seq = turn.emit(
            Code.INVARIANT_BROKEN,
            np.zeros(1, np.int64),
            a=broken.found,
            b=broken.expected,
            cause=cause,
            correlation=correlation,
        )
        turn.text(seq, f"{name}: {words}{more}; {led}")


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


def _figure(broken: Break) -> tuple[int, int]:
    """Return what makes one break differ from another: by how much, and where."""
    return broken.found - broken.expected, broken.where


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
