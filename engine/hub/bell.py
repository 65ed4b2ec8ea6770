"""``Bell``: wakes whoever waits for something new; ringing never waits."""

import asyncio


class Bell:
    """Rings for everyone who waits at that moment."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    async def wait(self) -> None:
        """Return at the next ring."""
        await self._next.wait()
