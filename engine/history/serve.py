"""The historian's shell: takes the spec, answers questions one after another, until told to stop.

Stepping runs in a thread, so that the loop hears meanwhile which questions are withdrawn.
"""

import asyncio
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.history.past import NoSuchTick, Past
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.archive import (
    AskHistory,
    HistoryReady,
    HistorySpec,
    HistoryTold,
    WithdrawHistory,
)
from engine.protocol.child import ChildProblem, Quit
from engine.protocol.errors import ExitCode, UserError
from engine.store.policyfiles import config_of

_POST_AGAIN_S: Final = 0.02
"""An answer that did not fit into the channel is posted again after so long."""


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


class Desk:
    """Questions in hand: taken in as they come, answered in order, dropped when withdrawn.

    Every question is answered once, so that the other side can count what is in hand here.

    Args:
        channel: Where the answers go.
        past: Where they come from.
    """

    def __init__(self, channel: Channel, past: Past) -> None:
        self._channel = channel
        self._past = past
        self._in_hand: OrderedDict[int, AskHistory] = OrderedDict()
        self._withdrawn: set[int] = set()
        self._asked = asyncio.Event()

    def take(self, message: object) -> None:
        """Take in a question, or that one is withdrawn."""
        if isinstance(message, AskHistory):
            self._in_hand[message.id] = message
            self._asked.set()
        elif isinstance(message, WithdrawHistory) and message.id in self._in_hand:
            self._withdrawn.add(message.id)

    async def work(self) -> None:
        """Answer until cancelled."""
        while True:
            while not self._in_hand:
                self._asked.clear()
                await self._asked.wait()
            asked = next(iter(self._in_hand.values()))
            answer = None
            if asked.id not in self._withdrawn:
                answer = await asyncio.to_thread(told, self._past, asked)
            await self._post(asked, answer)
            del self._in_hand[asked.id]
            self._withdrawn.discard(asked.id)

    async def _post(self, asked: AskHistory, answer: HistoryTold | None) -> None:
        """Post an answer, again and again while the hub reads too slowly for it to fit."""
        while True:
            if answer is None or asked.id in self._withdrawn:
                text = "the question was withdrawn"
                answer = HistoryTold(asked.id, asked.tick, {}, "gone", text)
            if self._channel.post(answer):
                return
            await asyncio.sleep(_POST_AGAIN_S)


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
        desk = Desk(channel, past)
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(desk.work())
            with suppress(LinkClosed):
                while not isinstance(message := await channel.receive(), Quit):
                    desk.take(message)
            working.cancel()
    except LinkClosed:
        return
    finally:
        await channel.aclose()
