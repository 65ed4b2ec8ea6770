"""The historian's shell: takes the spec, answers questions one after another, until told to stop.

Stepping holds the loop; nothing else is to be done in this process, and a hub that is gone is
noticed when the answer is.
"""

import os
from pathlib import Path

from engine.history.past import NoSuchTick, Past
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.archive import AskHistory, HistoryReady, HistorySpec, HistoryTold
from engine.protocol.child import ChildProblem, Quit
from engine.protocol.errors import ExitCode, UserError
from engine.store.policyfiles import config_of


def past_of(spec: HistorySpec) -> Past:
    """Return the past that a spec speaks of.

    Raises:
        UserError: See ``load_policies``.
    """
    database = Path(spec.database)
    return Past(database, config_of(spec.shape, database.parent))


def told(past: Past, asked: AskHistory) -> HistoryTold:
    """Return the answer to a question, or why there is none."""
    try:
        columns = past.after(asked.tick, asked.columns)
    except NoSuchTick as problem:
        return HistoryTold(asked.id, asked.tick, {}, "invalid", str(problem))
    except UserError as problem:
        return HistoryTold(asked.id, asked.tick, {}, "gone", problem.message)
    except (OSError, ValueError) as problem:
        return HistoryTold(asked.id, asked.tick, {}, "gone", f"the log is of no use: {problem}")
    return HistoryTold(
        asked.id, asked.tick, {name: column.tobytes() for name, column in columns.items()}
    )


async def serve_history(channel: Channel) -> None:
    """Be a historian. The channel is closed in the end."""
    try:
        spec = await channel.receive()
        if not isinstance(spec, HistorySpec):
            text = f"the historian was first told {type(spec).__name__}, not its specification"
            channel.post(ChildProblem(text, int(ExitCode.OWN_FAULT)))
            return
        try:
            past = past_of(spec)
        except UserError as problem:
            channel.post(ChildProblem(problem.message, problem.exit_code))
            return
        channel.post(HistoryReady(os.getpid()))
        while not isinstance(message := await channel.receive(), Quit):
            if isinstance(message, AskHistory):
                channel.post(told(past, message))
    except LinkClosed:
        return
    finally:
        await channel.aclose()
