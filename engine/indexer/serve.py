"""The indexer's shell: takes the spec, works until told to stop or until the hub is gone."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from engine.indexer.work import Indexer
from engine.link.base import LinkClosed
from engine.link.channel import Channel
from engine.protocol.archive import IndexAnew, IndexerReady, IndexerSpec, IndexReport
from engine.protocol.child import ChildProblem, Quit
from engine.protocol.errors import ExitCode
from engine.protocol.limits import INDEX_FLUSH_S

POLL_S = 1.0
_TROUBLE_S = 10.0
"""A disk that is full, or a log that cannot be read, is looked at again after this long."""


async def serve_indexer(channel: Channel, note: Callable[[str], None]) -> None:
    """Be an indexer. The channel is closed in the end.

    Args:
        channel: To the hub; the first message is the ``IndexerSpec``.
        note: Told what is worth a line in the engine's log.
    """
    try:
        spec = await channel.receive()
        if not isinstance(spec, IndexerSpec):
            text = f"the indexer was first told {type(spec).__name__}, not its specification"
            channel.post(ChildProblem(text, int(ExitCode.OWN_FAULT)))
            return
        shell = _Shell(spec, channel, note)
        try:
            # Whatever is in its way now may pass, like that which comes later: see _work.
            channel.post(IndexerReady(os.getpid()))
            await shell.run()
        finally:
            shell.close()
    except LinkClosed:
        return
    finally:
        await channel.aclose()


class _Shell:
    def __init__(self, spec: IndexerSpec, channel: Channel, note: Callable[[str], None]) -> None:
        self._spec = spec
        self._channel = channel
        self._note = note
        self._anew = ""
        self._told_seq = -1
        self._thrown_away: list[str] = []
        self._indexer: Indexer | None = None

    def close(self) -> None:
        if self._indexer is not None:
            self._indexer.close()

    async def run(self) -> None:
        """Work until told to quit.

        Raises:
            LinkClosed: The hub is gone.
        """
        heard = asyncio.create_task(self._until_quit(), name="indexer-orders")
        pause_s = 0.0
        try:
            while not heard.done():
                await asyncio.wait({heard}, timeout=pause_s)
                pause_s = self._work()
            heard.result()
            self._flush()
        finally:
            heard.cancel()
            await asyncio.gather(heard, return_exceptions=True)

    def _work(self) -> float:
        """Do the next piece and return how long to wait before the one after it."""
        try:
            indexer = self._opened()
            if self._anew:
                indexer.begin_anew(self._anew)
                self._anew = ""  # and not before: a full disk is tried again
            pause_s = 0.0 if indexer.step(time.monotonic()) else POLL_S
        except (OSError, ValueError) as problem:
            self._note(f"the index waits: {problem}")
            return _TROUBLE_S
        self._report(indexer)
        return pause_s

    def _opened(self) -> Indexer:
        """Return the indexer.

        Raises:
            OSError: It cannot be had now.
            ValueError: The log is damaged.
        """
        if self._indexer is None:
            log, index = Path(self._spec.database), Path(self._spec.index)
            self._indexer = Indexer(log, index, self._tell_anew)
        return self._indexer

    def _flush(self) -> None:
        until_s = time.monotonic() + INDEX_FLUSH_S
        try:
            indexer = self._opened()
            while time.monotonic() < until_s and indexer.step(time.monotonic(), at_once=True):
                pass
        except (OSError, ValueError) as problem:
            self._note(f"the index stays behind the log: {problem}")
        if self._indexer is not None:
            self._report(self._indexer)

    def _report(self, indexer: Indexer) -> None:
        position = indexer.index.position
        for why in self._thrown_away:
            self._channel.post(IndexReport(position, why))
        if position != self._told_seq:
            self._channel.post(IndexReport(position))
        self._thrown_away, self._told_seq = [], position

    def _tell_anew(self, why: str) -> None:
        self._thrown_away.append(why)

    async def _until_quit(self) -> None:
        while not isinstance(message := await self._channel.receive(), Quit):
            if isinstance(message, IndexAnew):
                self._anew = message.why
