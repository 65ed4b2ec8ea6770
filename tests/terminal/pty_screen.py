"""The real program in a real pty, and what its screen shows."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import pexpect
import pyte

PATIENCE_S = 45.0
"""How long anything may take on a loaded machine before a test gives up; not a claim."""


class PtyScreen:
    """``seedstorm`` in a pty of a given size; a context manager that leaves nothing running.

    With ``program`` it is that which runs, such as a client that logs in elsewhere.
    """

    def __init__(
        self,
        arguments: list[str],
        columns: int,
        rows: int,
        folder: Path,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = (sys.executable, "-P", "-m", "console"),
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes_read = 0
        self.read_last = 0
        environment = {
            **{name: os.environ[name] for name in os.environ if name not in {"COLUMNS", "LINES"}},
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            **(env or {}),
        }
        self.process = pexpect.spawn(
            program[0],
            [*program[1:], *arguments],
            dimensions=(rows, columns),
            env=environment,
            cwd=str(folder),
            timeout=PATIENCE_S,
        )
        self.process.delaybeforesend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.isalive():
            self.process.terminate(force=False)
            self._drain_until_dead()
        self.process.close(force=True)

    @property
    def text(self) -> str:
        """What the screen shows, a line a row."""
        return "\n".join(self.screen.display)

    def read(self, wait_s: float = 0.1) -> bool:
        """Take what the program has written; False when it has ended."""
        self.read_last = 0
        try:
            data = self.process.read_nonblocking(65536, timeout=wait_s)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.read_last = len(data)
        self.bytes_read += len(data)
        self._stream.feed(data)
        return True

    def wait_for(self, *words: str, patience_s: float = PATIENCE_S) -> None:
        """Read until the screen shows every word."""
        end_at = time.monotonic() + patience_s
        while not all(word in self.text for word in words):
            alive = self.read()
            missing = [word for word in words if word not in self.text]
            if not missing:
                return
            assert alive, f"ended without showing {missing}:\n{self.text}"
            assert time.monotonic() < end_at, f"never showed {missing}:\n{self.text}"

    def wait_gone(self, *words: str) -> None:
        """Read until the screen shows none of the words."""
        end_at = time.monotonic() + PATIENCE_S
        while any(word in self.text for word in words):
            assert self.read(), f"ended:\n{self.text}"
            assert time.monotonic() < end_at, f"still shows {words}:\n{self.text}"

    def press(self, keys: str) -> None:
        """Type keys."""
        self.process.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def wait_exit(self) -> int:
        """Read until the program ends and return its exit code."""
        self._drain_until_dead()
        self.process.close()
        return self.process.exitstatus if self.process.exitstatus is not None else -1

    def _drain_until_dead(self) -> None:
        end_at = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < end_at, f"never ended:\n{self.text}"
        self.process.wait()
