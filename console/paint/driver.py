"""Textual's driver with a writer that never blocks and an end when the terminal goes away."""

import os
import select
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any, Final

from textual._xterm_parser import XTermParser
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

from console.paint.writer import TerminalWriter
from console.terminal import size_of

if TYPE_CHECKING:
    from collections.abc import Callable


MOUSE_ON: Final = "\x1b[?1000h\x1b[?1006h"
"""Clicks and the wheel; not every move, which would cost a message each."""
MOUSE_OFF: Final = "\x1b[?1006l\x1b[?1000l"
READ_BYTES: Final = 4096
INPUT_WAIT_S: Final = 0.1
"""A lone escape is told from the start of a sequence at this pace; the end is looked for, too."""


class StormDriver(LinuxDriver):
    """The Linux driver, writing through a ``TerminalWriter``.

    Attributes:
        on_hang_up: Called in the event loop when the terminal is gone.
        on_broken: Called there with whatever else ended the keyboard.
        on_resume: Called there when the terminal is ours again after a stop (``fg``).
    """

    on_hang_up: "Callable[[], None] | None" = None
    on_broken: "Callable[[Exception], None] | None" = None
    on_resume: "Callable[[], None] | None" = None

    def __init__(self, *args: Any, **options: Any) -> None:
        self._writer: TerminalWriter | None = None
        self._ours = False
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

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self._ours = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves it so

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self._ours = False
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        # Not here, where a write may be half done.
        self._loop.call_soon_threadsafe(self._resume)

    def _resume(self) -> None:
        if not self._auto_restart:
            return
        if self._ours:
            # Stopped by force, which puts nothing away: a shell has had the terminal since.
            self.suspend_application_mode()
        elif not self._must_signal_resume:
            return  # it had been given back before
        self.resume_application_mode()
        if self.on_resume is not None:
            self.on_resume()

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

    def run_input_thread(self) -> None:
        """Read keys until told to end.

        Textual's own ends for good at a byte that is not UTF-8, such as a paste of Latin-1.

        Raises:
            OSError: The terminal is gone.
        """
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        parser = XTermParser()
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], INPUT_WAIT_S)[0]:
                data = os.read(self.fileno, READ_BYTES)
                if not data:
                    raise OSError("the terminal has no more to give")
                # An empty text would tell the parser that this was the end.
                if text := decode(data):
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:  # the terminal was closed under us
            if self.on_hang_up is not None:
                self._loop.call_soon_threadsafe(self.on_hang_up)
        except Exception as problem:  # noqa: BLE001 - without a keyboard, the console must not stay
            if self.on_broken is not None:
                self._loop.call_soon_threadsafe(self.on_broken, problem)


def _terminal_fd(textuals: int) -> int:
    """Return standard output where it is the terminal: errors may go to a file."""
    return 1 if os.isatty(1) else textuals
