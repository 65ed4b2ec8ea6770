"""Where children run: processes of their own, or tasks in this one. One interface."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

from engine.link.channel import Channel, MemoryChannel, SocketChannel, memory_pair
from engine.protocol.child import from_child_decoder
from engine.protocol.text import printable

ChildKind = Literal["world", "squad", "narrator", "indexer", "history"]
Serve = Callable[[Channel], Awaitable[None]]
Heard = Callable[[str], None]

MODULES: Mapping[ChildKind, str] = {
    "world": "engine.server",
    "squad": "engine.assault",
    "narrator": "narrative.process",
    "indexer": "engine.indexer",
    "history": "engine.history",
}
_LINE_CHARS_MAX = 500
_LINES_HEARD_MAX = 2000
_LAST_LINES = 20


class Child(Protocol):
    """A running world, squad, narrator, indexer or historian."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    @property
    def channel(self) -> Channel:
        """The hub's end of its channel."""
        ...

    @property
    def last_words(self) -> str:
        """The last line it wrote, or the error it ended with."""
        ...

    async def wait(self) -> int:
        """Return its exit code once it has ended; negative for a signal."""
        ...

    def kill(self) -> None:
        """End it at once; safe to call again."""
        ...


class Placement(Protocol):
    """Starts children."""

    @property
    def in_process(self) -> bool:
        """Whether children share this process."""
        ...

    async def start(self, kind: ChildKind, heard: Heard) -> Child:
        """Start a child.

        Args:
            kind: What it is.
            heard: Told every line it writes on stdout or stderr, within bounds.

        Raises:
            OSError: It cannot be started.
        """
        ...


class _Process:
    def __init__(self, process: asyncio.subprocess.Process, channel: Channel, heard: Heard) -> None:
        self._process = process
        self._heard = heard
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self.channel = channel
        self._listener = asyncio.create_task(self._listen(), name="child-output")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_words(self) -> str:
        return self._lines[-1] if self._lines else ""

    async def wait(self) -> int:
        code = await self._process.wait()
        # A grandchild that inherited the pipe must not hold the hub up.
        await asyncio.wait({self._listener}, timeout=1.0)
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        return code

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def _listen(self) -> None:
        stream = self._process.stdout
        heard = 0
        while stream is not None:
            try:
                raw = await stream.readline()
            except ValueError:  # a line beyond the stream's limit; the stream has dropped it
                continue
            if not raw:
                return
            line = printable(raw.decode(errors="replace").rstrip(), _LINE_CHARS_MAX)
            if line:
                self._lines.append(line)
                heard += 1
                if heard <= _LINES_HEARD_MAX:
                    self._heard(line)


class ProcessPlacement:
    """Children are processes, each with one half of a socket pair."""

    in_process = False

    def __init__(self, modules: Mapping[ChildKind, str] = MODULES) -> None:
        self._modules = modules

    async def start(self, kind: ChildKind, heard: Heard) -> Child:
        """See ``Placement.start``."""
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    self._modules[kind],
                    str(descriptor),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(descriptor,),
                )
            except OSError:
                ours.close()
                raise
        return _Process(process, await SocketChannel.over(ours, from_child_decoder), heard)


class _Task:
    def __init__(self, serve: Serve, ours: MemoryChannel, theirs: MemoryChannel) -> None:
        self.channel: Channel = ours
        self._theirs = theirs
        self._error = ""
        self._task = asyncio.create_task(self._run(serve), name="child")
        # Not in the task itself: one that is killed before its first step never gets there.
        self._task.add_done_callback(lambda _: theirs.close())

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def last_words(self) -> str:
        return self._error

    async def wait(self) -> int:
        await asyncio.wait({self._task})
        return -signal.SIGKILL if self._task.cancelled() else int(bool(self._error))

    def kill(self) -> None:
        self._task.cancel()

    async def _run(self, serve: Serve) -> None:
        try:
            await serve(self._theirs)
        except Exception as problem:  # noqa: BLE001 - it is a child's end, told like a process's
            self._error = f"{type(problem).__name__}: {problem}"


class LocalPlacement:
    """Children are tasks in this loop, over memory channels.

    Args:
        serve: What each kind of child runs; the real ones when None.
    """

    in_process = True

    def __init__(self, serve: Mapping[ChildKind, Serve] | None = None) -> None:
        self._serve = serve

    async def start(self, kind: ChildKind, heard: Heard) -> Child:  # noqa: ARG002 - a task writes no lines
        """See ``Placement.start``."""
        serve = _real() if self._serve is None else self._serve
        ours, theirs = memory_pair()
        return _Task(serve[kind], ours, theirs)


def _real() -> Mapping[ChildKind, Serve]:
    from engine.assault.worker import serve_squad
    from engine.server.serve import serve_world

    return {"world": serve_world, "squad": serve_squad}
