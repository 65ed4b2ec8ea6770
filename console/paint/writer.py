"""Writes to the terminal from a thread, so that a terminal that stalls holds nobody up."""

import os
import select
import threading
from collections import deque
from typing import Final

WRITES_QUEUED_MAX: Final = 256
"""Frames stop at ``BACKLOG_MAX``; this bounds what else a stalled terminal is owed."""
CHUNK_BYTES: Final = 4096
STOP_S_MAX: Final = 1.0


class TerminalWriter(threading.Thread):
    """A queue of writes that never blocks whoever writes, and the thread that empties it.

    Has the methods of Textual's own writer thread, whose queue blocks when it is full.

    Args:
        fd: The terminal.

    Attributes:
        bytes_total: Bytes handed to ``write`` so far.
        dropped: Writes that did not fit; the screen must be painted anew after one.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(daemon=True, name="terminal-writer")
        self._fd = fd
        self._queue: deque[bytes] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._gone = False
        self.bytes_total = 0
        self.dropped = 0

    @property
    def queued(self) -> int:
        """Writes that wait behind the one in progress."""
        return len(self._queue)

    def write(self, text: str) -> None:
        """Queue ``text``; returns at once."""
        data = text.encode("utf-8", "replace")
        with self._wake:
            if self._gone:
                return
            if len(self._queue) >= WRITES_QUEUED_MAX:
                self.dropped += 1
                return
            self.bytes_total += len(data)
            self._queue.append(data)
            self._wake.notify()

    def flush(self) -> None:
        """Do nothing: the thread writes without a buffer."""

    def run(self) -> None:
        """Write what is queued until stopped."""
        while True:
            with self._wake:
                while not self._queue and not self._stopping:
                    self._wake.wait()
                if not self._queue:
                    return
                data = self._queue.popleft()
            if not self._write_all(data):
                with self._wake:
                    self._gone = True
                    self._queue.clear()
                return

    def stop(self) -> None:
        """Write the rest and end; a terminal that does not read is not waited for long."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self.is_alive():
            self.join(STOP_S_MAX)

    def _write_all(self, data: bytes) -> bool:
        """Return whether all of ``data`` was written; False when the terminal is gone."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view[:CHUNK_BYTES]) :]
            except BlockingIOError:
                select.select([], [self._fd], [], 1.0)
            except OSError:
                return False
        return True
