"""``Readers``: the few threads in which the log is read, for whoever asks the hub."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engine.protocol.limits import LOG_READERS_MAX

T = TypeVar("T")


class Readers:
    """Looks into the log, ``LOG_READERS_MAX`` at a time, also when nobody waits for them any more.

    A look cannot be broken off: one whose asker has given up keeps its thread until it ends.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOG_READERS_MAX, thread_name_prefix="log-reader")

    async def look(self, look: Callable[[], T]) -> T:
        """Return what ``look`` returns, which runs beside the loop.

        Raises:
            OSError: The hub has closed.
        """
        try:
            looking = asyncio.get_running_loop().run_in_executor(self._threads, look)
        except RuntimeError as problem:
            raise OSError("the run is over") from problem
        try:
            return await looking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise OSError("the run is over") from None  # the look was cancelled, not its asker

    def close(self) -> None:
        """Begin no look any more; those that have begun end in their own time."""
        self._threads.shutdown(wait=False, cancel_futures=True)
