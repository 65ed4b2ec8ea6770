"""``TickInputs``: everything that comes into a tick from outside, and its stored form.

The log keeps inputs as they came (denied intents too); stepping them again gives the
same world.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from engine.protocol.gateway import ROLES
from engine.protocol.limits import NAME_CHARS_MAX, SAY_CHARS_MAX
from engine.protocol.policy import PolicyChange
from engine.world.arrays import Array

PLAYER_ROLE: Final = ROLES.index("player")
OPERATOR: Final = ROLES.index("operator")
NARRATOR: Final = ROLES.index("narrator")

INTENT_DTYPE: Final = np.dtype(
    [
        ("player", "<u4"),
        ("seq", "<u4"),
        ("kind", "u1"),
        ("x", "<i4"),
        ("y", "<i4"),
        ("target", "<u4"),
        ("amount", "<i4"),
        ("role", "u1"),
    ]
)
"""``player`` is the entity id; ``kind`` the index in ``INTENT_KINDS``, ``role`` in ``ROLES``."""


class _Stored(Struct, frozen=True, omit_defaults=True):
    count: int
    columns: bytes
    texts: dict[int, str] = {}
    joins: list[tuple[int, str]] = []
    leaves: list[int] = []
    restarted: bool = False
    policies: list[PolicyChange] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Stored)


@dataclass(slots=True, eq=False)
class TickInputs:
    """The inputs of one tick.

    Attributes:
        intents: ``INTENT_DTYPE``, in any order.
        texts: Row of ``intents`` to what is said; cut here, made printable at the door: what that
            is differs from one version of Python to the next, and stored inputs shall not.
        joins: Entity id and name of every player that connected. A known id resumes.
        leaves: Entity ids whose connection is gone. One that stands in both lists and
            was connected has left and come back; one that was not, came and left.
        restarted: The process is new: nobody is connected any more.
        policies: What an operator changes in governance, before anything else happens.
    """

    intents: Array
    texts: dict[int, str] = field(default_factory=dict)
    joins: list[tuple[int, str]] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    restarted: bool = False
    policies: list[PolicyChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.texts:
            self.texts = {row: text[:SAY_CHARS_MAX] for row, text in self.texts.items()}
        if self.joins:
            self.joins = [(who, name[:NAME_CHARS_MAX]) for who, name in self.joins]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, ...]] = (), **others: object) -> "TickInputs":
        """Return inputs from plain tuples in the order of ``INTENT_DTYPE``'s fields.

        The role may be left out: a player's.
        """
        whole = [
            row if len(row) == len(INTENT_DTYPE.names or ()) else (*row, PLAYER_ROLE)
            for row in rows
        ]
        return cls(np.array(whole, INTENT_DTYPE), **others)  # type: ignore[arg-type]  # the caller's keywords are the fields

    def pack(self) -> bytes:
        """Return the stored form; columns one after another, which compresses best."""
        intents = self.intents
        names = INTENT_DTYPE.names or ()
        columns = b"".join(intents[name].tobytes() for name in names) if len(intents) else b""
        return _encoder.encode(
            _Stored(
                len(intents),
                columns,
                self.texts,
                self.joins,
                self.leaves,
                self.restarted,
                self.policies,
            )
        )

    @classmethod
    def unpack(cls, data: bytes) -> "TickInputs":
        """Return the inputs behind a stored form.

        Raises:
            ValueError: The bytes are no inputs.
        """
        stored = _decoder.decode(data)
        intents = columns_to_rows(stored.columns, stored.count, INTENT_DTYPE)
        return cls(
            intents, stored.texts, stored.joins, stored.leaves, stored.restarted, stored.policies
        )


def columns_to_rows(data: bytes, count: int, dtype: np.dtype[np.void]) -> Array:
    """Return ``count`` rows from their columns one after another.

    Raises:
        ValueError: The bytes are not as many as ``count`` rows have.
    """
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes for {count} rows of {dtype.itemsize}")
    rows = np.empty(count, dtype)
    offset = 0
    for name in dtype.names or ():
        column = dtype[name]
        rows[name] = np.frombuffer(data, column, count, offset)
        offset += count * column.itemsize
    return rows
