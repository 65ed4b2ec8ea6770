"""The newest answers that a player got, kept in a few hundred bytes.

A thousand players are answered a thousand times a second and hardly one of them is ever
looked into: an answer is packed into a ring, and unpacked when somebody asks.
"""

import struct
from typing import Final, get_args

from engine.protocol.gateway import INTENT_KINDS, VerdictKind
from engine.protocol.limits import ACK_REASON_CHARS_MAX, ACKS_REMEMBERED_MAX
from engine.protocol.query import AckRow
from engine.protocol.text import printable

_ANSWER: Final = struct.Struct("<IBBfd")
"""seq, kind, verdict, latency in ms, the time of the answer in s."""
_KIND_CODE: Final[dict[str, int]] = {kind: code for code, kind in enumerate(INTENT_KINDS)}
_VERDICTS: Final = get_args(VerdictKind)
_VERDICT_CODE: Final = {verdict: code for code, verdict in enumerate(_VERDICTS)}


class Acks:
    """A ring of the newest ``ACKS_REMEMBERED_MAX`` answers of one player.

    Attributes:
        count: Answers since the player first came.
    """

    __slots__ = ("_reasons", "_ring", "count")

    def __init__(self) -> None:
        self.count = 0
        self._ring: bytearray | None = None
        self._reasons: dict[int, str] | None = None

    def add(
        self,
        seq: int,
        kind: str,
        verdict: VerdictKind,
        reason: str | None,
        latency_s: float,
        now_s: float,
    ) -> None:
        """Remember an answer; the oldest makes room for it."""
        if self._ring is None:
            self._ring = bytearray(_ANSWER.size * ACKS_REMEMBERED_MAX)
        slot = self.count % ACKS_REMEMBERED_MAX
        self.count += 1
        _ANSWER.pack_into(
            self._ring,
            slot * _ANSWER.size,
            seq & 0xFFFFFFFF,
            _KIND_CODE[kind],
            _VERDICT_CODE[verdict],
            latency_s * 1000.0,
            now_s,
        )
        if reason:
            if self._reasons is None:
                self._reasons = {}
            self._reasons[slot] = reason[:ACK_REASON_CHARS_MAX]
        elif self._reasons:
            self._reasons.pop(slot, None)

    def rows(self, began_s: float) -> tuple[AckRow, ...]:
        """Return the answers, oldest first; ``began_s`` is the run's start on the same clock."""
        if self._ring is None:
            return ()
        reasons = self._reasons or {}
        rows = []
        for number in range(max(0, self.count - ACKS_REMEMBERED_MAX), self.count):
            slot = number % ACKS_REMEMBERED_MAX
            seq, kind, verdict, latency_ms, at_s = _ANSWER.unpack_from(
                self._ring, slot * _ANSWER.size
            )
            rows.append(
                AckRow(
                    seq,
                    INTENT_KINDS[kind],
                    _VERDICTS[verdict],
                    printable(reasons.get(slot, ""), ACK_REASON_CHARS_MAX),
                    round(latency_ms, 3),
                    round(at_s - began_s, 3),
                )
            )
        return tuple(rows)
