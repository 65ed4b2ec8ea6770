"""Brings the board to the terminal: past the compositor where it can, spread over the frame."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from rich.color import ColorSystem
from textual._compositor import CompositorUpdate

from console.model import Model
from console.paint.painter import Painter
from console.screens.board import BoardScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    from console.app import StormApp

SPREAD_S_MAX: Final = 0.02
"""Panels are painted this far apart at most, so that a key never waits for a whole frame."""
SYSTEMS: Final = {
    "true": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "16": ColorSystem.STANDARD,
}


class Easel:
    """Paints the board of an app.

    With an overlay on top, or without a real terminal, panels are marked dirty and go
    through Textual's compositor; what comes out of that goes through the same diff.

    Args:
        app: The app.
    """

    def __init__(self, app: "StormApp") -> None:
        self._app = app
        self._painter: Painter | None = None
        self._behind = False
        self._waiting: deque[str] = deque()
        self._next_paint: asyncio.TimerHandle | None = None
        self._gap_s = SPREAD_S_MAX

    @property
    def frames_skipped(self) -> int:
        """Frames left out because the terminal did not keep up."""
        return self._painter.frames_skipped if self._painter is not None else 0

    @property
    def behind(self) -> bool:
        """Whether something was left out and is still to be mended."""
        return self._behind

    def redo(self, anew: bool) -> None:
        """Send every cell again; ``anew`` forgets the colours in use, too."""
        if anew:
            skipped, self._painter = self.frames_skipped, None
            if (painter := self._made()) is not None:
                painter.frames_skipped = skipped
        elif self._painter is not None:
            self._painter.forget()
        # What Textual is asked to draw may be gone before it does, such as a closing overlay.
        self._behind = True

    def show(self, model: Model) -> None:
        """Show what a model changes, at once."""
        self.rest()
        if not self._ready():
            return
        board = self._app.board
        board.take(model)
        changed = board.draw()
        direct = self._direct()
        if direct is None and changed:
            board.refresh()
        painter = self._made()
        if painter is None or painter.backlogged:
            return
        self._mend(painter)  # under an overlay, too: what was left out may have been its own
        if direct is not None:
            board.paint(painter)
            painter.flush()

    def frame(self, model: Model, period_s: float) -> None:
        """Paint a frame, panel after panel, spread over the period."""
        painter = self._made()
        if painter is not None and painter.backlogged:
            painter.frames_skipped += 1
            self.rest()
            return
        painter = self._direct()
        if painter is None or self._behind or self._app.board.take(model):
            self.show(model)
            return
        names = dict.fromkeys((*self._waiting, *(box.panel for box in self._app.board.boxes)))
        self.rest()
        self._waiting.extend(names)
        self._gap_s = min(SPREAD_S_MAX, period_s * 0.6 / max(1, len(names)))
        self._paint_next()

    def rest(self) -> None:
        """Leave what is still to be painted of this frame to the next."""
        self._waiting.clear()
        if self._next_paint is not None:
            self._next_paint.cancel()
            self._next_paint = None

    def display(self, screen: "Screen[Any]", update: Any) -> bool:
        """Send what changed of a compositor's update; return whether it was taken care of."""
        painter = self._made()
        if painter is None or not isinstance(update, CompositorUpdate):
            return False
        if painter.backlogged:
            painter.frames_skipped += 1
            self._behind = True
            return True
        painter.sync = self._app.synchronises
        painter.resize(screen.size.width, screen.size.height)
        painter.update(update)
        return True

    def _paint_next(self) -> None:
        self._next_paint = None
        painter = self._direct()
        if painter is None or painter.backlogged:
            self._waiting.clear()
            return
        board = self._app.board
        while self._waiting:
            if board.draw([self._waiting.popleft()]):
                board.paint(painter)
                painter.flush()
                break
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._next_paint = loop.call_later(self._gap_s, self._paint_next)

    def _mend(self, painter: Painter) -> None:
        """Bring the whole screen up to date after something was left out."""
        if self._behind:
            self._behind = False
            painter.sync = self._app.synchronises
            painter.resize(self._app.size.width, self._app.size.height)
            painter.update(self._app.screen._compositor.render_full_update())  # noqa: SLF001 - Textual has no public way to the whole screen

    def _ready(self) -> bool:
        board = self._app.board
        return self._app.showing and board.is_attached and all(board.size)

    def _direct(self) -> Painter | None:
        """Return the painter while panels may be painted past the compositor."""
        painter = self._made()
        if painter is None or not self._ready():
            return None
        return painter if isinstance(self._app.screen, BoardScreen) else None

    def _made(self) -> Painter | None:
        """Return the painter of the real terminal; None where nothing is shown."""
        if self._painter is None and (output := self._app.output) is not None:
            colours = None if self._app.looks.mono else SYSTEMS[self._app.depth]
            self._painter = Painter(output, colours)
            self._behind = True
        return self._painter
