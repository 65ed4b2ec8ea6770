"""Picks events out of a tick's columns, and the violations among them."""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from engine.protocol.errors import UserError
from engine.protocol.events import EVENT_CODE, EVENT_KINDS
from engine.protocol.text import nearest, printable
from engine.world.arrays import Array
from engine.world.events import TickEvents


class Violation(Struct, frozen=True):
    """``ViolationRow`` as an object: ``seq`` is its event, ``critical`` a broken invariant."""

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
    """

    kinds: tuple[int, ...] | None = None

    def pick(self, tick: TickEvents, after_seq: int) -> Array:
        """Return the rows of wanted events after ``after_seq``, in order."""
        rows = tick.block.rows
        wanted = np.ones(len(rows), np.bool_)
        wanted[: max(0, after_seq + 1 - tick.first_seq)] = False
        if self.kinds is not None:
            wanted &= np.isin(rows["kind"], self.kinds)
        return np.flatnonzero(wanted)


def violations_of(tick: TickEvents, after_seq: int) -> list[Violation]:
    """Return a tick's violations after ``after_seq``, in order."""
    return [Violation(**asdict(row)) for row in tick.violations(after_seq)]


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
