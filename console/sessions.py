"""Runs that are going on: listed, found, stopped; a name for a new one."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from console.options import run_name
from engine.link.base import LinkClosed
from engine.link.places import claimed, find_run, running
from engine.link.socket import SocketLink
from engine.protocol.command import Stop
from engine.protocol.errors import ExitCode, UserError


@contextlib.contextmanager
def fresh_name(scenario: str, runs_dir: Path) -> Iterator[str]:
    """Hold a name for a new run that no engine has, running or about to start, and no capsule.

    Raises:
        UserError: The folder for sockets cannot be used.
    """

    def choose(taken: frozenset[str]) -> str:
        kept = {path.name for path in runs_dir.iterdir()} if runs_dir.is_dir() else set()
        return run_name(scenario, time.strftime("%Y%m%d-%H%M%S"), taken | kept)

    with contextlib.ExitStack() as held:
        try:
            name = held.enter_context(claimed(choose))
        except OSError as problem:
            raise UserError(f"cannot claim a name for the run: {problem}") from problem
        yield name


def listing() -> list[str]:
    """Return a line for each running engine."""
    return [
        f"{entry.run}  since {entry.started}  pid {entry.pid}  {entry.capsule}"
        for entry in running()
    ]


async def stop_run(name: str) -> str:
    """Stop a running engine in order and return its last words.

    Raises:
        UserError: No such run, or it vanished.
    """
    entry = find_run(name)
    try:
        link = await SocketLink.connect(entry.socket_path)
        try:
            await link.call(Stop())
            while link.ended is None and not link.closed:
                await link.wait()
                link.take_snapshot()
                link.take_notices()
            ended = link.ended
        finally:
            await link.aclose()
    except LinkClosed as problem:
        raise UserError(f"{entry.run}: {problem}", ExitCode.OWN_FAULT) from problem
    if ended is None:
        raise UserError(
            f"{entry.run} ended without a summary; see {entry.capsule}/engine.log",
            ExitCode.OWN_FAULT,
        )
    return f"{entry.run}: {ended.text}"
