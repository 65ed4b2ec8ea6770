"""Runs that are going on: listed, found, stopped; a name for a new one."""

import time
from pathlib import Path

from console.options import run_name
from engine.link.base import LinkClosed
from engine.link.places import find_run, running
from engine.link.socket import SocketLink
from engine.protocol.command import Stop
from engine.protocol.errors import ExitCode, UserError


def fresh_name(scenario: str, runs_dir: Path) -> str:
    """Return a name for a new run that neither a running engine nor a capsule has."""
    taken = {entry.run for entry in running()}
    if runs_dir.is_dir():
        taken |= {path.name for path in runs_dir.iterdir()}
    return run_name(scenario, time.strftime("%Y%m%d-%H%M%S"), frozenset(taken))


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
