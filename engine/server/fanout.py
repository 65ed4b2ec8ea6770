"""After a tick: acknowledgements first, then everyone's surroundings, a slice at a time.

Sending is nearly all of a tick's work with thousands of players. Cut into slices over
the interval, it leaves the loop free in between, and commands are read as they come. A
frame around which nothing has changed since the player's last one is not sent at all.
"""

from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.protocol.gateway import Ack
from engine.protocol.limits import CELLS_PER_SIDE
from engine.server.pace import Pace
from engine.server.schedule import FAN_OUT_SLICES
from engine.server.session import Session

FRAME_HEAD_BYTES: Final = 4
_SLICE_MIN: Final = 500
"""A shorter slice costs more than it spares: each one wakes up the players' processes anew.
Measured with 1,000 players: 8 slices of 125 take 31 ms a tick, 2 of 500 take 24."""


QUIET_TICKS_MAX: Final = 10
"""A player around whom nothing changes gets a frame this often all the same: the world is alive."""


def newest_around(cell_versions: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return for each interest cell the newest version among it and the eight around it.

    Args:
        cell_versions: Tick of the last change by cell, (``CELLS``,), row-major.
    """
    grid = np.zeros((CELLS_PER_SIDE + 2, CELLS_PER_SIDE + 2), np.int64)
    grid[1:-1, 1:-1] = cell_versions.reshape(CELLS_PER_SIDE, CELLS_PER_SIDE)
    lines = np.maximum(np.maximum(grid[:-2], grid[1:-1]), grid[2:])
    newest: NDArray[np.int64] = np.maximum(np.maximum(lines[:, :-2], lines[:, 1:-1]), lines[:, 2:])
    return newest.ravel()


class Frames(Protocol):
    """Frames of one tick by the cell they are centred on; encoded once each."""

    def frame(self, cell: int) -> bytes:
        """Return the msgpack ``Delta`` of the cell and the eight around it."""
        ...

    def json_frame(self, cell: int) -> bytes:
        """Return the same as JSON."""
        ...


class FanOut:
    """Sends one tick's answers and frames.

    Args:
        pace: Who gets an update at all.
        slice_min: Players to a slice, at least.

    Attributes:
        frames_sent: Frames of surroundings sent since the start.
        frames_skipped: Frames not sent: to a client that reads too slowly, in ticks that
            were cut short, or left out by the pace.
        bytes_sent: Bytes sent since the start, frame heads included.
    """

    def __init__(self, pace: Pace, slice_min: int = _SLICE_MIN) -> None:
        self.frames_sent = 0
        self.frames_skipped = 0
        self.bytes_sent = 0
        self._pace = pace
        self._slice_min = slice_min
        self._tick = 0
        self._newest: list[int] = []
        self._slices: list[list[Session]] = []
        self._unserved: dict[Session, None] = {}

    @property
    def slices(self) -> int:
        """How many slices the planned fan-out has."""
        return len(self._slices)

    def acknowledge(self, answers: Iterable[tuple[Session, Ack]]) -> list[Session]:
        """Send every answer and return the players that got one, each once."""
        answered: dict[Session, None] = {}
        for session, ack in answers:
            self.bytes_sent += session.send(ack) + FRAME_HEAD_BYTES
            answered[session] = None
        return list(answered)

    def plan(
        self,
        tick: int,
        answered: list[Session],
        playing: list[Session],
        cell_versions: NDArray[np.generic],
    ) -> None:
        """Decide who gets a frame, and when: the answered, then who missed the last, then all.

        Args:
            tick: The tick.
            answered: Who got an acknowledgement.
            playing: Everyone who may be sent frames.
            cell_versions: Tick of the last change by interest cell.
        """
        self._tick = tick
        self._newest = newest_around(cell_versions).tolist()
        pace = self._pace
        order: dict[Session, None] = dict.fromkeys(answered)
        order.update(self._unserved)
        turn = [session for session in playing if pace.is_turn(session.number, tick)]
        order.update(dict.fromkeys(turn))
        self.frames_skipped += max(0, len(playing) - len(order))
        self._unserved = {}
        chosen = list(order)
        size = max(self._slice_min, -(-len(chosen) // FAN_OUT_SLICES))
        self._slices = [chosen[at : at + size] for at in range(0, len(chosen), size)]

    def send_slice(self, index: int, frames: Frames, cells: NDArray[np.generic]) -> None:
        """Send slice ``index``.

        Args:
            index: 0 to ``slices`` - 1.
            frames: This tick's.
            cells: Interest cell by row of the state.
        """
        sessions = [session for session in self._slices[index] if session.plays]
        wanted = cells[[session.row for session in sessions]].tolist()
        tick, newest, frame = self._tick, self._newest, frames.frame
        quiet_since = tick - QUIET_TICKS_MAX
        for session, cell in zip(sessions, wanted, strict=True):
            seen = session.seen_tick
            if session.seen_cell == cell and newest[cell] <= seen and seen > quiet_since:
                continue
            if session.is_paused:
                self.frames_skipped += 1
                continue
            session.seen_cell, session.seen_tick = cell, tick
            payload = frames.json_frame(cell) if session.is_json else frame(cell)
            session.send_encoded(payload)
            self.frames_sent += 1
            self.bytes_sent += len(payload) + FRAME_HEAD_BYTES

    def cut(self, index: int) -> None:
        """Give up this and the later slices: the next tick is due. They go first in it."""
        for late in self._slices[index:]:
            self._unserved.update(dict.fromkeys(late))
            self.frames_skipped += len(late)
        self._slices = self._slices[:index]
