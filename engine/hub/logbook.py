"""The engine's log: JSON lines in the capsule, while a console owns the terminal."""

import contextlib
from pathlib import Path
from typing import Any, TextIO

import structlog

from engine.protocol.limits import LOG_BYTES_MAX


class Logbook:
    """Writes JSON lines to a file, up to a bound.

    Args:
        path: The file; added to when it exists. None keeps nothing (embedded tests).
    """

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = None
        if path is not None:
            self._file = path.open("a", encoding="utf-8", errors="replace", buffering=1)
            path.chmod(0o600)
        self._written = 0
        self._render = structlog.processors.JSONRenderer()
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def write(self, event: str, **details: Any) -> None:
        """Write one line."""
        if self._file is None or self._written > LOG_BYTES_MAX:
            return
        entry = self._stamp(None, "info", {"event": event, **details})
        line = str(self._render(None, "info", entry))
        self._written += len(line)
        if self._written > LOG_BYTES_MAX:
            line = '{"event": "the log is full; nothing more is written"}'
        try:
            self._file.write(line + "\n")
        except OSError:
            # A full disk must not end a run; the console was told by the free-space watch.
            self._written = LOG_BYTES_MAX + 1

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # a full disk, as in ``write``
                file.close()
