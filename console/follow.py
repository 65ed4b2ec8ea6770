"""Follows a run without a terminal until it ends or is left; what signals do meanwhile."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from types import FrameType
from typing import Any, Self

from console.headless import notice_line, progress_line
from console.outcome import NO_WORD, Outcome, Tie, detached, lost, of_ended
from console.saying import say
from engine.link.base import EngineLink
from engine.protocol.command import Detach, Lease, Stop
from engine.protocol.errors import ExitCode
from engine.protocol.feed import Snapshot

PROGRESS_S = 1.0


class Signals:
    """Handlers of signals for the length of a block; gives the previous ones back.

    A signal that whoever started this ignores (``nohup``) stays ignored.

    Args:
        handlers: What each signal does; called in the main thread, between two instructions.
    """

    def __init__(self, handlers: Mapping[int, Callable[[], None]]) -> None:
        self._handlers = handlers
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in self._handlers:
            before = signal.getsignal(number)
            if number == signal.SIGHUP and before is signal.SIG_IGN:
                continue
            self._before[number] = before
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what getsignal gave

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._handlers[number]()


class Follower:
    """Shows a run's progress on stderr.

    SIGINT or SIGTERM stop a run that was started here, in order, twice at once; one that was
    only attached to goes on, and so does any run whose terminal is gone (SIGHUP). A reader of
    the progress that has left stops a run that was started here.

    Args:
        link: To the engine.
        end_now: Called on the second SIGINT or SIGTERM.
        tie: What this console is to the engine.
        fate: Returns what is known of an engine that went without a word.
    """

    def __init__(
        self,
        link: EngineLink,
        end_now: Callable[[], None],
        tie: Tie,
        fate: Callable[[], str],
    ) -> None:
        self._link = link
        self._end_now = end_now
        self._tie = tie
        self._fate = fate
        self._loop = asyncio.get_running_loop()
        self._left: asyncio.Future[Outcome] = self._loop.create_future()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._signals = 0
        self._heard = True
        self._run = ""
        self._capsule = ""

    async def outcome(self) -> Outcome:
        """Return how the run ended, or that it was left."""
        self._start(self._keep_lease())
        shown = self._start(self._show())
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGINT: self._on_stop_signal,
            signal.SIGTERM: self._on_stop_signal,
            signal.SIGHUP: lambda: self._soon(self._hang_up),
        }
        try:
            with Signals(handlers):
                done, _ = await asyncio.wait(
                    {shown, self._left}, return_when=asyncio.FIRST_COMPLETED
                )
            return self._left.result() if self._left in done else await shown
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._link.aclose()

    def _start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Future[Any]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    def _soon(self, work: Callable[[], object]) -> None:
        """Do something from a signal's handler, which may have interrupted anything."""
        self._loop.call_soon_threadsafe(work)

    def _on_stop_signal(self) -> None:
        self._signals += 1
        if self._signals > 1:
            self._end_now()
        else:
            self._soon(self._detach if self._tie == "attached" else self._stop)

    def _stop(self) -> None:
        self._say("stopping: commands in flight are drained (again to stop now)")
        self._start(self._link.call(Stop()))

    def _detach(self) -> None:
        self._start(self._leave())

    async def _leave(self) -> None:
        await self._link.call(Detach())
        self._let_go("detached")

    def _hang_up(self) -> None:
        if self._tie == "in process":
            self._stop()  # the engine ends with this process: in order then
        else:
            self._let_go("the terminal is gone")

    def _let_go(self, why: str) -> None:
        if not self._left.done():
            self._left.set_result(detached(why, self._run, self._capsule))

    def _say(self, line: str) -> None:
        if self._heard and not say(line):
            self._heard = False
            if self._tie == "attached":
                self._detach()
            else:
                self._start(self._link.call(Stop()))

    async def _keep_lease(self) -> None:
        while not self._link.closed:
            await self._link.call(Lease())
            await asyncio.sleep(1.0)

    async def _show(self) -> Outcome:
        link, next_line_at = self._link, self._loop.time()
        while True:
            await link.wait()
            for item in link.take_notices():
                self._say(notice_line(item))
            snapshot = link.take_snapshot()
            if snapshot is not None:
                self._note(snapshot)
            if link.ended is not None:
                return of_ended(link.ended)
            if link.closed:
                return self._lost()
            if snapshot is not None and self._loop.time() >= next_line_at:
                next_line_at = max(next_line_at + PROGRESS_S, self._loop.time())
                self._say(progress_line(snapshot))

    def _note(self, snapshot: Snapshot) -> None:
        self._run, self._capsule = snapshot.run, snapshot.capsule

    def _lost(self) -> Outcome:
        if self._signals > 1:
            text = "stopped at once: no summary was written"
            return Outcome(ExitCode.INVALID, text, self._capsule)
        return lost(self._fate(), self._capsule)


async def follow(
    link: EngineLink,
    end_now: Callable[[], None],
    tie: Tie = "started",
    fate: Callable[[], str] = lambda: NO_WORD,
) -> Outcome:
    """Show progress until the run is over or left; see ``Follower``."""
    return await Follower(link, end_now, tie, fate).outcome()
