"""Picks events out of a tick's columns, and the violations among them."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from msgspec import Struct

from engine.protocol.errors import UserError
from engine.protocol.events import EVENT_CODE, EVENT_KINDS, Event
from engine.protocol.text import nearest, printable
from engine.store.reading import TickEvents
from engine.world.arrays import Array

_DENIED: Final = EVENT_CODE["denied"]
_BROKEN: Final = EVENT_CODE["invariant_broken"]
_MOVED: Final = EVENT_CODE["moved"]


class Violation(Struct, frozen=True):
    """A deny, a mutate or a broken invariant (``critical``); ``seq`` is its event."""

    seq: int
    tick: int
    policy: str
    actor: int
    reason: str
    critical: bool


class Sift(Struct, frozen=True):
    """Which events are wanted; None stands for any.

    Attributes:
        kinds: Codes of kinds.
        actor: Who did it.
        correlation: Root command.
        about: Entity in whose stream it is, who did it, or to whom it was done.
    """

    kinds: tuple[int, ...] | None = None
    actor: int | None = None
    correlation: int | None = None
    about: int | None = None

    def pick(self, tick: TickEvents, after_seq: int) -> Array:
        """Return the rows of wanted events after ``after_seq``, in order."""
        rows = tick.block.rows
        wanted = np.ones(len(rows), np.bool_)
        wanted[: max(0, after_seq + 1 - tick.first_seq)] = False
        if self.kinds is not None:
            wanted &= np.isin(rows["kind"], self.kinds)
        if self.actor is not None:
            wanted &= rows["actor"] == self.actor
        if self.correlation is not None:
            wanted &= rows["correlation"] == self.correlation
        if self.about is not None:
            about = self.about
            wanted &= (
                (rows["stream"] == about) | (rows["actor"] == about) | (rows["target"] == about)
            )
        return np.flatnonzero(wanted)


def events_at(tick: TickEvents, indexes: Array) -> list[Event]:
    """Return the events in some rows, as people see them."""
    block, texts = tick.block, tick.block.texts
    numbered = zip(indexes.tolist(), block.rows[indexes].tolist(), strict=True)
    return [
        Event(
            seq=block.first_seq + index,
            tick=tick.tick,
            kind=EVENT_KINDS[kind],
            stream=stream,
            version=version,
            actor=actor,
            target=target,
            a=a,
            b=b,
            text=texts.get(index, ""),
            cause=cause,
            correlation=correlation,
        )
        for index, (
            kind,
            stream,
            version,
            actor,
            target,
            a,
            b,
            cause,
            correlation,
        ) in numbered
    ]


def violations_of(tick: TickEvents, after_seq: int) -> list[Violation]:
    """Return a tick's violations after ``after_seq``, in order."""
    block = tick.block
    kinds = block.rows["kind"]
    indexes = set(np.flatnonzero((kinds == _DENIED) | (kinds == _BROKEN)).tolist())
    # A move that governance cut short stays a move, with the reason as its text.
    indexes.update(row for row in block.texts if kinds[row] == _MOVED)
    found = []
    for row in sorted(indexes):
        seq = block.first_seq + row
        if seq > after_seq:
            policy, _, reason = block.texts.get(row, "").partition(": ")
            actor, critical = int(block.rows["actor"][row]), bool(kinds[row] == _BROKEN)
            found.append(Violation(seq, tick.tick, policy, actor, reason, critical))
    return found


def kind_codes(names: Iterable[str]) -> tuple[int, ...]:
    """Return the codes of kinds of events.

    Raises:
        UserError: One is no kind.
    """
    codes = []
    for name in names:
        code = EVENT_CODE.get(name)
        if code is None:
            raise UserError(
                f"no kind of event {printable(name, 40)!r}{nearest(name, EVENT_KINDS)}; "
                f"allowed: {', '.join(EVENT_KINDS)}"
            )
        codes.append(code)
    return tuple(codes)
