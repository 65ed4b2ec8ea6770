"""Sends what changed, and only that; leaves frames out when the terminal does not keep up."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from rich.color import ColorSystem
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from console.lines import Line
from console.paint.buffer import ScreenBuffer
from console.paint.cells import CellMaker

BACKLOG_MAX: Final = 2
"""Frames are left out while more writes than this wait."""
SYNC_BYTES_MIN: Final = 2048
"""Writes from this size on are shown at once by terminals that can."""
SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"


class Output(Protocol):
    """Where painted text goes."""

    @property
    def bytes_total(self) -> int:
        """Bytes handed over so far."""
        ...

    @property
    def queued(self) -> int:
        """Writes that wait."""
        ...

    def write(self, text: str) -> None:
        """Queue a write; never blocks."""
        ...


class Painter:
    """Turns Textual's updates and panels' strips into the fewest bytes.

    Args:
        output: The terminal.
        colours: How many it shows; None for none.

    Attributes:
        frames_skipped: Frames left out because the terminal did not keep up.
        sync: Whether the terminal knows synchronised updates.
    """

    def __init__(self, output: Output, colours: ColorSystem | None) -> None:
        self._output = output
        self._maker = CellMaker(colours)
        self._buffer = ScreenBuffer(0, 0, self._maker)
        self.frames_skipped = 0
        self.sync = False

    @property
    def backlogged(self) -> bool:
        """Whether a frame would only add to what waits."""
        return self._output.queued > BACKLOG_MAX

    def resize(self, width: int, height: int) -> None:
        """Begin anew when the screen's size is another."""
        if (width, height) != (self._buffer.width, self._buffer.height):
            self._buffer = ScreenBuffer(width, height, self._maker)

    def forget(self) -> None:
        """Paint every cell anew next time."""
        self._buffer.forget()

    def put(self, x: int, y: int, strip: Iterable[object]) -> None:
        """Take a strip for (x, y); sent by ``flush``."""
        self._buffer.put(x, y, self._maker.cells(strip))  # type: ignore[arg-type]  # Strip iterates Segments

    def put_line(self, x: int, y: int, line: Line, styles: Mapping[str, Style]) -> None:
        """Take a panel's line for (x, y) in the looks of ``styles``; sent by ``flush``."""
        self._buffer.put(x, y, self._maker.line(line, styles))

    def flush(self) -> None:
        """Send what ``put`` and ``update`` found changed."""
        text = self._buffer.take()
        if not text:
            return
        if self.sync and len(text) >= SYNC_BYTES_MIN:
            text = f"{SYNC_START}{text}{SYNC_END}"
        self._output.write(text)

    def update(self, update: CompositorUpdate) -> None:
        """Take what the compositor would have written, and send what changed.

        The shapes are Textual's own (``textual._compositor``, 8.x): whole lines, or
        spans of lines in pieces.
        """
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                self.put(update.region.x, y, Strip.join(strips))
        elif isinstance(update, ChopsUpdate):
            for y, from_x, to_x in update.spans:
                pieces = zip(update.chop_ends[y], update.chops[y].items(), strict=False)
                for end, (x, strip) in pieces:
                    if strip is None or x > to_x or end <= from_x:
                        continue
                    shown = strip if end <= to_x else strip.crop(0, to_x - x)
                    self.put(x, y, shown)
        self.flush()
