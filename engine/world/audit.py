"""``AuditBlock``: for every intent of a tick what governance decided, and who was asked.

Stored beside the inputs and the events of the same tick, and read with them: the intent is
in the inputs, the reason in the event that tells of the denial or the mutation. Most
intents of a kind are judged by the same policies; so the policies of each kind stand in a
table, which every ``AUDIT_TABLE_TICKS`` ticks and every change of a policy write down anew.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from engine.protocol.gateway import INTENT_KINDS
from engine.world.arrays import Array

PERMIT: Final = 0
DENY: Final = 1
MUTATE: Final = 2
RESENT: Final = 3
"""In audits alone: an intent that was taken before, which is not judged again."""
VERDICT_NAMES: Final = ("permit", "deny", "mutate", "resent")

NO_POLICY: Final = 255
"""Stands for the deciding policy where none did."""
WORLD_ITSELF: Final = 254
"""Stands for it where governance let pass what the world then could not give."""
WORLD_NAME: Final = "world"
"""What is told as the policy there; no policy is called so."""

OTHER_KINDS: Final = len(INTENT_KINDS)
"""Place in a table of every kind that there is not."""

_DENIED_BY_WORLD: Final = 253
_RESENT: Final = 254
_PERMITTED: Final = 255
_MUTATED: Final = 64
"""One byte an intent: the place of who denied it, this more for who changed it, or one of
the above."""


class AuditTable(Struct, frozen=True, array_like=True):
    """Who judges what.

    Attributes:
        version: Changes of policies so far.
        names: Policies in the order in which they judge.
        by_kind: For each kind of intent, and for all unknown ones, a bit for each policy
            that judges every such intent.
    """

    version: int
    names: tuple[str, ...]
    by_kind: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Intents of which the table and the deciding policy do not tell all.

    They were changed and then denied, or changed by several, or not judged by a policy that
    could not judge.

    Attributes:
        rows: Of the tick's intents, in order, uint32, (m,).
        asked: Bit of each policy that was asked, uint64, (m,).
        changed: Bit of each policy that changed the intent, uint64, (m,).
    """

    rows: Array
    asked: Array
    changed: Array

    def to_log(self) -> bytes:
        """Return the stored form."""
        return self.rows.tobytes() + self.asked.tobytes() + self.changed.tobytes()

    @classmethod
    def from_log(cls, data: bytes, intents: int) -> "Marks":
        """Return the marks behind a stored form.

        Raises:
            ValueError: The bytes are no marks of so many intents.
        """
        count = len(data) // _MARK_BYTES
        if len(data) != count * _MARK_BYTES:
            raise ValueError(f"{len(data)} bytes of marks, {_MARK_BYTES} each")
        rows = np.frombuffer(data, np.uint32, count)
        if int(rows.max(initial=0)) >= intents:
            raise ValueError(f"a mark on intent {rows.max()} of {intents}")
        masks = np.frombuffer(data, np.uint8, offset=4 * count).view(np.uint64)
        return cls(rows, masks[:count], masks[count:])


_MARK_BYTES: Final = 4 + 8 + 8


class _Logged(Struct, frozen=True, array_like=True):
    version: int
    decisions: bytes
    narrow: bytes = b""
    table: AuditTable | None = None


class _Marked(_Logged, frozen=True, array_like=True):
    """Only written where there are marks."""

    marks: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Marked)


@dataclass(frozen=True, slots=True, eq=False)
class AuditBlock:
    """What was decided on a tick's intents, row by row as they were given.

    Attributes:
        version: Of the table that holds.
        verdict: ``PERMIT``, ``DENY``, ``MUTATE`` or ``RESENT``, uint8, (n,).
        policy: Place of the deciding policy, ``NO_POLICY`` or ``WORLD_ITSELF``, uint8, (n,).
        narrow: Bit of each policy of a narrow scope that was asked, uint64, (n,); None when
            there are no such policies.
        table: The table, in ticks that write it down.
        marks: On intents of which the rest does not tell all; None for none.
    """

    version: int
    verdict: Array
    policy: Array
    narrow: Array | None = None
    table: AuditTable | None = None
    marks: Marks | None = None

    def decided_by(self, place: int) -> Array:
        """Return the mask of the intents that a policy denied or changed, (n,).

        Args:
            place: Of the policy, or ``WORLD_ITSELF``.
        """
        mask: Array = self.policy == place
        if self.marks is not None and place < WORLD_ITSELF:
            bit = np.uint64(1 << place)
            mask[self.marks.rows] |= (self.marks.changed & bit) != 0
        return mask

    def evaluated(self, kind: Array, table: AuditTable) -> Array:
        """Return a bit for each policy that was asked about each intent, uint64, (n,).

        Args:
            kind: Of the tick's intents, (n,).
            table: The newest one written down before or in this tick.

        Raises:
            ValueError: It is another table.
        """
        if table.version != self.version:
            raise ValueError(f"table {table.version} of policies; this tick has {self.version}")
        bits: Array = np.array(table.by_kind, np.uint64)[np.minimum(kind, OTHER_KINDS)]
        if self.narrow is not None:
            bits |= self.narrow
        # Who comes after the denial was not asked.
        up_to = np.array([(2 << min(place, 63)) - 1 for place in range(256)], np.uint64)
        bits &= np.where(self.verdict == DENY, up_to[self.policy], up_to[NO_POLICY])
        bits[self.verdict == RESENT] = 0
        if self.marks is not None:
            bits[self.marks.rows] = self.marks.asked
        return bits

    def to_log(self) -> bytes:
        """Return the stored form; empty for a tick that has nothing to write down."""
        if not len(self.verdict) and self.table is None:
            return b""
        decisions = np.full(len(self.verdict), _PERMITTED, np.uint8)
        some = np.flatnonzero(self.verdict)
        verdict, policy = self.verdict[some], self.policy[some]
        codes = np.where(verdict == MUTATE, policy + np.uint8(_MUTATED), policy)
        codes[policy == WORLD_ITSELF] = _DENIED_BY_WORLD
        codes[verdict == RESENT] = _RESENT
        decisions[some] = codes
        narrow = b""
        if self.narrow is not None:
            # Byte by byte of all rows, which compresses best.
            narrow = self.narrow.view(np.uint8).reshape(-1, 8).T.tobytes()
        columns = (self.version, decisions.tobytes(), narrow, self.table)
        if self.marks is None:
            return _encoder.encode(_Logged(*columns))
        return _encoder.encode(_Marked(*columns, self.marks.to_log()))

    @classmethod
    def from_log(cls, data: bytes) -> "AuditBlock":
        """Return the block behind a stored form.

        Raises:
            ValueError: The bytes are no audit.
        """
        if not data:
            return cls(0, np.zeros(0, np.uint8), np.zeros(0, np.uint8))
        logged = _decoder.decode(data)
        codes = np.frombuffer(logged.decisions, np.uint8)
        mutated = (codes >= _MUTATED) & (codes < 2 * _MUTATED)
        verdict = np.full(len(codes), DENY, np.uint8)
        verdict[mutated] = MUTATE
        verdict[codes == _PERMITTED] = PERMIT
        verdict[codes == _RESENT] = RESENT
        policy = np.where(mutated, codes - np.uint8(_MUTATED), codes)
        policy[codes >= _DENIED_BY_WORLD] = NO_POLICY
        policy[codes == _DENIED_BY_WORLD] = WORLD_ITSELF
        narrow = None
        if logged.narrow:
            if len(logged.narrow) != 8 * len(codes):
                raise ValueError(f"{len(logged.narrow)} bytes of masks for {len(codes)} intents")
            planes = np.frombuffer(logged.narrow, np.uint8).reshape(8, -1)
            narrow = np.ascontiguousarray(planes.T).view(np.uint64).reshape(-1)
        marks = Marks.from_log(logged.marks, len(codes)) if logged.marks else None
        return cls(logged.version, verdict, policy, narrow, logged.table, marks)


def names_in(mask: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the policies whose bits are set, in the order in which they judge."""
    return tuple(name for place, name in enumerate(names) if mask >> place & 1)
