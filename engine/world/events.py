"""Events in columns: one block a tick, its stored form, and the form people see.

Payload by kind (``a``, ``b``); a *place* is ``y << 16 | x``:

========================  =============================  ============================
kind                      a                              b
========================  =============================  ============================
world_started             0 first start, 1 restart       players that were connected
joined, respawned         place                          gold from the treasury
moved, fled               x                              y
attacked, retaliated      damage done                    hp left (stream: the victim)
died                      tick of coming back            lives so far
looted                    gold taken                     goods taken
gathered                  goods taken                    goods left in the node
node_emptied              tick of growing again          0
node_regrown              goods now                      goods new in the world
traded                    goods bought (< 0: sold)       gold paid (< 0: received)
rested                    hp gained                      hp now
levelled_up               new level                      old level
stage_changed             new stage                      old stage
denied                    kind of intent (-1: a join)    0 (text: ``policy: reason``)
mutated                   kind of intent                 0 (text: ``policy: reason``)
policy_changed            1: disabled by the world       0 (text: ``policy: what changed``)
invariant_broken          found                          expected (text: ``name: words``)
cascade_cut               events put off, or chains      the bound (text: ``limit: words``)
========================  =============================  ============================

A ``mutated`` is caused by the root event of the command that governance changed. In schema 1
there was none: a ``moved`` with a text was shortened by governance.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from engine.protocol.events import EVENT_CODE, EVENT_KINDS, Event
from engine.protocol.feed import ViolationRow
from engine.world.arrays import Array
from engine.world.inputs import columns_to_rows

EVENT_SCHEMA: Final = 2
"""Raised when the columns of an event come to mean something else: ``engine.store.upcast``
says how older ones are read."""

EVENT_DTYPE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("stream", "<u4"),
        ("version", "<u4"),
        ("actor", "<u4"),
        ("target", "<u4"),
        ("a", "<i8"),
        ("b", "<i8"),
        ("cause", "<u8"),
        ("correlation", "<u8"),
    ]
)


class _Logged(Struct, frozen=True, array_like=True):
    columns: bytes
    texts: dict[int, str]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Logged)


class Code:
    """Codes of the event kinds, by name."""

    WORLD_STARTED: Final = EVENT_CODE["world_started"]
    JOINED: Final = EVENT_CODE["joined"]
    LEFT: Final = EVENT_CODE["left"]
    MOVED: Final = EVENT_CODE["moved"]
    ATTACKED: Final = EVENT_CODE["attacked"]
    DIED: Final = EVENT_CODE["died"]
    LOOTED: Final = EVENT_CODE["looted"]
    RESPAWNED: Final = EVENT_CODE["respawned"]
    GATHERED: Final = EVENT_CODE["gathered"]
    NODE_EMPTIED: Final = EVENT_CODE["node_emptied"]
    NODE_REGROWN: Final = EVENT_CODE["node_regrown"]
    TRADED: Final = EVENT_CODE["traded"]
    SAID: Final = EVENT_CODE["said"]
    RESTED: Final = EVENT_CODE["rested"]
    LEVELLED_UP: Final = EVENT_CODE["levelled_up"]
    STAGE_CHANGED: Final = EVENT_CODE["stage_changed"]
    RETALIATED: Final = EVENT_CODE["retaliated"]
    CALLED_FOR_HELP: Final = EVENT_CODE["called_for_help"]
    FLED: Final = EVENT_CODE["fled"]
    DENIED: Final = EVENT_CODE["denied"]
    INVARIANT_BROKEN: Final = EVENT_CODE["invariant_broken"]
    RESUMED: Final = EVENT_CODE["resumed"]
    DISCONNECTED: Final = EVENT_CODE["disconnected"]
    POLICY_CHANGED: Final = EVENT_CODE["policy_changed"]
    MUTATED: Final = EVENT_CODE["mutated"]
    CASCADE_CUT: Final = EVENT_CODE["cascade_cut"]


@dataclass(frozen=True, slots=True, eq=False)
class EventBlock:
    """The events of one tick.

    Attributes:
        first_seq: ``seq`` of row 0; row i is ``first_seq + i``.
        rows: ``EVENT_DTYPE``.
        texts: Row to text, for the rows that have one.
    """

    first_seq: int
    rows: Array
    texts: dict[int, str] = field(default_factory=dict)

    @property
    def last_seq(self) -> int:
        """``seq`` of the last event; before the first when there is none."""
        return self.first_seq + len(self.rows) - 1

    def after(self, seq: int, count: int | None = None) -> "EventBlock":
        """Return the events after ``seq``, at most ``count`` of them."""
        skip = max(seq + 1 - self.first_seq, 0)
        end = len(self.rows) if count is None else min(len(self.rows), skip + count)
        if (skip, end) == (0, len(self.rows)):
            return self
        texts = {row - skip: text for row, text in self.texts.items() if skip <= row < end}
        return EventBlock(self.first_seq + skip, self.rows[skip:end], texts)

    def violations(self) -> Array:
        """Return the rows of violations, in order.

        Denied, mutated, a bound on reactions that bit, a broken invariant.
        """
        kinds = self.rows["kind"]
        found = (kinds == Code.DENIED) | (kinds == Code.MUTATED)
        found |= (kinds == Code.INVARIANT_BROKEN) | (kinds == Code.CASCADE_CUT)
        found |= (kinds == Code.POLICY_CHANGED) & (self.rows["a"] == 1)
        # In schema 1 a move that governance cut short had the reason as its text.
        told = np.fromiter(self.texts, np.int64, len(self.texts))
        found[told[kinds[told] == Code.MOVED]] = True
        return np.flatnonzero(found)

    def reasons(self) -> dict[int, str]:
        """Return why commands were changed or denied, by their root event.

        Several may have changed one, one after another; who denied it came last.
        """
        kinds = self.rows["kind"]
        told: dict[int, str] = {}
        rows = np.flatnonzero(kinds == Code.MUTATED)
        pairs = list(zip(rows.tolist(), self.rows["cause"][rows].tolist(), strict=True))
        pairs += [
            (row, self.first_seq + row) for row in np.flatnonzero(kinds == Code.DENIED).tolist()
        ]
        for row, root in pairs:
            text = self.texts.get(row)
            if text is not None:
                told[root] = f"{told[root]}; {text}" if root in told else text
        return told

    def pack(self) -> bytes:
        """Return the columns one after another (without ``first_seq`` and texts)."""
        names = EVENT_DTYPE.names or ()
        return b"".join(self.rows[name].tobytes() for name in names)

    @classmethod
    def unpack(cls, first_seq: int, columns: bytes, texts: dict[int, str]) -> "EventBlock":
        """Return the block behind packed columns.

        Raises:
            ValueError: The bytes are no whole number of events.
        """
        count = len(columns) // EVENT_DTYPE.itemsize
        return cls(first_seq, columns_to_rows(columns, count, EVENT_DTYPE), texts)

    def to_log(self) -> bytes:
        """Return the stored form: columns and texts."""
        return _encoder.encode(_Logged(self.pack(), self.texts))

    @classmethod
    def from_log(cls, first_seq: int, data: bytes) -> "EventBlock":
        """Return the block behind a stored form.

        Raises:
            ValueError: The bytes are no event block.
        """
        logged = _decoder.decode(data)
        block = cls.unpack(first_seq, logged.columns, logged.texts)
        kinds, count = block.rows["kind"], len(block.rows)
        if count and int(kinds.max()) >= len(EVENT_KINDS):
            raise ValueError(f"an event of kind {kinds.max()}, which this version does not know")
        if any(not 0 <= row < count for row in block.texts):
            raise ValueError(f"a text of an event beyond the {count} of the block")
        return block


def logged_streams(data: bytes, count: int) -> tuple[Array, Array]:
    """Return streams and versions of ``EventBlock.to_log()``, (n,) each, and nothing else.

    Raises:
        ValueError: The bytes are no block of ``count`` events.
    """
    columns = _decoder.decode(data).columns
    if len(columns) != count * EVENT_DTYPE.itemsize:
        raise ValueError(f"{len(columns)} bytes for {count} events of {EVENT_DTYPE.itemsize}")
    # As ``pack`` puts them: one column after another.
    stream_at = count * EVENT_DTYPE["kind"].itemsize
    version_at = stream_at + count * EVENT_DTYPE["stream"].itemsize
    streams = np.frombuffer(columns, EVENT_DTYPE["stream"], count, stream_at)
    return streams, np.frombuffer(columns, EVENT_DTYPE["version"], count, version_at)


@dataclass(frozen=True, slots=True, eq=False)
class TickEvents:
    """The events of one tick, whose number they share."""

    tick: int
    block: EventBlock

    @property
    def first_seq(self) -> int:
        """``seq`` of the first event."""
        return self.block.first_seq

    @property
    def last_seq(self) -> int:
        """``seq`` of the last event; before the first when there is none."""
        return self.block.last_seq

    @property
    def rows(self) -> Array:
        """``EVENT_DTYPE``; row i is event ``first_seq + i``."""
        return self.block.rows

    def event(self, row: int) -> Event:
        """Return the event in one row, as people and scripts see it."""
        return _event(self.block, self.tick, row, self.rows[row].tolist())

    def events(self, rows: Array) -> list[Event]:
        """Return the events in some rows, as people and scripts see them."""
        return [
            _event(self.block, self.tick, row, values)
            for row, values in zip(rows.tolist(), self.rows[rows].tolist(), strict=True)
        ]

    def violations(self, after_seq: int = 0) -> list[ViolationRow]:
        """Return the violations after an event, in order."""
        rows = self.block.violations()
        found = []
        for event in self.events(rows[rows > after_seq - self.first_seq]):
            policy, _, reason = event.text.partition(": ")
            critical = event.kind == "invariant_broken"
            found.append(ViolationRow(event.seq, event.tick, policy, event.actor, reason, critical))
        return found


def to_events(block: EventBlock, tick: int) -> list[Event]:
    """Return the events as people and scripts see them."""
    return [_event(block, tick, row, values) for row, values in enumerate(block.rows.tolist())]


def _event(block: EventBlock, tick: int, row: int, values: tuple[int, ...]) -> Event:
    kind, stream, version, actor, target, a, b, cause, correlation = values
    return Event(
        seq=block.first_seq + row,
        tick=tick,
        kind=EVENT_KINDS[kind],
        stream=stream,
        version=version,
        actor=actor,
        target=target,
        a=a,
        b=b,
        text=block.texts.get(row, ""),
        cause=cause,
        correlation=correlation,
    )
