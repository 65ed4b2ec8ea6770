"""The squad's shell: clock, timers, channel, sockets around the sans-IO ``Squad``."""

import asyncio
import gc
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from engine.assault import behaviours, drivers, executors
from engine.assault.squad import Squad
from engine.assault.wires import PicowsWires
from engine.faults.registry import all_faults
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.child import (
    AskPlayer,
    ChildProblem,
    Go,
    PlayerTold,
    Quit,
    SetLoad,
    SquadClear,
    SquadFault,
    SquadReady,
    SquadSpec,
)
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import DRAIN_S, FILES_SPARE, REPORTS_PER_S_MAX
from engine.protocol.registry import pick, scan

STEP_S: Final = 0.01
_TIMER_S_MIN: Final = 0.001
"""The loop's own resolution: asking for less makes it spin."""


async def serve_squad(channel: Channel, own_process: bool = False) -> None:
    """Run a squad: the first message is its ``SquadSpec``, ``Quit`` or a closed channel its end.

    Args:
        channel: To the hub; closed at the end.
        own_process: Whether this process is the squad's alone: then its file limit may be
            raised and its garbage collector spared what never becomes garbage.
    """
    try:
        worker = _hired(await channel.receive(), channel, own_process)
    except LinkClosed:
        await channel.aclose()
        return
    except UserError as problem:
        channel.post(ChildProblem(problem.message, int(problem.exit_code)))
        await channel.aclose()
        return
    try:
        await worker.run()
    except Exception as problem:
        told = f"squad {worker.number} failed: {type(problem).__name__}: {problem}"
        channel.post(ChildProblem(told, int(ExitCode.OWN_FAULT)))
        raise
    finally:
        await worker.aclose()
        await channel.aclose()


def _hired(spec: Struct, channel: Channel, own_process: bool) -> "_Worker":
    if not isinstance(spec, SquadSpec):
        raise UserError("the first message to a squad is its spec", ExitCode.OWN_FAULT)
    return _Worker(spec, channel, own_process)


class _Worker:
    """Calls the squad when it is time to."""

    def __init__(self, spec: SquadSpec, channel: Channel, own_process: bool) -> None:
        self._channel = channel
        self._own_process = own_process
        driver = pick(scan(drivers, "DRIVER"), spec.driver, "driver")
        self._wires = PicowsWires(spec.url, driver.is_update)
        self._squad = Squad(
            spec,
            driver,
            scan(behaviours, "BEHAVIOUR"),
            scan(executors, "EXECUTOR"),
            all_faults(),
            self._wires,
            time.monotonic,
            self._plan_due,
        )
        share = -(-self._squad.plan.players_most // spec.squads)
        check_file_limit(share, own_process)
        self._wires.attach(self._squad)
        self.number = spec.squad
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._due_at_s = float("inf")
        self._step_at_s = time.monotonic()
        self._frozen = False
        self._wrong: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Serve the hub until it says quit or is gone."""
        self._channel.post(SquadReady(os.getpid(), self.number))
        self._later("step", STEP_S, self._step)
        self._later("report", 1.0 / REPORTS_PER_S_MAX, self._report)
        listening = asyncio.create_task(self._listen())
        try:
            first: set[asyncio.Future[Any]] = {listening, self._wrong}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if self._wrong.done():
                self._wrong.result()
            if await listening:
                await self._end()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop the timers and close every socket."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if not self._wrong.done():
            self._wrong.cancel()
        await self._wires.aclose()

    async def _listen(self) -> bool:
        """Take orders; True when the last was quit, False when the hub is gone."""
        while True:
            try:
                order = await self._channel.receive()
            except LinkClosed:
                return False
            if isinstance(order, Quit):
                return True
            self._obey(order)

    def _obey(self, order: Struct) -> None:
        if isinstance(order, Go):
            self._squad.go(order.elapsed_s)
        elif isinstance(order, SetLoad):
            self._squad.set_load(order)
            self._send_due()
        elif isinstance(order, SquadFault):
            try:
                self._squad.arm(order)
            except UserError as problem:  # the hub checks first; a fault must not cost the squad
                self._squad.tally.error(f"fault:{problem.message}")
        elif isinstance(order, SquadClear):
            self._squad.clear(order.id)
        elif isinstance(order, AskPlayer):
            self._channel.post(PlayerTold(order.id, self._squad.look_into(order.number)))

    async def _end(self) -> None:
        """Wait for answers under way, say good-bye, report once more."""
        until_s = time.monotonic() + DRAIN_S
        while not self._squad.drain() and time.monotonic() < until_s:  # noqa: ASYNC110 - asks after every player's answers, which no event tells
            await asyncio.sleep(STEP_S)
        self._squad.finish()
        await self._wires.aclose()
        self._post(finished=True)

    def _step(self) -> None:
        now_s = time.monotonic()
        self._squad.tally.timer_late(now_s - self._step_at_s - STEP_S)
        self._step_at_s = now_s
        self._squad.step()
        if self._own_process and not self._frozen and self._squad.settled:
            self._frozen = True
            gc.freeze()  # a thousand players are no garbage: looking through them costs a late send
        self._plan_due(self._squad.schedule.next_due_s())
        self._later("step", STEP_S, self._step)

    def _send_due(self) -> None:
        self._due_at_s = float("inf")
        self._plan_due(self._squad.send_due())

    def _plan_due(self, due_s: float | None) -> None:
        """Have the timer fire for the next command, unless it fires before that anyway."""
        if due_s is None or due_s >= self._due_at_s:
            return
        self._due_at_s = due_s
        self._later("due", max(_TIMER_S_MIN, due_s - time.monotonic()), self._send_due)

    def _report(self) -> None:
        self._post(finished=False)
        self._later("report", 1.0 / REPORTS_PER_S_MAX, self._report)

    def _post(self, finished: bool) -> None:
        report = self._squad.report(os.getpid(), time.process_time(), _rss_mb(), finished)
        if self._channel.post(report):
            self._squad.tally.handed_over()

    def _later(self, name: str, in_s: float, call: Callable[[], None]) -> None:
        old = self._timers.get(name)
        if old is not None:
            old.cancel()
        self._timers[name] = self._loop.call_later(in_s, self._guarded, call)

    def _guarded(self, call: Callable[[], None]) -> None:
        """Run a timer's work; what goes wrong there ends the squad instead of vanishing."""
        try:
            call()
        except Exception as problem:  # noqa: BLE001 - handed to run(), which raises it
            if not self._wrong.done():
                self._wrong.set_exception(problem)


def check_file_limit(players: int, own_process: bool) -> None:
    """Make sure that so many sockets may be open; raise the soft limit where it is ours.

    Raises:
        UserError: The limit is too low; says which ``ulimit`` cures it.
    """
    # In one process with the world, each player's connection has both its ends here.
    needed = players * (1 if own_process else 2) + FILES_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if own_process and (hard == resource.RLIM_INFINITY or hard >= needed):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return
    raise UserError(
        f"{players} players need {needed} open files, and the limit is {soft}; "
        f"run 'ulimit -n {needed}' first, or ask for fewer players"
    )


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * resource.getpagesize() / 1e6
