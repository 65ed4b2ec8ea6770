"""A terminal for tests: what the console sends is played to an emulator."""

import re
from typing import Any

import pyte
from textual.drivers.headless_driver import HeadlessDriver

SYNC = re.compile("\x1b\\[\\?2026[hl]")


class EmulatedTerminal:
    """Stands in for the writer thread; keeps a screen as a terminal would.

    Attributes:
        queued: What the painter sees as waiting; a test sets it to play a stall.
        texts: Every write.
    """

    def __init__(self, width: int, height: int) -> None:
        self.queued = 0
        self.bytes_total = 0
        self.texts: list[str] = []
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(7, private=True)
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> None:
        """Show ``text``."""
        self.texts.append(text)
        self.bytes_total += len(text.encode())
        self._stream.feed(SYNC.sub("", text))

    def cells(self) -> list[list[tuple[str, str, str, bool]]]:
        """Return what is shown: glyph, colours, weight."""
        return [
            [
                (cell.data, cell.fg, cell.bg, cell.bold)
                for x in range(self.screen.columns)
                for cell in [self.screen.buffer[y][x]]
            ]
            for y in range(self.screen.lines)
        ]


class EmulatedDriver(HeadlessDriver):
    """Textual's headless driver, except that the console paints."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.writer = EmulatedTerminal(*(self._size or (80, 24)))

    @property
    def is_headless(self) -> bool:
        """Say no, so that frames are painted."""
        return False

    def write(self, data: str) -> None:
        """Show what Textual itself writes."""
        self.writer.write(data)
