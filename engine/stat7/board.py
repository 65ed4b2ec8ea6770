"""``Board``: what the stream has told, and what there is to tell now. No clock, no socket."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.protocol.events import entity_name
from engine.protocol.feed import FaultView
from engine.protocol.limits import (
    STAT7_CHAINS_PER_WRITE_MAX,
    STAT7_HISTORY_MAX,
    STAT7_UPDATES_PER_MESSAGE_MAX,
)
from engine.protocol.phases import PhasesTold
from engine.stat7.chains import bit_chains, place_name, realm_rows, update_rows
from engine.stat7.coordinates import PLACES, Sheet, derive
from engine.stat7.messages import created, stamp, told
from engine.stat7.near import Near
from engine.stat7.service import Column, Look, Run
from engine.world.events import TickEvents
from engine.world.state import PLAYER

_UPDATED = ("resonance", "velocity", "density", "horizon", "x", "y")
_MOVED = ("realm", "lineage")


class Board:
    """The run as the stream has told it so far.

    Args:
        run: See ``Run``.

    Attributes:
        near: Who met whom.
        history: The newest ``bitchain_created``, oldest first, ready for a socket.
        names: Everything that was announced, in order: a row of every later ``Sheet``.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.near = Near()
        self.history: deque[bytes] = deque(maxlen=STAT7_HISTORY_MAX)
        self.names: list[str] = []
        self._ids: Column = np.empty(0, np.uint32)
        self._before: Look | None = None
        self._told: Sheet | None = None
        self._phases = PhasesTold()

    def has_new(self, ids: Column) -> bool:
        """Whether something in the world was never announced."""
        return PLACES + len(ids) != len(self.names)

    def nobody_watches(self) -> None:
        """Whoever comes next has been told nothing: then everything is news."""
        self._told = None

    def take_events(self, ticks: Sequence[TickEvents]) -> None:
        """Take in what happened since the last call, before the look that shows it."""
        self.near.take(ticks)

    def tell(self, look: Look, now_ms: int, *, watched: bool) -> Iterator[bytes]:
        """Yield what there is to tell: first what is new, then what changed.

        Each piece is one or more whole frames, to be sent before the next is asked for.
        What fails half-way is gone on with at the next call: nothing is left out.

        Args:
            look: The world now.
            now_ms: Time for the messages, milliseconds since 1970.
            watched: Whether anybody is there. If not, only the newest bit-chains are made,
                for whoever comes.
        """
        ids = look.columns["id"]
        if not np.array_equal(ids[: len(self._ids)], self._ids):
            # Rows are never moved or reused: this is another world. It is told from its start.
            self.names, self._before, self._told = [], None, None
        sheet = derive(look, self._before, self.run.interval_ms)
        self._ids, self._before = ids, look
        old = len(self.names)
        rows = range(old, PLACES + len(ids))
        if not watched:
            self.nobody_watches()
            frames = self._announced(rows[-STAT7_HISTORY_MAX:], sheet, look, now_ms)
            self.names += _names(rows, ids)
            yield frames
            return
        for start in range(0, len(rows), STAT7_CHAINS_PER_WRITE_MAX):
            some = rows[start : start + STAT7_CHAINS_PER_WRITE_MAX]
            frames = self._announced(some, sheet, look, now_ms)
            self.names += _names(some, ids)
            yield frames
        yield from self._updates(self._told, sheet, old, stamp(now_ms))
        self._told = sheet

    def tell_faults(self, views: Sequence[FaultView], now_ms: int) -> list[bytes]:
        """Return a message for each fault that was armed, cleared or recovered from."""
        run = self.run.name
        return [
            told("fault", {**_fault_data(view), "phase": phase, "at_s": at_s}, run, stamp(now_ms))
            for view, phase, at_s in self._phases.news(views)
        ]

    def welcome(self, views: Sequence[FaultView], now_ms: int) -> bytes:
        """Return ``experiment_start`` for a newcomer: where the run is."""
        data = {
            "run": self.run.name,
            "seed": self.run.seed,
            "world_epoch": stamp(self.run.epoch_ms),
            "tick": self._before.tick if self._before is not None else 0,
            "tick_interval_ms": self.run.interval_ms,
            "bitchains": len(self.names),
            "faults": [_fault_data(view) for view in views if view.cleared_at_s is None],
        }
        return told("experiment_start", data, self.run.name, stamp(now_ms))

    def farewell(self, data: Mapping[str, object], now_ms: int) -> bytes:
        """Return ``experiment_completed``."""
        whole = {"run": self.run.name, "bitchains": len(self.names), **data}
        return told("experiment_completed", whole, self.run.name, stamp(now_ms))

    def _announced(self, rows: range, sheet: Sheet, look: Look, now_ms: int) -> bytes:
        """Return the announcement of some rows in one piece, after it was kept in the history."""
        stamps = [self._created_at(row, look) for row in rows]
        timestamp = stamp(now_ms)
        frames = [
            created(chain, self.run.name, timestamp)
            for chain in bit_chains(list(rows), sheet, look, self.near, stamps)
        ]
        self.history.extend(frames)
        return b"".join(frames)

    def _created_at(self, row: int, look: Look) -> str:
        """Return world time at which a row began to be: players join, all else was there."""
        tick = 0
        entity = row - PLACES
        if entity >= 0 and look.columns["kind"][entity] == PLAYER:
            tick = self.near.joined(int(look.columns["id"][entity]), look.tick)
        return stamp(self.run.epoch_ms + tick * self.run.interval_ms)

    def _updates(
        self, before: Sheet | None, sheet: Sheet, old: int, timestamp: str
    ) -> Iterator[bytes]:
        """Yield what changed of the first ``old`` rows since ``before`` was told."""
        moved = _changed(before, sheet, old, _MOVED)
        changed = np.flatnonzero(moved | _changed(before, sheet, old, _UPDATED))
        for start in range(0, len(changed), STAT7_UPDATES_PER_MESSAGE_MAX):
            rows = changed[start : start + STAT7_UPDATES_PER_MESSAGE_MAX]
            data: dict[str, object] = {
                "tick": sheet.tick,
                "updates": update_rows(rows, self.names, sheet),
            }
            realms = rows[moved[rows]]
            if len(realms):
                data["realms"] = realm_rows(realms, self.names, sheet)
            yield told("coordinates_updated", data, self.run.name, timestamp)


def _names(rows: range, ids: Column) -> list[str]:
    """Return what some rows of a sheet are called."""
    places = [place_name(row) for row in rows if row < PLACES]
    first, end = (max(row - PLACES, 0) for row in (rows.start, rows.stop))
    return places + [entity_name(entity) for entity in ids[first:end].tolist()]


def _changed(before: Sheet | None, sheet: Sheet, old: int, fields: tuple[str, ...]) -> Column:
    """Return which of the first ``old`` rows differ; what was never told does."""
    changed = np.ones(old, np.bool_)
    if before is None:
        return changed
    told_rows = min(old, len(before.realm))
    changed[:told_rows] = False
    for field in fields:
        now, then = getattr(sheet, field)[:told_rows], getattr(before, field)[:told_rows]
        changed[:told_rows] |= now != then
    return changed


def _fault_data(view: FaultView) -> dict[str, object]:
    return {
        "id": view.id,
        "name": view.name,
        "scope": view.scope,
        "hold_s": view.hold_s,
        "planned": view.planned,
        "affected": view.affected,
        "why": view.cleared_why,
    }
