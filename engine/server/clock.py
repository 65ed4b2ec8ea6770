"""Time, as the shell takes it; tests bring their own."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic time and waiting for it."""

    def now_s(self) -> float:
        """Return the time."""
        ...

    async def sleep_until(self, due_s: float) -> None:
        """Return when ``due_s`` has come; lets the loop run at least once."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """See ``Clock``."""
        return time.perf_counter()

    async def sleep_until(self, due_s: float) -> None:
        """See ``Clock``."""
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
