"""Textual's driver with a writer that never blocks and an end when the terminal goes away."""

import os
from typing import TYPE_CHECKING, Any, Final

from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

from console.paint.writer import TerminalWriter
from console.terminal import size_of

if TYPE_CHECKING:
    from collections.abc import Callable


MOUSE_ON: Final = "\x1b[?1000h\x1b[?1006h"
"""Clicks and the wheel; not every move, which would cost a message each."""
MOUSE_OFF: Final = "\x1b[?1006l\x1b[?1000l"


class StormDriver(LinuxDriver):
    """The Linux driver, writing through a ``TerminalWriter``.

    Attributes:
        on_hang_up: Called in the event loop when the terminal is gone.
    """

    on_hang_up: "Callable[[], None] | None" = None

    def __init__(self, *args: Any, **options: Any) -> None:
        self._writer: TerminalWriter | None = None
        super().__init__(*args, **options)

    @property
    def writer(self) -> TerminalWriter | None:
        """The thread that writes, once the terminal is ours."""
        return self._writer

    # Textual makes its own writer thread inside ``start_application_mode`` and starts it
    # through this attribute: as a property it hands out ours instead.
    @property  # type: ignore[override]  # the same methods, another class
    def _writer_thread(self) -> TerminalWriter | None:
        return self._writer

    @_writer_thread.setter
    def _writer_thread(self, made: WriterThread | None) -> None:
        if made is None:
            self._writer = None
        else:
            self._writer = TerminalWriter(_terminal_fd(made.fileno()))

    def _get_terminal_size(self) -> tuple[int, int]:
        # Textual believes COLUMNS and LINES before the terminal, and misses every resize then.
        return size_of(_terminal_fd(self.fileno))

    def use_mouse(self, on: bool) -> None:
        """Have the terminal report clicks and the wheel, or stop it."""
        if on:
            self._mouse = True
            self._enable_mouse_support()
        else:
            self._disable_mouse_support()
            self._mouse = False

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            self.write(MOUSE_ON)

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write(MOUSE_OFF)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:  # the terminal was closed under us
            if self.on_hang_up is not None:
                self._loop.call_soon_threadsafe(self.on_hang_up)


def _terminal_fd(textuals: int) -> int:
    """Return standard output where it is the terminal: errors may go to a file."""
    return 1 if os.isatty(1) else textuals
