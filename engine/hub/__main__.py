"""The hub's process: a ``RunSpec`` as JSON on stdin, one line of JSON on stdout, then the run."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import msgspec

from engine.hub.engine import Engine
from engine.hub.placement import ProcessPlacement
from engine.protocol.errors import ExitCode, UserError
from engine.protocol.limits import SCENARIO_BYTES_MAX
from engine.protocol.spec import HubFailed, HubReady, RunSpec

_SPEC_BYTES_MAX = 4 * SCENARIO_BYTES_MAX


def main() -> int:
    """Run an engine and return the contract's exit code."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        spec = msgspec.json.decode(sys.stdin.buffer.read(_SPEC_BYTES_MAX), type=RunSpec)
    except msgspec.DecodeError as problem:
        return _fail(UserError(f"not a run's specification: {problem}"))
    try:
        return asyncio.run(_run(spec))
    except UserError as problem:
        return _fail(problem)
    except (asyncio.CancelledError, KeyboardInterrupt):
        return _fail(UserError("stopped before the run began", ExitCode.INVALID))


async def _run(spec: RunSpec) -> int:
    signals = _Signals()
    engine = Engine(spec, ProcessPlacement())
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, context: engine.logbook.write("unhandled", text=str(context))
    )
    await signals.guard(engine.start(os.getpid()))
    signals.engine = engine
    _say(HubReady(os.getpid(), spec.socket_path, str(engine.capsule.path)))
    _detach()
    gc.freeze()
    ended = await engine.finished()
    return ended.exit_code


class _Signals:
    """SIGTERM and SIGINT: once in order, twice at once; before the start they cancel it."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._starting: asyncio.Task[None] | None = None
        self._count = 0
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)

    async def guard(self, starting: Coroutine[Any, Any, None]) -> None:
        """Await ``starting``; a signal cancels it."""
        self._starting = asyncio.create_task(starting, name="engine-start")
        if self._count:
            self._starting.cancel()
        await self._starting

    def _on_signal(self) -> None:
        self._count += 1
        if self.engine is not None:
            self.engine.hub.stop("a signal")
        elif self._starting is not None:
            self._starting.cancel()


def _say(word: HubReady | HubFailed) -> None:
    try:
        sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
        sys.stdout.buffer.flush()
    except OSError:
        # Whoever started this has gone; the run is found through the registry.
        return


def _fail(problem: UserError) -> int:
    _say(HubFailed(problem.message, int(problem.exit_code)))
    return int(problem.exit_code)


def _detach() -> None:
    """Let go of the pipes and the terminal of whoever started this."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
