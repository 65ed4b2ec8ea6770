"""``Keeper``: starts one child, listens to it, and starts it again when it dies."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from msgspec import Struct

from engine.hub.placement import Child, ChildKind, Placement
from engine.link.base import LinkClosed
from engine.protocol.archive import HistoryReady, IndexerReady
from engine.protocol.child import ChildProblem, NarratorReady, Quit, SquadReady, WorldReady
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import (
    CHILD_GRACE_S,
    CHILD_RESTARTS_MAX,
    CHILD_START_S_MAX,
    CHILD_STEADY_S,
)

_BACK_OFF_S = 0.2
_BACK_OFF_S_MAX = 3.0
_EXIT_S = 1.0

Ready = WorldReady | SquadReady | NarratorReady | IndexerReady | HistoryReady


class Owner(Struct):
    """What a keeper asks and tells the hub.

    Attributes:
        spec: Makes the child's first message, fresh for every start.
        ready: The child runs; the second argument says whether it is back from the dead.
        message: The child said something.
        lost: The child has died; why.
        broken: It died too often; the keeper has given up.
        heard: The child wrote a line on stderr.
    """

    spec: Callable[[], Struct]
    ready: Callable[[Ready, bool], Awaitable[None]]
    message: Callable[[Struct], None]
    lost: Callable[[str], None]
    broken: Callable[[str], None]
    heard: Callable[[str], None]


class Keeper:
    """Keeps one child.

    Args:
        kind: What the child is.
        name: What it is called in notices.
        placement: Where it runs.
        owner: See ``Owner``.
    """

    def __init__(self, kind: ChildKind, name: str, placement: Placement, owner: Owner) -> None:
        self._kind = kind
        self.name = name
        self._placement = placement
        self._owner = owner
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._quitting = False
        self._let_up = asyncio.Event()
        self._let_up.set()
        self._on_purpose = False

    @property
    def pid(self) -> int:
        """The child's process, 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    async def start(self) -> None:
        """Start the child and wait until it is ready.

        Raises:
            UserError: It could not start; carries the child's message and exit code.
        """
        child, ready = await self._spawn()
        self._task = asyncio.create_task(self._keep(child), name=f"keep-{self.name}")
        self._task.add_done_callback(self._ended)
        await self._owner.ready(ready, False)

    def post(self, message: Struct) -> bool:
        """Send to the child; False when there is none or it does not read."""
        return self._child is not None and self._child.channel.post(message)

    async def quit(self, grace_s: float) -> bool:
        """Ask the child to stop, wait, and end it by force after ``grace_s``.

        Returns:
            Whether it stopped by itself.
        """
        self._quitting = True
        if self._task is None:
            return True
        if self._child is None:
            self._task.cancel()
        self.post(Quit())
        done, _ = await asyncio.wait({self._task}, timeout=grace_s)
        if not done and self._child is not None:
            self._child.kill()
            await asyncio.wait({self._task}, timeout=CHILD_GRACE_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        return bool(done)

    def kill(self) -> None:
        """End the child at once, for good."""
        self._quitting = True
        if self._child is not None:
            self._child.kill()

    def hold_down(self) -> None:
        """Kill the child, and do not start it again before ``let_up``."""
        self._let_up.clear()
        self._on_purpose = True
        if self._child is not None:
            self._child.kill()

    def let_up(self) -> None:
        """Start the child again, now; it was killed on purpose, which is no restart to count."""
        self._let_up.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A keeper that fails itself is told like a child that cannot be kept."""
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._owner.broken(f"{self.name}: {type(problem).__name__}: {problem}")

    async def _spawn(self) -> tuple[Child, Ready]:
        try:
            child = await self._placement.start(self._kind, self._owner.heard)
        except OSError as problem:
            text = f"{self.name} cannot be started: {problem.strerror or problem}"
            raise UserError(text, ExitCode.OWN_FAULT) from problem
        self._child = child
        if not self._let_up.is_set():
            child.kill()  # held down while it was being made
        try:
            ready = await self._first_word(child)
        except BaseException:  # a cancelled start, too, leaves no child behind
            self._child = None
            await _end(child)
            raise
        return child, ready

    async def _first_word(self, child: Child) -> Ready:
        child.channel.post(self._owner.spec())
        try:
            async with asyncio.timeout(CHILD_START_S_MAX):
                first = await child.channel.receive()
        except TimeoutError:
            text = f"{self.name} did not start within {CHILD_START_S_MAX:.0f} s"
            raise UserError(text, ExitCode.OWN_FAULT) from None
        except LinkClosed:
            code = await _end(child)
            words = child.last_words or f"exit code {code}"
            raise UserError(
                f"{self.name} ended while it started: {words}", ExitCode.OWN_FAULT
            ) from None
        if isinstance(first, ChildProblem):
            raise UserError(first.message, ExitCode(first.exit_code))
        if not isinstance(first, Ready):
            text = f"{self.name} began with {type(first).__name__}"
            raise UserError(text, ExitCode.OWN_FAULT)
        return first

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        restarts = 0
        while True:
            since_s = loop.time()
            why = await self._follow(child)
            if self._quitting:
                return
            self._owner.lost(why)
            if loop.time() - since_s > CHILD_STEADY_S:
                restarts = 0
            back, restarts = await self._bring_back(restarts, why)
            if back is None:
                return
            child, ready = back
            await self._owner.ready(ready, True)

    async def _bring_back(self, restarts: int, why: str) -> tuple[tuple[Child, Ready] | None, int]:
        """Start the child again, with a longer pause each time.

        Args:
            restarts: How often it was started again lately.
            why: It is gone.

        Returns:
            The child, None when it was given up; and ``restarts`` as it is now.
        """
        while not self._quitting:
            if not self._on_purpose:
                if restarts >= CHILD_RESTARTS_MAX:
                    self._owner.broken(f"{self.name} ended {restarts + 1} times: {why}")
                    break
                await asyncio.sleep(min(_BACK_OFF_S * 2**restarts, _BACK_OFF_S_MAX))
                restarts += 1
            await self._let_up.wait()
            try:
                back = await self._spawn()
            except UserError as problem:
                if self._let_up.is_set():
                    self._on_purpose = False
                    why = problem.message
                    self._owner.heard(why)
                continue
            self._on_purpose = False
            return back, restarts
        return None, restarts

    async def _follow(self, child: Child) -> str:
        """Pass on what the child says until it is gone; return why it went."""
        problem = ""
        try:
            while True:
                message = await child.channel.receive()
                if isinstance(message, ChildProblem):
                    problem = message.message
                else:
                    self._owner.message(message)
        except LinkClosed:
            pass
        finally:
            self._child = None
            code = await _end(child)
        if problem:
            return problem
        if code < 0:
            return f"signal {-code}"
        return child.last_words or f"exit code {code}"


async def _end(child: Child) -> int:
    """Return the exit code of a child whose channel has closed; by force when it lingers."""
    try:
        code = await asyncio.wait_for(child.wait(), timeout=_EXIT_S)
    except TimeoutError:
        child.kill()
        code = await child.wait()
    finally:
        child.kill()
        with contextlib.suppress(OSError):
            await child.channel.aclose()
    return code
